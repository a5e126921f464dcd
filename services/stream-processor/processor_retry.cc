// RESUME of a query that has failed: the tasks that stopped are loaded and taken through their recorded steps as a start
// would do it, off the core loop, and go on.
#include <algorithm>

#include "stream-processor/processor.h"
#include "stream-processor/query_start.h"

namespace millrace::processor {

struct Processor::Retry {
  struct Stopped {
    uint32_t worker = 0;
    std::shared_ptr<state::Snapshots> snapshots;
    Loaded loaded;
    Replayed replayed;
  };
  sql::CatalogPtr catalog;  // what the entry is of
  const sql::Catalog::Entry* entry = nullptr;
  uint32_t workers = 1;
  std::vector<Stopped> stopped;
  Status status;
};

void Processor::retry(QueryId query, std::function<void(Status)> done) {
  if (known_ != definitions_.catalog()) definitions_changed();
  const auto found = tasks_.find(query.value);
  const auto* entry = known_->find(sql::DefinitionId(query.value));
  if (found == tasks_.end() || entry == nullptr || !found->second.failed) return done({});
  if (found->second.retrying) {
    return done(error(Code::kExhausted, "MR-STEP-0028", "the query is being tried again already",
                      "SHOW QUERIES says how it went"));
  }
  Task& task = found->second;
  auto retry = std::make_shared<Retry>();
  retry->catalog = known_;
  retry->entry = entry;
  retry->workers = static_cast<uint32_t>(workers_.size());
  for (uint32_t w = 0; w < retry->workers; ++w) {
    if (task.stopped[w] != 0) retry->stopped.push_back({w, task.snapshots[w], {}, {}});
  }
  const auto ended = [this, alive = std::weak_ptr<bool>(alive_), retry, done] {
    if (!alive.expired()) done(retried(*retry));
  };
  // What the tasks wrote stands in the journal: it was appended before their failure was told. What a start owes may
  // wait still.
  task.retrying =
      incoming_.empty() && background_.run(
                               engine::Lane::kUpkeep, [this, retry] { retry->status = load(*retry); }, ended);
  if (task.retrying) return;
  done(error(Code::kExhausted, "MR-STEP-0028", "too much work waits for the query to be tried again now",
             "try again in a moment"));
}

Status Processor::load(Retry& retry) const {
  const auto dead_letters = retry.catalog->dead_letters(retry.entry->query->tenant);
  for (auto& stopped : retry.stopped) {
    const Placement placement{stopped.worker, retry.workers};
    TRY_ASSIGN(stopped.loaded, load_task(*stopped.snapshots, *retry.entry, dead_letters, placement));
    QueryTask& task = *stopped.loaded.task;
    TRY_ASSIGN(const auto steps,
               read_recorded_steps(journal_, task.steps_after(), journal_.end_cut(), retry.workers));
    const auto mine = steps.find({retry.entry->query->id.value, stopped.worker});
    if (mine == steps.end()) continue;
    TRY_ASSIGN(stopped.replayed,
               replay(journal_, task, placement, mine->second, task.position(), options_.max_step_bytes));
    if (!stopped.replayed.differences.empty()) return other_outputs(stopped.replayed.differences.front());
  }
  return {};
}

Status Processor::retried(Retry& retry) {
  const QueryId query = retry.entry->query->id;
  const auto found = tasks_.find(query.value);
  if (found == tasks_.end()) return error(Code::kGone, "MR-STEP-0020", "the view was dropped");
  Task& task = found->second;
  task.retrying = false;
  if (!retry.status.ok()) {
    task.failed = retry.status.error();
    if (task.failed->code == Code::kGone) task.failed = history_is_gone(retry.entry->definition.name);
    return *task.failed;
  }
  for (auto& stopped : retry.stopped) {
    const uint32_t w = stopped.worker;
    stopped.loaded.task->use_plan(task.plan);  // it may have been replaced meanwhile
    task.stopped[w] = task.live[w] = 0;
    task.position[w] = stopped.loaded.task->position();
    task.oldest_kept[w] = stopped.loaded.oldest_kept;
    owe(w, stopped.replayed);
    tell(w, RemoveTask{query});
    tell(w, AddTask{std::move(stopped.loaded.task)});
    if (task.paused) tell(w, StopAt{query, *task.paused});
  }
  wake_workers();
  // One that stopped meanwhile was not loaded: the query has still failed, and may be resumed again.
  if (std::ranges::any_of(task.stopped, [](auto stopped) { return stopped != 0; })) return *task.failed;
  task.failed.reset();
  return {};
}

}  // namespace millrace::processor
