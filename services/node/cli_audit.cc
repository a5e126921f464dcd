// millrace audit verify, show: the audit log of a data directory, whether a server uses it or not.
#include <memory>

#include "CLI/CLI.hpp"
#include "event-gateway/audit_log.h"
#include "fmt/format.h"
#include "node/cli.h"

namespace millrace::cli {
namespace {

int ended(const Status& done) {
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  return done.ok() ? kOk : report(done.error());
}

Status verify(const std::string& data) {
  const auto files = make_system_files();
  TRY_ASSIGN(const auto chain, gateway::verify_audit(*files, data));
  if (chain.lines == 0) {
    fmt::print("no acts\n");
  } else {
    fmt::print("{} act{}, from number {}; the chain holds\nlast hash {}\n", chain.lines,
               chain.lines == 1 ? "" : "s", chain.first, chain.last_hash);
  }
  return {};
}

Status show(const std::string& data) {
  const auto files = make_system_files();
  TRY(gateway::verify_audit(*files, data, [](std::string_view line) { fmt::print("{}\n", line); }));
  return {};
}

}  // namespace

void add_audit_command(CLI::App& app, int& exit_code) {
  CLI::App* audit = app.add_subcommand("audit", "Administrative acts: who did what, when, from where");
  audit->require_subcommand(1);
  const auto add = [&](const char* word, const char* what, auto run) {
    CLI::App* command = audit->add_subcommand(word, what);
    const auto data = std::make_shared<std::string>("./data");
    command->add_option("--data", *data, "Data directory")->capture_default_str();
    command->callback([data, run, &exit_code] { exit_code = ended(run(*data)); });
  };
  add("verify", "Whether the log is whole; a broken line is named", verify);
  add("show", "All acts, one JSON object a line, up to where the log is broken", show);
}

}  // namespace millrace::cli
