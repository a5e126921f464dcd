// millrace config: a configuration file checked, shown as it works out, or begun.
#include <cstdlib>
#include <memory>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/configuration.h"

namespace millrace::cli {
namespace {

int check(const std::string& path) {
  const auto file = node::read_config(path);
  if (!file.ok()) return report(file.error());
  for (const auto& problem : file->problems) report(problem, file->text, path);
  if (!file->problems.empty()) return kFailed;
  const auto alone = node::configure({}, {}, *file, [](const char*) -> const char* { return nullptr; });
  if (const Status listens = node::check_listeners(alone.options); !listens.ok()) {
    report(listens.error(), {}, path);
    return kFailed;
  }
  fmt::print("{}: {}, all good\n", path, counted(file->entries.size(), "setting"));
  return kOk;
}

void add_check(CLI::App& config, int& exit_code) {
  auto path = std::make_shared<std::string>();
  CLI::App* command =
      config.add_subcommand("check", "Check a configuration file; every mistake by line and column");
  command->add_option("file", *path, "The file")->required();
  command->callback([path, &exit_code] { exit_code = check(*path); });
}

void add_show(CLI::App& config, int& exit_code) {
  auto options = std::make_shared<node::ServeOptions>();
  auto with_origins = std::make_shared<bool>(false);
  CLI::App* command = config.add_subcommand("show", "What serve would run with, told the same");
  command->add_flag("--origin", *with_origins, "Where each value comes from, too");
  node::add_serve_options(*command, *options);
  command->callback([command, options, with_origins, &exit_code] {
    const auto found = node::configuration_of(*options, *command);
    if (found) fmt::print("{}", node::to_text(*found, *with_origins));
    exit_code = found ? kOk : kUsage;
  });
}

}  // namespace

void add_config_command(CLI::App& app, int& exit_code) {
  CLI::App* config =
      app.add_subcommand("config", "The configuration file of serve: check it, show what holds");
  config->require_subcommand(1);
  add_check(*config, exit_code);
  add_show(*config, exit_code);
  CLI::App* example =
      config->add_subcommand("example", "A file with every setting and its default, commented out");
  example->callback([&exit_code] {
    fmt::print("{}", node::example_config());
    exit_code = kOk;
  });
}

}  // namespace millrace::cli
