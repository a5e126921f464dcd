#include "stream-processor/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::processor {
namespace {

// How many tasks a shared step looks at for what is due without a step of theirs: all come round in turn.
constexpr int kLooks = 8;
// Further behind the end than this, frames are history.
constexpr uint64_t kHistoryFrames = 1024;

Error too_much(size_t most) {
  return error(Code::kExhausted, "MR-STEP-0008",
               fmt::format("the outputs of one request have more than {} bytes", most),
               "send smaller requests; select fewer or shorter columns, or DROP the query and create it anew "
               "behind the request that is so large: start = a time");
}

Error too_long(size_t most) {
  return error(
      Code::kExhausted, "MR-STEP-0008", fmt::format("one row makes an output of more than {} bytes", most),
      "select fewer or shorter columns, or DROP the query and create it anew behind the event that is "
      "so large: start = a time");
}

}  // namespace

Worker::Worker(log::Journal& journal, Options options, Mailbox<FromWorker>& outbox)
    : journal_(journal), options_(options), outbox_(outbox), own_batches_(options.placement) {}

bool Worker::turn() {
  const Cut end = journal_.end_cut();  // before the inbox: see Order
  std::vector<ToWorker> messages;
  inbox_.take_all(messages);
  for (auto& message : messages) handle(std::move(message));
  if (!flush_held()) return false;

  bool worked = !messages.empty();
  join();
  // What is caught up goes first; history then gets a share, so neither starves the other.
  const bool far = end.value - live_.value > kHistoryFrames;  // a worker's only query is live from its start
  const size_t bound = far ? options_.history_in_flight_bytes : options_.max_in_flight_bytes;
  if (live_count_ > 0 && live_ < end && may_step(bound)) worked |= step_live(end);
  if (!apart_.empty() && held_.empty() && may_step(options_.history_in_flight_bytes)) worked |= step_behind();
  if (progress_due_) send_progress();
  return worked;
}

// Says that it waits before it looks again: what is written in between is then told.
bool Worker::may_step(size_t bound) {
  if (in_flight_.load() < bound) return true;
  waits_.store(true);
  return in_flight_.load() < bound;
}

void Worker::handle(ToWorker message) {
  if (auto* added = std::get_if<AddTask>(&message)) {
    add(std::move(*added));
  } else if (auto* removed = std::get_if<RemoveTask>(&message)) {
    remove(removed->query);
  } else if (auto* request = std::get_if<Freeze>(&message)) {
    freeze(*request);
  } else if (auto* gone = std::get_if<Unwatch>(&message)) {
    unwatch(*gone);
  } else if (auto* stop = std::get_if<StopAt>(&message)) {
    stop_at(*stop);
  } else if (auto* plan = std::get_if<UsePlan>(&message)) {
    use_plan(*plan);
  } else if (auto* written = std::get_if<SnapshotWritten>(&message)) {
    auto found = tasks_.find(written->query.value);
    if (found != tasks_.end()) found->second.snapshotting = false;
  }
}

void Worker::add(AddTask message) {
  const auto& plan = message.task->plan();
  const uint32_t id = plan.id.value;
  own_batches_.add(plan);
  for (const auto& source : plan.sources()) readers_[source->id.value].push_back(id);
  if (plan.repartition) readers_[plan.repartition_topic->id.value].push_back(id);
  Entry& entry = tasks_[id];
  entry.task = std::move(message.task);
  entry.task->use_clock(options_.clock);
  apart_.insert(id);
  if (plan.arms.empty()) {
    rebuild_rows(plan.source);
  } else {
    entry.rows = make_rows(plan, options_.placement.worker, options_.placement.workers);
  }
  touched_.insert(id);
  progress_due_ = true;
}

void Worker::remove(QueryId query) {
  auto found = tasks_.find(query.value);
  if (found == tasks_.end()) return;
  Entry& entry = found->second;
  for (const auto& waiting : entry.freezes) {
    send({options_.placement.worker, Frozen{waiting.request,
                                            options_.placement.worker,
                                            error(Code::kGone, "MR-STEP-0020", "the view was dropped"),
                                            {},
                                            {},
                                            {}}});
  }
  leave(entry);
  const engine::PlanPtr plan = entry.task->plan_ptr();
  own_batches_.remove(*plan);
  for (const auto& source : plan->sources()) std::erase(readers_[source->id.value], query.value);
  if (plan->repartition) std::erase(readers_[plan->repartition_topic->id.value], query.value);
  tasks_.erase(found);
  touched_.erase(query.value);
  if (plan->arms.empty()) rebuild_rows(plan->source);
  progress_due_ = true;
}

