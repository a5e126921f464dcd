// nexmark: NEXMark's queries, and many small queries, over its events: what workers do in a second.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "bench/bench.h"
#include "bench/loadgen.h"
#include "bench/nexmark_events.h"
#include "bench/nexmark_queries.h"
#include "bench/worker_run.h"
#include "fmt/format.h"

namespace millrace::bench {
namespace {

constexpr uint64_t kSeed = 1;

// The same events for every query, written once a process for each way to spread them.
Result<History*> nexmark_history(const BenchOptions& options, std::string_view key, uint32_t partitions) {
  static std::map<std::string, std::unique_ptr<History>> made;
  const std::string stream = nexmark_stream(partitions == 1 ? "" : key, partitions);
  auto& history = made[stream];
  if (!history) {
    NexmarkEvents events(kSeed);
    TRY_ASSIGN(history, History::make(options.directory, "nexmark", stream, options.events,
                                      [&](std::string& event) { events.append(event); }));
  }
  return history.get();
}

Error cannot_write(const std::string& path) {
  return error(Code::kUnavailable, "MR-BENCH-0022", "cannot write to " + path,
               "name a file that can be written");
}

}  // namespace

Status write_nexmark_events(const BenchOptions& options) {
  std::FILE* const file = options.to.empty() ? stdout : std::fopen(options.to.c_str(), "w");
  if (file == nullptr) return cannot_write(options.to);
  NexmarkEvents events(kSeed);
  std::string event;
  bool taken = true;
  for (int64_t i = 0; taken && i < options.events; ++i) {
    event.clear();
    events.append(event);
    event += '\n';
    taken = std::fwrite(event.data(), 1, event.size(), file) == event.size();
  }
  taken &= (file == stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (taken) return {};
  return error(Code::kUnavailable, "MR-BENCH-0021", "the output takes no more events", "make room for them");
}

std::vector<std::string> nexmark_cases() {
  std::vector<std::string> names;
  for (const auto& query : nexmark_queries()) names.emplace_back(query.name);
  return names;
}

namespace {

const NexmarkQuery& query_named(std::string_view name) {
  const auto& all = nexmark_queries();
  return *std::find_if(all.begin(), all.end(), [&](const auto& query) { return query.name == name; });
}

// One run, told. `rows` may be null.
Result<WorkerRun> run_query(const NexmarkQuery& query, History& history, uint32_t workers, std::FILE* rows,
                            Report& report) {
  TRY_ASSIGN(WorkerRun run, run_workers(history, query.sql, {workers, query.journal, rows}));
  report.say(fmt::format("  {}, {}: {:.0f} events/s, {} rows, hash {:016x}", query.what,
                         workers == 1 ? "1 worker" : fmt::format("{} workers", workers),
                         static_cast<double>(history.events()) / run.seconds, run.sink.rows, run.sink.hash));
  return run;
}

Status write_rows(const NexmarkQuery& query, History& history, const BenchOptions& options, Report& report) {
  std::FILE* const file = std::fopen(options.rows.c_str(), "w");
  if (file == nullptr) return cannot_write(options.rows);
  const auto run = run_query(query, history, options.workers, file, report);
  const bool closed = std::fclose(file) == 0;
  if (!run.ok()) return run.error();
  return closed ? Status() : cannot_write(options.rows);
}

Error other_rows(const Sink& one, const Sink& two) {
  return error(Code::kInternal, "MR-BENCH-0025",
               fmt::format("one worker gave {} rows, hash {:016x}, and two {} rows, hash {:016x}", one.rows,
                           one.hash, two.rows, two.hash),
               "this is a defect: please report it");
}

// One worker and two, in turn, over the same events.
Status bench_scaling(const NexmarkQuery& query, const BenchOptions& options, Report& report) {
  TRY_ASSIGN(History* const history, nexmark_history(options, query.key, 2));
  const auto events = static_cast<double>(history->events());
  std::vector<double> one_rate, two_rate, scaling;
  for (int round = 0; round <= options.rounds; ++round) {
    TRY_ASSIGN(const WorkerRun one, run_query(query, *history, 1, nullptr, report));
    TRY_ASSIGN(const WorkerRun two, run_query(query, *history, 2, nullptr, report));
    if (one.sink.rows != two.sink.rows || one.sink.hash != two.sink.hash)
      return other_rows(one.sink, two.sink);
    if (round == 0) continue;  // the first one warms up
    one_rate.push_back(events / one.seconds);
    two_rate.push_back(events / two.seconds);
    scaling.push_back(one.seconds / two.seconds);
  }
  report.add("nexmark", options.only, "events_per_s", median(one_rate), "1/s");
  report.add("nexmark", options.only, "events_per_s_2_workers", median(two_rate), "1/s");
  report.add("nexmark", options.only, "scaling", median(scaling), "x");
  return {};
}

}  // namespace

Status bench_nexmark(const BenchOptions& options, Report& report) {
  const NexmarkQuery& query = query_named(options.only);
  if (options.scaling) return bench_scaling(query, options, report);
  TRY_ASSIGN(History* const history, nexmark_history(options, query.key, options.workers));
  if (!options.rows.empty()) TRY(write_rows(query, *history, options, report));
  std::vector<double> rates;
  for (int round = 0; round <= options.rounds; ++round) {
    TRY_ASSIGN(const WorkerRun run, run_query(query, *history, options.workers, nullptr, report));
    if (round == 0) continue;  // the first one warms up
    rates.push_back(static_cast<double>(history->events()) / run.seconds);
  }
  report.add("nexmark", options.only, "events_per_s", median(rates), "1/s");
  return {};
}

}  // namespace millrace::bench
