// nexmark: NEXMark's queries, and many small queries, over its events: what one worker does in a second.
#include <algorithm>
#include <cstdio>

#include "bench/bench.h"
#include "bench/loadgen.h"
#include "bench/nexmark_events.h"
#include "bench/nexmark_queries.h"
#include "bench/worker_run.h"
#include "fmt/format.h"

namespace millrace::bench {
namespace {

constexpr uint64_t kSeed = 1;

// The same events for every query: written once a process.
Result<History*> nexmark_history(const BenchOptions& options) {
  static std::unique_ptr<History> made;
  if (!made) {
    NexmarkEvents events(kSeed);
    TRY_ASSIGN(made, History::make(options.directory, "nexmark", options.events,
                                   [&](std::string& event) { events.append(event); }));
  }
  return made.get();
}

Error cannot_write(const std::string& path) {
  return error(Code::kUnavailable, "MR-BENCH-0022", "cannot write the rows to " + path,
               "name a file that can be written");
}

}  // namespace

Status print_nexmark_events(int64_t count) {
  NexmarkEvents events(kSeed);
  std::string event;
  for (int64_t i = 0; i < count; ++i) {
    event.clear();
    events.append(event);
    event += '\n';
    if (std::fwrite(event.data(), 1, event.size(), stdout) != event.size()) {
      return error(Code::kUnavailable, "MR-BENCH-0021", "the output takes no more events");
    }
  }
  return {};
}

std::vector<std::string> nexmark_cases() {
  std::vector<std::string> names;
  for (const auto& query : nexmark_queries()) names.emplace_back(query.name);
  return names;
}

Status bench_nexmark(const BenchOptions& options, Report& report) {
  const auto& queries = nexmark_queries();
  const auto query =
      std::find_if(queries.begin(), queries.end(), [&](const auto& q) { return q.name == options.only; });
  TRY_ASSIGN(History* const history, nexmark_history(options));
  std::vector<double> rates;
  for (int round = 0; round <= options.rounds; ++round) {
    Sink sink;
    if (round == 0 && !options.rows.empty()) {
      sink.file = std::fopen(options.rows.c_str(), "w");
      if (sink.file == nullptr) return cannot_write(options.rows);
    }
    TRY_ASSIGN(const WorkerRun run, run_worker(*history, kNexmarkStream, query->sql, sink));
    const double rate = static_cast<double>(history->events()) / run.seconds;
    report.say(
        fmt::format("  {}: {:.0f} events/s, {} rows, hash {:016x}", query->what, rate, sink.rows, sink.hash));
    if (round > 0) rates.push_back(rate);  // the first one warms up
    if (sink.file != nullptr && std::fclose(sink.file) != 0) return cannot_write(options.rows);
  }
  report.add("nexmark", options.only, "events_per_s", median(rates), "1/s");
  return {};
}

}  // namespace millrace::bench