void Worker::freeze(const Freeze& request) {
  auto found = tasks_.find(request.query.value);
  if (found == tasks_.end() || found->second.failed) {
    send({options_.placement.worker,
          Frozen{request.request,
                 options_.placement.worker,
                 error(Code::kUnavailable, "MR-STEP-0021", "the query is not running: SHOW QUERIES says why"),
                 {},
                 {},
                 {}}});
    return;
  }
  found->second.freezes.push_back(request);
  answer_freezes(found->second);
  if (!found->second.freezes.empty()) freezing_.insert(found->first);
}

// Whoever asked may leave before it was answered: the others' watch is not its.
void Worker::unwatch(const Unwatch& message) {
  auto found = tasks_.find(message.query.value);
  if (found == tasks_.end()) return;
  Entry& entry = found->second;
  for (auto& waiting : entry.freezes) {
    if (waiting.request == message.request) waiting.watch = false;
  }
  if (entry.watchers.erase(message.request) > 0 && entry.watchers.empty()) entry.task->watch(false);
}

void Worker::stop_at(const StopAt& message) {
  const uint32_t id = message.query.value;
  auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.failed) return;
  Entry& entry = found->second;
  const bool stood = entry.stop_at == position(entry);
  entry.stop_at = std::max(message.at, position(entry));
  if (message.at.value != UINT64_MAX) {
    stopping_.insert(id);
    return stand_still();
  }
  stopping_.erase(id);
  if (stood && !entry.live) apart_.insert(id);
}

void Worker::use_plan(const UsePlan& message) {
  const auto found = tasks_.find(message.plan->id.value);
  if (found == tasks_.end()) return;
  found->second.task->use_plan(message.plan);
  if (message.plan->arms.empty()) rebuild_rows(message.plan->source);
}

// Neither live nor apart, a task takes no step; the shared step goes on without it.
void Worker::stand_still() {
  for (auto id = stopping_.begin(); id != stopping_.end();) {
    Entry& entry = tasks_.at(*id);
    if (position(entry) != entry.stop_at) {
      ++id;
      continue;
    }
    if (entry.live) {
      entry.task->skip_to(live_);
      entry.bytes_since_snapshot = live_bytes_ - entry.bytes_since_snapshot;
    }
    answer_freezes(entry);
    touched_.insert(*id);
    progress_due_ = true;
    ++id;
    leave(entry);
  }
}

bool Worker::send(FromWorker message) {
  if (held_.empty() && outbox_.put(std::move(message))) return true;
  held_.push_back(std::move(message));  // NOLINT(bugprone-use-after-move): put() moves only when it takes
  return false;
}

bool Worker::flush_held() {
  size_t sent = 0;
  while (sent < held_.size() && outbox_.put(std::move(held_[sent]))) ++sent;
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(sent));
  return held_.empty();
}

// Those that stand where the live ones stand become live. If there are none, the furthest begin.
void Worker::join() {
  if (apart_.empty()) return;
  Cut furthest(0);
  for (const uint32_t id : apart_) furthest = std::max(furthest, tasks_.at(id).task->position());
  if (live_count_ > 0 && furthest.value > live_.value + kHistoryFrames) part();
  if (live_count_ == 0) live_ = furthest;
  for (auto id = apart_.begin(); id != apart_.end();) {
    Entry& entry = tasks_.at(*id);
    if (entry.task->position() != live_) {
      ++id;
      continue;
    }
    entry.live = true;
    entry.bytes_since_snapshot = live_bytes_ - entry.bytes_since_snapshot;
    ++live_count_;
    set_timer(entry);
    touched_.insert(*id);
    progress_due_ = true;
    id = apart_.erase(id);
  }
}

// The live ones are in history, and somebody is far ahead of them: nobody waits for history.
void Worker::part() {
  for (auto& [id, entry] : tasks_) {
    if (!entry.live) continue;
    entry.task->skip_to(live_);
    entry.live = false;
    entry.bytes_since_snapshot = live_bytes_ - entry.bytes_since_snapshot;
    timers_.erase({entry.timer, id});
    entry.timer = INT64_MAX;
    apart_.insert(id);
    touched_.insert(id);
  }
  live_count_ = 0;
  progress_due_ = true;
}

Cut Worker::next_stop(Cut from, Cut to) const {
  for (const uint32_t id : freezing_) {
    const Entry& entry = tasks_.at(id);
    if (position(entry) != from) continue;
    for (const auto& waiting : entry.freezes) {
      if (waiting.freeze && waiting.at > from) to = std::min(to, waiting.at);
    }
  }
  for (const uint32_t id : stopping_) {
    const Entry& entry = tasks_.at(id);
    if (position(entry) == from) to = std::min(to, entry.stop_at);
  }
  return to;
}

