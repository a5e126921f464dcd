#include "bench/worker_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <set>

#include "base/hash.h"
#include "bench/loadgen.h"
#include "engine/serving.h"
#include "log/record_batch.h"
#include "sql/catalog.h"
#include "stream-processor/frame_reports.h"
#include "stream-processor/query_task.h"

namespace millrace::bench {
namespace {

using metadata::Definition;
using metadata::DefinitionKind;

constexpr int64_t kEventsPerFrame = 1000;
constexpr size_t kStepBytes = 512u << 10;  // as a node's
constexpr int64_t kAppendTimeMs = 1'436'918'400'000;
constexpr sql::DefinitionId kTenantDefinition{1}, kStreamDefinition{2};
constexpr uint32_t kFirstQuery = 3;

sql::DefinitionId query_id(size_t i) {
  return sql::DefinitionId{kFirstQuery + static_cast<uint32_t>(i)};
}

Definition definition(sql::DefinitionId id, DefinitionKind kind, std::string name, std::string_view sql) {
  Definition made;
  made.id = id;
  made.kind = kind;
  made.tenant = sql::tenant_of(kTenantDefinition);
  made.name = std::move(name);
  made.sql = sql;
  return made;
}

// The third word of CREATE STREAM name, the fourth of CREATE MATERIALIZED VIEW name.
std::string name_in(std::string_view sql, bool view) {
  for (int skipped = view ? 3 : 2; skipped > 0; --skipped) sql.remove_prefix(sql.find(' ') + 1);
  return std::string(sql.substr(0, sql.find_first_of(" (")));
}

Result<sql::CatalogPtr> catalog_of(std::string_view stream, const std::vector<std::string>& queries) {
  std::vector<Definition> all{
      definition(kTenantDefinition, DefinitionKind::kTenant, "default", ""),
      definition(kStreamDefinition, DefinitionKind::kStream, name_in(stream, false), stream)};
  for (size_t i = 0; i < queries.size(); ++i) {
    const bool view = queries[i].starts_with("CREATE MATERIALIZED VIEW");
    all.push_back(definition(query_id(i), view ? DefinitionKind::kView : DefinitionKind::kDerivedStream,
                             name_in(queries[i], view), queries[i]));
  }
  return sql::Catalog::load(std::move(all));
}

Status drain(const engine::QueryPlan& plan, processor::TaskOutput& out, Sink& sink) {
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
  for (size_t i = 0; i < out.changes.size(); ++i) {
    const std::string_view row = out.changes.row(i);
    plan.emit_on_close ? sink.take(row) : sink.count(row);
  }
  return {};
}

// A view's rows as they are in the end; of one that emits on close those that it has not emitted.
Status drain_view(processor::QueryTask& task, Sink& sink) {
  if (task.plan().shape == engine::QueryPlan::Shape::kStream) return {};
  if (task.plan().emit_on_close) {
    processor::TaskOutput rest;
    rest.closed = processor::ClosedWindows{task.plan_ptr(), task.freeze(), task.closed(), INT64_MAX};
    return drain(task.plan(), rest, sink);
  }
  TRY_ASSIGN(const Batch rows, engine::view_rows({task.plan_ptr(), task.position(), {task.freeze()}}));
  processor::JsonRows text;
  processor::append_rows(task.plan(), rows, "", text);
  for (size_t i = 0; i < text.size(); ++i) sink.take(text.row(i));
  return {};
}

std::vector<std::unique_ptr<processor::QueryTask>> tasks_of(const sql::Catalog& catalog, size_t queries,
                                                            const std::shared_ptr<state::SpillSpace>& spill,
                                                            std::vector<int>& columns) {
  std::vector<std::unique_ptr<processor::QueryTask>> tasks;
  std::set<int> read;
  for (size_t i = 0; i < queries; ++i) {
    const engine::PlanPtr plan = catalog.find(query_id(i))->query;
    read.insert(plan->read_columns.begin(), plan->read_columns.end());
    state::StateStore::Options options;
    options.spill = spill;
    tasks.push_back(std::make_unique<processor::QueryTask>(plan, catalog.dead_letters(plan->tenant),
                                                           processor::Placement{0, 1},
                                                           state::StateStore::make(options), Cut(0)));
  }
  columns.assign(read.begin(), read.end());
  for (auto& task : tasks) {
    task->use_columns(columns);
    task->watch(true);
  }
  return tasks;
}

}  // namespace

Result<std::unique_ptr<History>> History::make(const std::string& directory, const std::string& name,
                                               int64_t events,
                                               const std::function<void(std::string&)>& append) {
  TRY_ASSIGN(Scratch scratch, Scratch::make(directory, name));
  std::unique_ptr<History> made(new History(std::move(scratch), events));
  log::Journal::Options options;
  options.directory = made->scratch_.path() + "/journal";
  TRY_ASSIGN(made->journal_, log::Journal::open(*made->files_, made->clock_, options));
  TRY(made->write(append));
  return made;
}

Status History::write(const std::function<void(std::string&)>& append) {
  log::RecordBatchBuilder builder;
  const StreamId stream = sql::stream_of(kStreamDefinition);
  std::string event;
  for (int64_t i = 0; i < events_;) {
    for (int64_t n = 0; n < kEventsPerFrame && i < events_; ++n, ++i) {
      event.clear();
      append(event);
      builder.add(std::nullopt, event, kAppendTimeMs);
    }
    log::Group group;
    group.batches.push_back({{stream, PartitionId{0}}, builder.finish()});
    TRY_ASSIGN(const auto appended, journal_->append(std::move(group), log::Priority::kIngest));
    while (journal_->durable_cut() < appended.cut) {
      journal_->flush();
      journal_->poll();
      if (journal_->failed()) return *journal_->failed();
    }
  }
  return {};
}

std::shared_ptr<state::SpillSpace> History::spill_space(size_t memory_bytes) {
  return std::make_shared<state::SpillSpace>(*files_,
                                             state::SpillSpace::Options{scratch_.path(), memory_bytes, 0});
}

void Sink::count(std::string_view row) {
  ++rows;
  hash += stable_hash(row);
}
void Sink::take(std::string_view row) {
  count(row);
  if (file != nullptr) fmt::print(file, "{}\n", row);
}

Result<WorkerRun> run_worker(History& history, std::string_view stream,
                             const std::vector<std::string>& queries, Sink& sink,
                             const std::shared_ptr<state::SpillSpace>& spill) {
  TRY_ASSIGN(const auto catalog, catalog_of(stream, queries));
  std::vector<int> columns;
  const auto tasks = tasks_of(*catalog, queries.size(), spill, columns);
  processor::StreamRows rows(tasks.front()->plan().source, columns, 0, 1);
  const int64_t start = monotonic_ns();
  log::Journal& journal = history.journal();
  for (Cut at(0); at < journal.end_cut();) {
    TRY_ASSIGN(const auto frames, journal.read_frames(at, journal.end_cut(), kStepBytes));
    if (frames.empty()) break;
    at = frames.back()->cut;
    rows.decode(frames);
    const processor::FrameReports heard(frames);
    for (const auto& task : tasks) {
      processor::TaskOutput out;
      TRY(task->step(frames, heard, at, rows, out));
      TRY(drain(task->plan(), out, sink));
    }
  }
  WorkerRun run;
  run.steps_seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
  run.resident_mb = resident_mb(::getpid());
  if (spill) run.spill = spill->counters();
  for (const auto& task : tasks) TRY(drain_view(*task, sink));
  run.seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
  for (const auto& task : tasks) run.state_bytes += task->store().bytes();
  return run;
}

}  // namespace millrace::bench
