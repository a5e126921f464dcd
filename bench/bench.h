// The benchmarks: `millrace bench CASES… --output json` prints one JSON object a line.
//
// The process that runs the command is the load generator; the server under test is a process of its own
// (this binary again, `serve` or the bare floor server). Nothing here is ever a timed test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace millrace::bench {

struct BenchOptions {
  std::string bench;    // journal, ingest, latency, fanout … or all
  std::string only;     // one case of it; empty: all
  double seconds = 20;  // a round
  double warm_up = 5;
  int rounds = 3;
  double history_gb = 10;      // start / after_kill
  double rate = 100'000;       // events a second, latency cases
  int64_t events = 5'000'000;  // nexmark
  std::string rows;            // nexmark: a file for the query's rows; empty: none
  uint32_t workers = 1;        // nexmark
  bool scaling = false;        // nexmark: one worker and two, in turn
  std::string peer;            // nexmark: who runs the same queries; empty: nobody
  std::string to;              // nexmark-events: a file; empty: the output
  std::string output = "json";
  std::string directory;  // scratch space; empty: under the temporary directory
  std::string perf;       // a file for `perf record` of the server, empty: none
};

// Metrics go to stdout as soon as they are known, talk to stderr.
class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  void add(std::string_view bench, std::string_view name, std::string_view metric, double value,
           std::string_view unit);
  void say(std::string_view text);

 private:
  bool json_;
};

Status bench_latency(const BenchOptions& options, Report& report);
Status bench_ingest(const BenchOptions& options, Report& report);
Status bench_journal(const BenchOptions& options, Report& report);
std::vector<std::string> nexmark_cases();
Status bench_nexmark(const BenchOptions& options, Report& report);
Status write_nexmark_events(const BenchOptions& options);  // a line each
Error run_peer(const BenchOptions& options);               // becomes its program; answers only if it cannot
Status bench_state(const BenchOptions& options, Report& report);
Status bench_fanout(const BenchOptions& options, Report& report);
Status bench_connections(const BenchOptions& options, Report& report);
Status bench_start(const BenchOptions& options, Report& report);

void add_bench_command(CLI::App& app, int& exit_code);

}  // namespace millrace::bench
