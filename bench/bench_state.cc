// state: what groups cost in memory, and what it costs when there is less memory than they take.
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
constexpr double kKeyStateBytes = 40.5;
constexpr size_t kMemoryShare = 4;

// So many visits by ten million visitors, each of whom comes before one comes again.
Result<std::unique_ptr<History>> visits(const BenchOptions& options, int64_t events) {
  int64_t next = 0;
  return History::make(
      options.directory, "state", std::string(kStream), events, [next](std::string& event) mutable {
        fmt::format_to(std::back_inserter(event), "{{\"visitor\":{}}}", next++ % kKeys * 7919);
      });
}

// Ten million groups of one count each.
Status keys(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const auto history, visits(options, kKeys));
  TRY_ASSIGN(const WorkerRun run, run_workers(*history, {std::string(kView)}, {}));
  report.add("state", options.only, "bytes_per_key", static_cast<double>(run.state_bytes) / kKeys, "B");
  report.add("state", options.only, "bytes_beside_the_key",
             static_cast<double>(run.state_bytes) / kKeys - kKeyBytes, "B");
  report.add("state", options.only, "resident", run.resident_mb, "MB");
  report.add("state", options.only, "events_per_s", static_cast<double>(kKeys) / run.seconds, "1/s");
  return {};
}

// The same groups with a quarter of the memory that they take: in the order of a hash, as keys come, nearly every
// event finds its page on the disk.
Status spill(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const auto history, visits(options, kKeys));
  const auto memory = static_cast<size_t>(kKeyStateBytes * kKeys) / kMemoryShare;
  const auto space = history->spill_space(memory);
  WorkerOptions workers;
  workers.spill = space;
  TRY_ASSIGN(const WorkerRun run, run_workers(*history, {std::string(kView)}, workers));
  constexpr double kMb = 1 << 20;
  const auto add = [&](std::string_view metric, double value, std::string_view unit) {
    report.add("state", options.only, metric, value, unit);
  };
  add("memory_limit", static_cast<double>(memory) / kMb, "MB");
  add("memory", static_cast<double>(run.spill.memory_bytes) / kMb, "MB");
  add("spilled", static_cast<double>(run.spill.spilled_bytes) / kMb, "MB");
  add("file", static_cast<double>(run.spill.file_bytes) / kMb, "MB");
  add("resident", run.resident_mb, "MB");
  add("pages_read_per_event", static_cast<double>(run.spill.pages_read) / kKeys, "pages");
  add("events_per_s", static_cast<double>(kKeys) / run.steps_seconds, "1/s");
  return {};
}
}  // namespace

Status bench_state(const BenchOptions& options, Report& report) {
  return options.only == "spill" ? spill(options, report) : keys(options, report);
}

}  // namespace millrace::bench