bool Worker::step_live(Cut end) {
  Cut to = next_stop(live_, end);
  for (const uint32_t id : apart_) {  // one that stands further on waits until the others are there
    const Cut at = tasks_.at(id).task->position();
    if (at > live_) to = std::min(to, at);
  }
  const auto got = journal_.read_frames(live_, to, options_.max_step_bytes, own_batches_.filter());
  if (!got.ok()) {
    for (auto& [id, entry] : tasks_) {
      if (entry.live) fail(entry, got.error());
    }
    return true;
  }
  const Frames& frames = *got;
  if (frames.empty()) return false;
  const FrameReports heard(frames);
  const auto tasks = concerned_by(frames, heard);
  for (auto* entry : tasks) entry->task->skip_to(live_);
  if (!tasks.empty()) step_tasks(tasks, {live_, to, true}, frames, heard);
  live_ = frames.back()->cut;
  for (const auto& frame : frames) live_bytes_ += frame->bytes;
  for (auto* entry : tasks) {
    if (entry->live) set_timer(*entry);
  }
  look_around(frames.back()->time);
  answer_all_freezes();
  stand_still();
  progress_due_ = true;
  return true;
}

// The live tasks to which something in the frames matters, by query.
std::vector<Worker::Entry*> Worker::concerned_by(const Frames& frames, const FrameReports& heard) {
  std::set<uint32_t> ids;
  for (const auto& frame : frames) {
    for (const auto& batch : frame->batches) {
      const auto readers = readers_.find(batch.where.stream.value);
      if (readers != readers_.end()) ids.insert(readers->second.begin(), readers->second.end());
    }
    for (const auto& control : frame->controls) {
      if (control.kind == log::ControlKind::kStart || control.kind == log::ControlKind::kLeap) {
        for (const auto& [id, entry] : tasks_) ids.insert(id);
      }
    }
  }
  for (const auto& [id, reports] : heard.by_query()) ids.insert(id);
  for (const auto& [id, events] : heard.redriven()) ids.insert(id);
  for (const auto& [stream, told] : heard.by_stream()) {
    const auto readers = readers_.find(stream);
    if (readers != readers_.end()) ids.insert(readers->second.begin(), readers->second.end());
  }
  for (const auto& [time, id] : timers_) {
    if (time > frames.back()->time.value) break;
    ids.insert(id);
  }
  std::vector<Entry*> concerned;
  for (const uint32_t id : ids) {
    const auto found = tasks_.find(id);
    if (found != tasks_.end() && found->second.live) concerned.push_back(&found->second);
  }
  return concerned;
}

// A bounded piece of history for those that lag most, up to where the next ones stand, so that they meet.
bool Worker::step_behind() {
  Cut last = live_;
  for (const uint32_t id : apart_) last = std::min(last, tasks_.at(id).task->position());
  if (last == live_) return false;
  Cut next = live_;
  std::vector<Entry*> tasks;
  for (const uint32_t id : apart_) {
    Entry& entry = tasks_.at(id);
    const Cut at = entry.task->position();
    if (at == last) {
      tasks.push_back(&entry);
    } else {
      next = std::min(next, at);
    }
  }
  const Cut to = next_stop(last, next);
  const auto got = journal_.read_frames(last, to, options_.max_step_bytes / 4, own_batches_.filter());
  if (!got.ok()) {
    for (auto* entry : tasks) fail(*entry, got.error());
    return true;
  }
  const Frames& frames = *got;
  if (frames.empty()) return false;
  step_tasks(tasks, {last, to, false}, frames, FrameReports(frames));
  uint64_t bytes = 0;
  for (const auto& frame : frames) bytes += frame->bytes;
  for (auto* entry : tasks) {
    if (entry->failed) continue;
    entry->bytes_since_snapshot += bytes;
    snapshot_if_due(*entry, entry->bytes_since_snapshot, frames.back()->time);
  }
  answer_all_freezes();
  stand_still();
  progress_due_ = true;
  return true;
}

