// millrace doctor: what an operator should know before the first start.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "node/cli.h"
#include "node/doctor.h"
#include "node/serve_options.h"

namespace millrace::cli {
namespace {

struct DoctorOptions {
  std::string data = node::ServeOptions().data;
  std::string http = node::ServeOptions().http;
  std::string output = "table";
};

const char* word(Health health) {
  if (health == Health::kFail) return "FAIL";
  return health == Health::kWarn ? "warn" : "ok";
}

void show(const Finding& found) {
  fmt::print("{:<4}  {:<11}  {}{}{}\n", word(found.health), found.check, found.what,
             found.todo.empty() ? "" : "; to do: ", found.todo);
}

void show_json(const Finding& found) {
  using Json = nlohmann::ordered_json;
  const Json line = {{"check", found.check},
                     {"status", found.health == Health::kFail ? "fail" : word(found.health)},
                     {"what", found.what},
                     {"hint", found.todo}};
  fmt::print("{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int run(const DoctorOptions& options) {
  const auto address = node::parse_address(options.http);
  if (!address.ok()) {
    report(address.error());
    return kUsage;
  }
  const auto files = make_system_files();
  const SystemClock clock;
  std::vector<Finding> all = look_at_disk(*files, clock, options.data);
  for (auto& found : look_at_machine(*files, clock, options.data)) all.push_back(std::move(found));
  all.push_back(look_at_address(*address));
  for (const auto& found : all) options.output == "json" ? show_json(found) : show(found);
  const bool failed =
      std::any_of(all.begin(), all.end(), [](const Finding& found) { return found.health == Health::kFail; });
  return failed ? kFailed : kOk;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command =
      app.add_subcommand("doctor", "Before a start: is the machine fit for a node, and what to do");
  command->add_option("--data", options->data, "The data directory that is meant; it is not made")
      ->capture_default_str();
  command->add_option("--http", options->http, "The address that is meant")->capture_default_str();
  command->add_option("--output", options->output, "table, or json: one object a check")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->footer("Exit codes: 0 fit, maybe with warnings; 1 something fails; 2 wrong usage.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
