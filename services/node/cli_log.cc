// `millrace log`: a node's files, looked at while no node runs.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "node/cli.h"
#include "node/node.h"

namespace millrace::cli {
namespace {

struct VerifyOptions {
  std::string data = "./data";
  bool recompute = false;
};

void show_progress(uint64_t done, uint64_t total) {
  if (isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "\r{} of {} frames{}", done, total, done == total ? "\n" : "");
}

int run_recompute(Files& files, const std::string& data) {
  const SystemClock clock;
  const auto report = node::recompute(files, clock, data, show_progress);
  if (!report.ok()) return cli::report(report.error());
  for (const auto& difference : report->differences) fmt::print("DIFFERENT {}\n", difference);
  fmt::print("recomputed {} queries, {} steps, {} rows: {}\n", report->queries, report->steps, report->rows,
             report->differences.empty() ? "all as recorded" : "not as recorded");
  return report->differences.empty() ? kOk : kFailed;
}

}  // namespace

void add_log_command(CLI::App& app, int& exit_code) {
  auto* log = app.add_subcommand("log", "Look at a node's journal while the node is not running");
  log->require_subcommand(1);
  auto options = std::make_shared<VerifyOptions>();
  auto* verify = log->add_subcommand("verify", "Check every frame; with --recompute every answer, too");
  verify->add_option("--data", options->data, "Data directory")->capture_default_str();
  verify->add_flag("--recompute", options->recompute, "Run every query again and compare each recorded step");
  verify->callback([options, &exit_code] {
    const auto files = make_system_files();
    exit_code = run_recompute(*files, options->data);
  });
}

}  // namespace millrace::cli