void Worker::step_tasks(const std::vector<Entry*>& tasks, const Stretch& stretch, const Frames& frames,
                        const FrameReports& heard) {
  const Cut to = frames.back()->cut;
  std::map<SourceKey, int64_t> decoded;  // streams, and the time that it took
  StepDone done;
  StepRecord record{static_cast<uint16_t>(options_.placement.worker),
                    static_cast<uint16_t>(options_.placement.workers),
                    kEngineVersion,
                    stretch.from,
                    to,
                    {},
                    options_.max_group_bytes};
  size_t group_bytes = 0;
  const auto hand_over = [&] {
    if (!record.entries.empty()) done.group.controls.push_back({log::ControlKind::kStep, encode(record)});
    if (!record.entries.empty() || !done.changes.empty()) {
      done.oldest = frames.front()->time;
      done.live = stretch.live;
      for (const auto& change : done.changes) done.bytes += change.rows.text.size();
      in_flight_.fetch_add(done.bytes);
      send({options_.placement.worker, std::move(done)});
    }
    done = StepDone();
    record.entries.clear();
    group_bytes = 0;
  };
  for (auto* entry : tasks) {
    auto& task = *entry->task;
    StepRows& rows = decoded_rows(*entry, frames, decoded);
    TaskOutput out(options_.max_group_bytes);
    auto stepped = task.step(frames, heard, to, to < stretch.to, rows, out);
    if (entry->rows) entry->rows->release();
    if (!stepped.ok()) {
      fail(*entry, stepped.error());
      continue;
    }
    nulls_ += out.nulls;
    const bool fits = std::ranges::all_of(out.parts, [&](const TaskOutput::Part& part) {
      return part.records.bytes() <= options_.max_part_bytes;
    });
    if (out.too_much() || !fits) {
      fail(*entry, fits ? too_much(TaskOutput::kMostBytes) : too_long(options_.max_part_bytes));
      continue;
    }
    if (!out.empty()) {
      for (auto& slice : out.finish(task.plan(), task.plan_identity())) {
        if (group_bytes + slice.bytes > options_.max_group_bytes) hand_over();
        group_bytes += slice.bytes;
        done.bytes += slice.bytes;
        record.entries.push_back(std::move(slice.entry));
        std::move(slice.batches.begin(), slice.batches.end(), std::back_inserter(done.group.batches));
      }
    }
    if (!out.changes.empty() || out.closed) {
      done.changes.push_back(
          {task.plan().id, to, frames.front()->time, std::move(out.changes), std::move(out.closed)});
    }
    touched_.insert(task.plan().id.value);
  }
  hand_over();
  for (const auto& [source, ns] : decoded) rows_.at(source)->release();
}

void Worker::set_timer(Entry& entry) {
  const int64_t timer = entry.task->next_timer();
  if (timer == entry.timer) return;
  const uint32_t id = entry.task->plan().id.value;
  timers_.erase({entry.timer, id});
  entry.timer = timer;
  if (timer != INT64_MAX) timers_.insert({timer, id});
}

// A snapshot, and memory that others need.
void Worker::look_around(AppendTime now) {
  for (int looks = 0; looks < kLooks && !tasks_.empty(); ++looks) {
    auto next = tasks_.upper_bound(looked_at_);
    if (next == tasks_.end()) next = tasks_.begin();
    looked_at_ = next->first;
    Entry& entry = next->second;
    if (const auto settled = entry.task->store().settle(); !settled.ok() && !entry.failed)
      fail(entry, settled.error());
    if (entry.live) snapshot_if_due(entry, live_bytes_ - entry.bytes_since_snapshot, now);
    if (tasks_.size() == static_cast<size_t>(looks) + 1) break;
  }
}

void Worker::snapshot_if_due(Entry& entry, uint64_t bytes, AppendTime now) {
  if (entry.snapshot_time.value == 0) entry.snapshot_time = now;
  if (entry.snapshotting) return;
  const bool due = bytes >= options_.snapshot_after_bytes ||
                   now.value - entry.snapshot_time.value >= options_.snapshot_after_us;
  if (!due) return;
  entry.snapshotting = true;
  entry.bytes_since_snapshot = entry.live ? live_bytes_ : 0;
  entry.snapshot_time = now;
  if (entry.live) entry.task->skip_to(live_);
  entry.task->note_end(journal_.end_cut());
  send({options_.placement.worker, SnapshotReady{entry.task->plan().id, options_.placement.worker,
                                                 entry.task->position(), entry.task->freeze()}});
}

void Worker::answer_all_freezes() {
  for (auto id = freezing_.begin(); id != freezing_.end();) {
    Entry& entry = tasks_.at(*id);
    answer_freezes(entry);
    id = entry.freezes.empty() ? freezing_.erase(id) : std::next(id);
  }
}

