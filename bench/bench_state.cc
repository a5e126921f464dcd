// state: what groups cost in memory.
#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/worker_run.h"

namespace millrace::bench {

namespace {
constexpr int64_t kKeys = 10'000'000;
constexpr std::string_view kStream = "CREATE STREAM visits (visitor BIGINT)";
constexpr std::string_view kView =
    "CREATE MATERIALIZED VIEW out AS SELECT visitor, count(*) AS visits FROM visits GROUP BY visitor";
constexpr double kKeyBytes = 9;  // a bigint as a group's key
}  // namespace

// Ten million groups of one count each.
Status bench_state(const BenchOptions& options, Report& report) {
  int64_t next = 0;
  TRY_ASSIGN(const auto history,
             History::make(options.directory, "state", std::string(kStream), kKeys, [&](std::string& event) {
               fmt::format_to(std::back_inserter(event), "{{\"visitor\":{}}}", next++ * 7919);
             }));
  TRY_ASSIGN(const WorkerRun run, run_workers(*history, {std::string(kView)}, {}));
  report.add("state", options.only, "bytes_per_key", static_cast<double>(run.state_bytes) / kKeys, "B");
  report.add("state", options.only, "bytes_beside_the_key",
             static_cast<double>(run.state_bytes) / kKeys - kKeyBytes, "B");
  report.add("state", options.only, "events_per_s", static_cast<double>(kKeys) / run.seconds, "1/s");
  return {};
}

}  // namespace millrace::bench
