// Query tests: the test files of a user or of tests/sql, every case under every schedule.
//
// A case says what queries answer; how the events come in, how often the process restarts, how many partitions
// and workers there are must not show in any answer, so the schedules try them all.
#pragma once

#include <string>
#include <vector>

#include "node/query_tests/case.h"
#include "node/query_tests/runner.h"

namespace millrace::query_tests {

inline constexpr size_t kMaxFiles = 10'000;

// The files that are named, and of folders every *.test in and below them, by name.
Result<std::vector<std::string>> find_files(const std::vector<std::string>& paths);

struct Options {
  bool quick = false;          // the plain schedule alone
  bool rewrite = false;        // what is found becomes what is expected, in the file itself
  bool not_optimized = false;  // under that schedule, too, which checks the planner more than the queries
};
struct Failure {
  std::string title;
  std::string schedule;
  std::string difference;  // from run_case()
};
struct FileResult {
  size_t cases = 0;
  bool rewritten = false;
  std::vector<Failure> failures;  // at most one a case
};
Result<FileResult> run_file(const std::string& path, const Options& options);

}  // namespace millrace::query_tests