void Worker::answer_freezes(Entry& entry) {
  auto& task = *entry.task;
  if (entry.live) task.skip_to(live_);
  // Rows that wait belong to what it has stepped over.
  const bool holds = task.holds_rows() && position(entry) != entry.stop_at;
  auto waiting = std::partition(entry.freezes.begin(), entry.freezes.end(), [&](const Freeze& f) {
    return task.position() < f.at || (holds && !f.report);
  });
  for (auto request = waiting; request != entry.freezes.end(); ++request) {
    Frozen frozen{request->request,
                  options_.placement.worker,
                  std::shared_ptr<const state::Epoch>(),
                  task.position(),
                  task.closed(),
                  task.dropped(),
                  {}};
    if (request->report) frozen.report = task.report();
    if (request->freeze) frozen.epoch = task.freeze();
    if (request->watch) {
      entry.watchers.insert(request->request);
      task.watch(true);
    }
    send({options_.placement.worker, std::move(frozen)});
  }
  entry.freezes.erase(waiting, entry.freezes.end());
}

void Worker::leave(Entry& entry) {
  const uint32_t id = entry.task->plan().id.value;
  if (entry.live) --live_count_;
  entry.live = false;
  timers_.erase({entry.timer, id});
  entry.timer = INT64_MAX;
  apart_.erase(id);
  stopping_.erase(id);
  freezing_.erase(id);
  entry.freezes.clear();
}

void Worker::fail(Entry& entry, Error error) {
  for (const auto& waiting : entry.freezes) {
    send({options_.placement.worker, Frozen{waiting.request, options_.placement.worker, error, {}, {}, {}}});
  }
  const Cut at = position(entry);
  leave(entry);
  entry.failed = true;
  entry.task->store().drop_query(entry.task->plan().id);  // it goes on from its snapshot, if at all
  send({options_.placement.worker,
        TaskFailed{entry.task->plan().id, options_.placement.worker, at, std::move(error)}});
}

void Worker::send_progress() {
  Progress progress{options_.placement.worker, INT64_MAX, live_, std::exchange(nulls_, 0), {}};
  // Those on their way through history have the time of the frames before them.
  if (!timers_.empty() && live_ == journal_.end_cut()) progress.next_timer_us = timers_.begin()->first;
  for (const uint32_t id : touched_) {
    const Entry& entry = tasks_.at(id);
    progress.tasks.push_back({QueryId(id), entry.live, position(entry), entry.task->store().bytes(),
                              entry.task->complete_from(), entry.task->watermark()});
  }
  touched_.clear();
  progress_due_ = false;
  send({options_.placement.worker, std::move(progress)});
}

// Of a stream once for all the queries that read it.
StepRows& Worker::decoded_rows(Entry& entry, const Frames& frames, std::map<SourceKey, int64_t>& decoded) {
  const SourceKey source(*entry.task->plan().source);
  StepRows& rows = entry.rows ? *entry.rows : *rows_.at(source);
  int64_t own_ns = 0;
  bool first = true;
  int64_t* ns = &own_ns;
  if (!entry.rows) {
    const auto shared = decoded.try_emplace(source, 0);
    first = shared.second;
    ns = &shared.first->second;
  }
  if (first) {
    StopWatch watch(options_.clock);
    rows.decode(frames);
    watch.lap(*ns);
  }
  entry.task->add_decode_time(*ns);
  return rows;
}

// The union of the columns that this worker's queries read; the queries' pipelines count in it.
void Worker::rebuild_rows(const engine::StreamPtr& stream) {
  const SourceKey source(*stream);
  std::set<int> columns;
  std::vector<QueryTask*> tasks;
  for (const uint32_t id : readers_[stream->id.value]) {
    QueryTask& task = *tasks_.at(id).task;
    // Others know fewer or more columns of it, or read it as their repartition topic.
    if (SourceKey(*task.plan().source) != source) continue;
    tasks.push_back(&task);
    columns.insert(task.plan().read_columns.begin(), task.plan().read_columns.end());
  }
  rows_.erase(source);
  if (tasks.empty()) return;
  const std::vector<int> wanted(columns.begin(), columns.end());
  rows_[source] =
      std::make_unique<StreamRows>(stream, wanted, options_.placement.worker, options_.placement.workers);
  for (auto* task : tasks) task->use_columns(wanted);
}

void Worker::forget_failed() {
  std::erase_if(tasks_, [](const auto& task) { return task.second.failed; });
}

std::vector<std::unique_ptr<QueryTask>> Worker::take_tasks() {
  std::vector<std::unique_ptr<QueryTask>> taken;
  for (auto& [id, entry] : tasks_) {
    if (entry.live) entry.task->skip_to(live_);
    taken.push_back(std::move(entry.task));
  }
  tasks_.clear();
  rows_.clear();
  readers_.clear();
  own_batches_.clear();
  apart_.clear();
  freezing_.clear();
  stopping_.clear();
  timers_.clear();
  touched_.clear();
  live_count_ = 0;
  return taken;
}

}  // namespace millrace::processor
