// nexmark: what one worker makes of a second: its whole path, from the journal's frames to rows that would be written,
// into a sink that counts and hashes them.
#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "bench/bench.h"
#include "bench/loadgen.h"
#include "bench/nexmark_events.h"
#include "bench/nexmark_queries.h"
#include "bench/server_process.h"
#include "engine/serving.h"
#include "fmt/format.h"
#include "log/journal.h"
#include "log/record_batch.h"
#include "sql/catalog.h"
#include "stream-processor/frame_reports.h"
#include "stream-processor/query_task.h"

namespace millrace::bench {
namespace {

using metadata::Definition;
using metadata::DefinitionKind;

constexpr int64_t kEventsPerFrame = 1000;
constexpr uint64_t kSeed = 1;
constexpr size_t kStepBytes = 512u << 10;
constexpr sql::DefinitionId kTenantDefinition{1}, kStreamDefinition{2}, kQueryDefinition{3};

Definition definition(sql::DefinitionId id, DefinitionKind kind, std::string name, std::string_view sql) {
  Definition made;
  made.id = id;
  made.kind = kind;
  made.tenant = sql::tenant_of(kTenantDefinition);
  made.name = std::move(name);
  made.sql = sql;
  return made;
}

Result<sql::CatalogPtr> catalog_with(const NexmarkQuery& query) {
  const bool view = query.sql.starts_with("CREATE MATERIALIZED VIEW");
  return sql::Catalog::load(
      {definition(kTenantDefinition, DefinitionKind::kTenant, "default", ""),
       definition(kStreamDefinition, DefinitionKind::kStream, "nexmark", kNexmarkStream),
       definition(kQueryDefinition, view ? DefinitionKind::kView : DefinitionKind::kDerivedStream, "out",
                  query.sql)});
}

Status write_events(log::Journal& journal, int64_t count) {
  NexmarkEvents events(kSeed);
  log::RecordBatchBuilder builder;
  const StreamId stream = sql::stream_of(kStreamDefinition);
  std::string event;
  for (int64_t i = 0; i < count;) {
    for (int64_t n = 0; n < kEventsPerFrame && i < count; ++n, ++i) {
      event.clear();
      events.append(event);
      builder.add(std::nullopt, event, kNexmarkStartMs);
    }
    log::Group group;
    group.batches.push_back({{stream, PartitionId{0}}, builder.finish()});
    TRY_ASSIGN(const auto appended, journal.append(std::move(group), log::Priority::kIngest));
    while (journal.durable_cut() < appended.cut) {
      journal.flush();
      journal.poll();
      if (journal.failed()) return *journal.failed();
    }
  }
  return {};
}

// What came out: the same for the same events, however often and wherever it runs.
struct Sink {
  uint64_t rows = 0;
  uint64_t hash = 0;
  std::FILE* file = nullptr;  // or: the final rows themselves, too
  void count(std::string_view row) {
    ++rows;
    hash += stable_hash(row);  // of rows in any order
  }
  void take(std::string_view row) {
    count(row);
    if (file != nullptr) fmt::print(file, "{}\n", row);
  }
};

Status drain(processor::TaskOutput& out, Sink& sink) {
  for (auto& part : out.parts) {
    const std::string batch = std::move(part.records).finish();
    TRY_ASSIGN(const auto view, log::RecordBatchView::parse(batch, false));
    log::RecordBatchView::Cursor cursor(view);
    for (log::Record record; cursor.next(record);) sink.take(record.value);
  }
  if (out.closed) {
    TRY_ASSIGN(const auto rows, processor::render(*out.closed));
    for (size_t i = 0; i < rows.size(); ++i) sink.take(rows.row(i));
  }
  for (size_t i = 0; i < out.changes.size(); ++i) sink.count(out.changes.row(i));
  return {};
}

// A view that is up to date at once: its rows, in the end.
Status drain_view(processor::QueryTask& task, Sink& sink) {
  TRY_ASSIGN(const Batch rows, engine::view_rows({task.plan_ptr(), task.position(), {task.freeze()}}));
  processor::JsonRows text;
  processor::append_rows(task.plan(), rows, "", text);
  for (size_t i = 0; i < text.size(); ++i) sink.take(text.row(i));
  return {};
}

Status run(log::Journal& journal, const sql::Catalog& catalog, Sink& sink) {
  const engine::PlanPtr plan = catalog.find(kQueryDefinition)->query;
  const processor::Placement alone{0, 1};
  processor::QueryTask task(plan, catalog.dead_letters(plan->tenant), alone, state::StateStore::make({}),
                            Cut(0));
  processor::StreamRows rows(plan->source, plan->read_columns, alone.worker, alone.workers);
  task.use_columns(plan->read_columns);
  task.watch(true);
  while (task.position() < journal.end_cut()) {
    TRY_ASSIGN(const auto frames, journal.read_frames(task.position(), journal.end_cut(), kStepBytes));
    if (frames.empty()) break;
    rows.decode(frames);
    processor::TaskOutput out;
    TRY(task.step(frames, processor::FrameReports(frames), frames.back()->cut, rows, out));
    TRY(drain(out, sink));
  }
  const bool at_once = plan->shape != engine::QueryPlan::Shape::kStream && !plan->emit_on_close;
  if (at_once) TRY(drain_view(task, sink));
  return {};
}

// The same events for every query: written once a process.
class History {
 public:
  static Result<History*> get(const BenchOptions& options) {
    static std::unique_ptr<History> made;
    if (!made) {
      TRY_ASSIGN(Scratch scratch, Scratch::make(options.directory, "nexmark"));
      auto history = std::unique_ptr<History>(new History(std::move(scratch)));
      log::Journal::Options journal_options;
      journal_options.directory = history->scratch_.path() + "/journal";
      TRY_ASSIGN(history->journal_, log::Journal::open(*history->files_, history->clock_, journal_options));
      TRY(write_events(*history->journal_, options.events));
      made = std::move(history);
    }
    return made.get();
  }
  log::Journal& journal() { return *journal_; }

 private:
  explicit History(Scratch scratch) : scratch_(std::move(scratch)) {}

  const Scratch scratch_;
  const std::unique_ptr<Files> files_ = make_system_files();
  const SystemClock clock_;
  std::unique_ptr<log::Journal> journal_;
};

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
  TRY_ASSIGN(const auto catalog, catalog_with(*query));
  TRY_ASSIGN(History* const history, History::get(options));
  std::vector<double> rates;
  for (int round = 0; round <= options.rounds; ++round) {
    Sink sink;
    if (round == 0 && !options.rows.empty()) {
      sink.file = std::fopen(options.rows.c_str(), "w");
      if (sink.file == nullptr) return cannot_write(options.rows);
    }
    const int64_t start = monotonic_ns();
    TRY(run(history->journal(), *catalog, sink));
    const double rate =
        static_cast<double>(options.events) * 1e9 / static_cast<double>(monotonic_ns() - start);
    report.say(
        fmt::format("  {}: {:.0f} events/s, {} rows, hash {:016x}", query->what, rate, sink.rows, sink.hash));
    if (round > 0) rates.push_back(rate);  // the first one warms up
    if (sink.file != nullptr && std::fclose(sink.file) != 0) {
      return cannot_write(options.rows);
    }
  }
  report.add("nexmark", options.only, "events_per_s", median(rates), "1/s");
  return {};
}

}  // namespace millrace::bench
