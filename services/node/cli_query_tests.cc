// `millrace test`: users' own query tests, on nodes of their own in memory; no server takes part.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "node/cli.h"
#include "node/query_tests/query_tests.h"

namespace millrace::cli {
namespace {

struct TestOptions {
  std::vector<std::string> paths;
  query_tests::Options run;
};

struct Totals {
  size_t cases = 0;
  size_t failed = 0;
  size_t unreadable = 0;  // files
};

void show(const std::string& path, const query_tests::FileResult& result) {
  for (const auto& failure : result.failures) {
    fmt::print("{}\n  in the case \"{}\", schedule {}\n", failure.difference, failure.title,
               failure.schedule);
  }
  const char* verdict = result.failures.empty() ? "ok" : "FAILED";
  fmt::print("{:<6} {} ({} cases{})\n", verdict, path, result.cases, result.rewritten ? ", rewritten" : "");
}

int run_tests(const TestOptions& options) {
  const auto files = query_tests::find_files(options.paths);
  if (!files.ok()) return report(files.error());
  Totals totals;
  for (const auto& path : *files) {
    const auto result = query_tests::run_file(path, options.run);
    if (!result.ok()) {
      report(result.error());
      ++totals.unreadable;
      continue;
    }
    show(path, *result);
    totals.cases += result->cases;
    totals.failed += result->failures.size();
  }
  fmt::print("{} files, {} cases: {} failed", files->size(), totals.cases, totals.failed);
  fmt::print("{}\n", totals.unreadable > 0 ? fmt::format(", {} files not read", totals.unreadable) : "");
  return totals.failed + totals.unreadable == 0 ? kOk : kFailed;
}

}  // namespace

void add_test_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("test", "Run tests of queries: statements, events, expected rows");
  auto options = std::make_shared<TestOptions>();
  command->add_option("path", options->paths, "Test files, or folders that hold some (*.test)")->required();
  command->add_flag("--quick", options->run.quick,
                    "The plain schedule alone: no restarts, no partitions, one worker");
  command->add_flag("--rewrite", options->run.rewrite,
                    "Write what is found into the files, to be read as a diff");
  command->callback([options, &exit_code] { exit_code = run_tests(*options); });
}

}  // namespace millrace::cli
