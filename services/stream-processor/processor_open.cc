// Opening a processor: layouts, snapshots, recovery, a change of the number of workers, threads.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "stream-processor/processor.h"
#include "stream-processor/query_start.h"

namespace millrace::processor {
namespace {

constexpr const char* kUnreadableStep = "MR-STEP-0001";

Error no_room() {
  return error(Code::kExhausted, "MR-STEP-0031",
               "the number of workers cannot change: the disk is too full for the steps that come first",
               "free some space, or start with the number of workers it had");
}

Error has_failed(const std::string& query, const Error& why) {
  return error(Code::kUnavailable, "MR-STEP-0032",
               fmt::format("the number of workers cannot change while {} has failed: {}", query, why.message),
               "start with the number of workers it had, and DROP the query");
}

}  // namespace

Processor::Processor(Files& files, engine::Background& background, log::Journal& journal,
                     sql::Definitions& definitions, Options options)
    : files_(files),
      background_(background),
      journal_(journal),
      definitions_(definitions),
      options_(std::move(options)),
      known_(definitions.catalog()) {}

Processor::~Processor() {
  stop_threads();
  alive_.reset();
}

Result<std::unique_ptr<Processor>> Processor::open(Files& files, engine::Background& background,
                                                   log::Journal& journal, sql::Definitions& definitions,
                                                   Options options,
                                                   std::function<void(uint64_t, uint64_t)> progress) {
  if (options.workers == 0 || options.workers > 64) {
    return error(Code::kInvalid, "MR-STEP-0030", fmt::format("{} workers", options.workers), "use 1 to 64");
  }
  std::unique_ptr<Processor> processor(
      new Processor(files, background, journal, definitions, std::move(options)));
  TRY(processor->recover(progress));
  return processor;
}

Status Processor::recover(const std::function<void(uint64_t, uint64_t)>& progress) {
  TRY(read_layouts());
  const uint32_t workers = layouts_.back().workers;
  std::vector<Recovering> queries;
  for (const auto* entry : known_->all()) {
    if (!entry->query) continue;
    queries.push_back({entry, {}});
    tasks_[entry->query->id.value] = make_task(entry->query, workers);
    TRY(load_tasks(queries.back(), workers));
  }
  TRY_ASSIGN(const auto steps, steps_of(queries, workers));
  make_workers(workers, options_.inline_workers || workers != options_.workers);
  for (size_t q = 0; q < queries.size(); ++q) {
    if (progress) progress(q, queries.size());
    TRY(replay_tasks(queries[q], steps));
    auto& task = tasks_[queries[q].entry->query->id.value];
    for (uint32_t w = 0; w < queries[q].tasks.size(); ++w) {
      task.position[w] = queries[q].tasks[w]->position();
      tell(w, AddTask{std::move(queries[q].tasks[w])});
    }
  }
  if (workers != options_.workers) TRY(change_layout(options_.workers));
  pauses_changed();  // a change of the number of workers has taken them to its cut, as all others
  opened_at_ = journal_.end_cut();
  sweep_snapshots();
  start_threads();
  return {};
}

Status Processor::read_layouts() {
  TRY_ASSIGN(const auto saved, definitions_.store().get(kLayoutsSetting));
  if (saved) {
    TRY_ASSIGN(layouts_, decode_layouts(*saved));
    while (!layouts_.empty() && layouts_.back().from > journal_.end_cut()) layouts_.pop_back();
  }
  if (!layouts_.empty()) return {};
  layouts_.push_back({Cut(0), options_.workers});
  return definitions_.store().put(kLayoutsSetting, encode(layouts_));
}

// What concerns one query alone stops that query; what says that the log does not give what it gave stops the
// start.
Status Processor::detach(Recovering& query, Error why) {
  const bool own = why.code == Code::kGone || why.code == Code::kExhausted || why.code == Code::kCorrupt;
  if (!own || why.id == kOtherOutputs || why.id == kUnreadableStep) return why;
  if (why.code == Code::kGone) why = history_is_gone(query.entry->definition.name);
  auto& task = tasks_[query.entry->query->id.value];
  for (uint32_t w = 0; w < query.tasks.size(); ++w) task.position[w] = query.tasks[w]->position();
  task.failed = std::move(why);
  task.stopped.assign(task.stopped.size(), 1);
  ++counters_.failed_queries;
  query.tasks.clear();
  return {};
}

Status Processor::load_tasks(Recovering& query, uint32_t workers) {
  auto& task = tasks_[query.entry->query->id.value];
  for (uint32_t w = 0; w < workers; ++w) {
    auto loaded = load_task(*task.snapshots[w], *query.entry,
                            known_->dead_letters(query.entry->query->tenant), {w, workers});
    if (!loaded.ok()) return detach(query, std::move(loaded).error());
    task.start = loaded->start;
    task.oldest_kept[w] = loaded->oldest_kept;
    query.tasks.push_back(std::move(loaded->task));
  }
  return {};
}

Result<Processor::Loaded> Processor::load_task(state::Snapshots& snapshots, const sql::Catalog::Entry& entry,
                                               engine::StreamPtr dead_letters, Placement placement) const {
  auto snapshot = snapshots.load(journal_.end_cut(), store_options());
  if (snapshot.ok()) {
    TRY_ASSIGN(auto made,
               QueryTask::load(entry.query, std::move(dead_letters), placement, std::move(snapshot->store)));
    const auto kept = snapshots.list();
    const Cut at = made->position();
    return Loaded{std::move(made), at, kept.empty() ? at : kept.front()};
  }
  if (snapshot.error().code != Code::kNotFound) return std::move(snapshot).error();
  const Cut made_at = entry.definition.activated_at.value_or(Cut(0));
  if (made_at <= layouts_.back().from && layouts_.size() > 1) {
    return error(Code::kCorrupt, "MR-STEP-0007",
                 fmt::format("the snapshots of {} for worker {} of {} are missing", entry.query->name,
                             placement.worker, placement.workers),
                 "restore the data directory's snapshots folder from a copy");
  }
  TRY_ASSIGN(const Cut start, query_start(journal_, entry));
  auto made = first_task(entry, std::move(dead_letters), placement, start);
  made->note_end(made_at);
  return Loaded{std::move(made), start, start};
}

std::unique_ptr<QueryTask> Processor::first_task(const sql::Catalog::Entry& entry,
                                                 engine::StreamPtr dead_letters, Placement placement,
                                                 Cut start) const {
  auto task =
      std::make_unique<QueryTask>(entry.query, std::move(dead_letters), placement, make_store(), start);
  if (start.value > 0 && entry.query->start == engine::QueryPlan::Start::kOldest) task->begin_shortened();
  return task;
}

Cut Processor::Recovering::steps_after() const {
  Cut oldest(UINT64_MAX);
  for (const auto& task : tasks) oldest = std::min(oldest, task->steps_after());
  return oldest;
}

// Read from where one task's steps begin to where the next one's do: damage, or frames that are gone, concern
// those whose steps may stand there.
Result<RecordedSteps> Processor::steps_of(std::vector<Recovering>& queries, uint32_t workers) {
  std::set<Cut> stops{journal_.end_cut()};
  for (const auto& query : queries) {
    for (const auto& task : query.tasks) stops.insert(task->steps_after());
  }
  RecordedSteps steps;
  for (auto from = stops.begin(); std::next(from) != stops.end(); ++from) {
    const Cut to = *std::next(from);
    auto some = read_recorded_steps(journal_, *from, to, workers);
    if (some.ok()) {
      for (auto& [key, more] : *some) {
        for (auto& step : more) add_step(steps[key], std::move(step));
      }
      continue;
    }
    for (auto& query : queries) {
      if (query.steps_after() < to) TRY(detach(query, some.error()));
    }
  }
  return steps;
}

Status Processor::replay_tasks(Recovering& query, const RecordedSteps& steps) {
  for (uint32_t w = 0; w < query.tasks.size(); ++w) {
    auto recorded = steps.find({query.entry->query->id.value, w});
    if (recorded == steps.end()) continue;
    const Placement placement{w, static_cast<uint32_t>(query.tasks.size())};
    auto replayed = replay(journal_, *query.tasks[w], placement, recorded->second, query.tasks[w]->position(),
                           options_.max_step_bytes);
    if (!replayed.ok()) return detach(query, replayed.error());
    if (replayed->differences.empty()) {
      owe(w, *replayed);
      continue;
    }
    return other_outputs(replayed->differences.front());
  }
  return {};
}

// What a crash has left unwritten goes ahead of all that the worker is going to give.
void Processor::owe(uint32_t worker, Replayed& replayed) {
  for (auto& slice : replayed.owed_slices) {
    replayed.owed.entries = {std::move(slice.entry)};
    StepDone done;
    done.group.batches = std::move(slice.batches);
    done.group.controls.push_back({log::ControlKind::kStep, encode(replayed.owed)});
    incoming_.push_back({worker, std::move(done)});
  }
}

// The old layout runs to the end of the log, then its state is split at that cut, written, and only then the
// new layout is made known: a crash before that starts here again.
Status Processor::change_layout(uint32_t workers) {
  std::vector<std::string> old_directories;
  for (const auto& [query, task] : tasks_) {
    for (uint32_t w = 0; w < task.snapshots.size(); ++w)
      old_directories.push_back(snapshot_directory(QueryId(query), w));
  }
  TRY(run_to_end());
  std::map<uint32_t, std::vector<std::unique_ptr<QueryTask>>> old_tasks;
  for (auto& worker : workers_) {
    for (auto& task : worker->take_tasks()) old_tasks[task->plan().id.value].push_back(std::move(task));
  }
  // What the old workers still had to say is about state that ends here.
  alive_ = std::make_shared<bool>(true);
  snapshots_.clear();
  outputs_.clear();
  log::Group group;
  const Cut from = journal_.end_cut();
  layouts_.push_back({from, workers});
  group.controls.push_back({log::ControlKind::kLayout, encode(layouts_)});
  TRY_ASSIGN(const auto appended, journal_.append(std::move(group), log::Priority::kStep));
  TRY(wait_until_durable(appended.cut));
  std::map<uint32_t, std::vector<std::unique_ptr<QueryTask>>> new_tasks;
  for (auto& [query, tasks] : old_tasks) {
    const auto plan = tasks.front()->plan_ptr();
    const Cut start = tasks_[query].start;
    TRY_ASSIGN(new_tasks[query],
               QueryTask::relayout(std::move(tasks), workers, [this] { return make_store(); }));
    auto& task = tasks_[query] = make_task(plan, workers);
    task.start = start;
    for (uint32_t w = 0; w < workers; ++w) {
      TRY_ASSIGN(const auto written, task.snapshots[w]->write(from, *new_tasks[query][w]->freeze()));
      task.oldest_kept[w] = task.position[w] = written.cut;
    }
  }
  TRY(definitions_.store().put(kLayoutsSetting, encode(layouts_)));
  for (const auto& directory : old_directories) forget_snapshots(directory);
  make_workers(workers, options_.inline_workers);
  for (auto& [query, tasks] : new_tasks) {
    for (uint32_t w = 0; w < workers; ++w) tell(w, AddTask{std::move(tasks[w])});
  }
  return {};
}

// What the journal cannot take, or not write, now: at a start and at an end nobody could wait for space.
bool Processor::is_stuck() const {
  const bool waits = !incoming_.empty() || journal_.durable_cut() < journal_.end_cut();
  return waits && !journal_.write_in_flight() && journal_.disk_low();
}

Status Processor::run_to_end() {
  do {
    run_inline();
    journal_.flush();
    journal_.poll();
    on_durable(journal_.durable_cut());
    if (journal_.failed()) return *journal_.failed();
    if (is_stuck()) return no_room();
  } while (!at_end() || journal_.durable_cut() < journal_.end_cut());
  for (const auto& [id, task] : tasks_) {
    if (task.failed) return has_failed(task.plan->name, *task.failed);
  }
  return {};
}

Status Processor::wait_until_durable(Cut cut) {
  while (journal_.durable_cut() < cut) {
    journal_.flush();
    journal_.poll();
    if (journal_.failed()) return *journal_.failed();
    if (is_stuck()) return no_room();
  }
  return {};
}

void Processor::make_workers(uint32_t workers, bool inlined) {
  workers_.clear();
  Worker::Options options;
  // Outputs are mostly in one frame: room for them to be several times as large as what they come from.
  options.max_step_bytes = std::min(options_.max_step_bytes, options_.max_frame_bytes / 8);
  options.max_part_bytes = options_.max_frame_bytes / 4 * 3;
  options.max_group_bytes = std::min(options_.max_slice_bytes, options_.max_frame_bytes / 4);
  options.snapshot_after_bytes = options_.snapshot_after_bytes;
  options.snapshot_after_us = options_.snapshot_after_us;
  options.clock = options_.clock;
  for (uint32_t w = 0; w < workers; ++w) {
    options.placement = {w, workers};
    workers_.push_back(std::make_unique<Worker>(journal_, options, outbox_));
  }
  inline_count_ = inlined ? workers : 1;
  timers_.assign(workers, INT64_MAX);
  live_.assign(workers, Cut(0));
}

void Processor::start_threads() {
  for (uint32_t w = inline_count_; w < workers_.size(); ++w) {
    threads_.emplace_back([this, worker = workers_[w].get()] {
      while (!stop_.load(std::memory_order_acquire)) {
        const uint32_t seen = signal_.load(std::memory_order_acquire);
        if (worker->turn()) continue;
        signal_.wait(seen, std::memory_order_acquire);
      }
    });
  }
}

void Processor::stop_threads() {
  stop_.store(true, std::memory_order_release);
  signal_.fetch_add(1, std::memory_order_release);
  signal_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

Status Processor::drain() {
  stop_threads();
  bool more = true;
  while (more || journal_.durable_cut() < journal_.end_cut()) {
    more = false;
    for (auto& worker : workers_) more |= !worker->flush_held();
    take_messages();
    more |= !incoming_.empty();
    journal_.flush();
    journal_.poll();
    if (journal_.failed()) return *journal_.failed();
    if (is_stuck()) return no_room();
  }
  return {};
}

Status Processor::snapshot_all() {
  for (uint32_t w = 0; w < workers_.size(); ++w) {
    workers_[w]->forget_failed();
    for (auto& task : workers_[w]->take_tasks()) {
      auto found = tasks_.find(task->plan().id.value);
      if (found == tasks_.end() || found->second.failed || task->position() > journal_.durable_cut())
        continue;
      task->note_end(journal_.end_cut());
      TRY(found->second.snapshots[w]->write(task->position(), *task->freeze()));
    }
  }
  return {};
}

Processor::Task Processor::make_task(const engine::PlanPtr& plan, uint32_t workers) {
  Task task;
  task.plan = plan;
  task.oldest_kept.resize(workers);
  task.position.resize(workers);
  task.live.resize(workers);
  task.state_bytes.resize(workers);
  task.watermark_us.resize(workers, INT64_MIN);
  task.stopped.resize(workers);
  for (uint32_t w = 0; w < workers; ++w) {
    task.snapshots.push_back(state::Snapshots::make(files_, snapshot_directory(plan->id, w)));
  }
  return task;
}

std::string Processor::snapshot_directory(QueryId query, uint32_t worker) const {
  return fmt::format("{}/layout-{}/query-{}-worker-{}", options_.directory, layouts_.back().from.value,
                     query.value, worker);
}

// Folders of queries that are gone, and of former numbers of workers, that a crash left behind.
void Processor::sweep_snapshots() {
  std::set<std::string> used;
  for (const auto& [query, task] : tasks_) {
    for (uint32_t w = 0; w < task.snapshots.size(); ++w) used.insert(snapshot_directory(QueryId(query), w));
  }
  const auto layouts = files_.list(options_.directory);
  if (!layouts.ok()) return;  // there is none yet
  for (const auto& layout : *layouts) {
    const std::string folder = options_.directory + "/" + layout;
    const auto queries = files_.list(folder);
    if (!queries.ok()) continue;
    for (const auto& query : *queries) {
      if (!used.contains(folder + "/" + query)) forget_snapshots(folder + "/" + query);
    }
  }
}

state::StateStore::Options Processor::store_options() const {
  state::StateStore::Options options;
  options.max_bytes = options_.state_bytes;
  options.spill = options_.spill;
  return options;
}

std::unique_ptr<state::StateStore> Processor::make_store() const {
  return state::StateStore::make(store_options());
}

}  // namespace millrace::processor
