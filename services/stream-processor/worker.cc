#include "stream-processor/worker.h"

#include <algorithm>
#include <set>

namespace millrace::processor {

Worker::Worker(log::Journal& journal, Options options, Mailbox<FromWorker>& outbox)
    : journal_(journal), options_(options), outbox_(outbox) {}

bool Worker::turn() {
  const Cut end = journal_.end_cut();  // before the inbox: see Order
  std::vector<ToWorker> messages;
  inbox_.take_all(messages);
  for (auto& message : messages) handle(std::move(message));
  if (!flush_held()) return false;

  Cut front(0);
  Cut last(UINT64_MAX);
  for (const auto& [id, entry] : tasks_) {
    if (entry.failed) continue;
    front = std::max(front, entry.task->position());
    last = std::min(last, entry.task->position());
  }
  bool worked = !messages.empty();
  if (last.value != UINT64_MAX) {
    // What is caught up goes first; history then gets as much again, so neither starves the other.
    if (front < end) worked |= step(front, end, options_.max_step_bytes, true);
    if (last < front && held_.empty()) {
      Cut next = end;  // up to where the next task stands, so that they meet
      for (const auto& [id, entry] : tasks_) {
        if (!entry.failed && entry.task->position() > last) next = std::min(next, entry.task->position());
      }
      worked |= step(last, next, options_.max_step_bytes / 4, false);
    }
  }
  if (progress_due_) send_progress();
  return worked;
}

void Worker::handle(ToWorker message) {
  if (auto* add = std::get_if<AddTask>(&message)) {
    Entry entry;
    entry.task = std::move(add->task);
    const auto stream = entry.task->plan().source;
    tasks_[entry.task->plan().id.value] = std::move(entry);
    rebuild_rows(stream);
    progress_due_ = true;
  } else if (auto* remove = std::get_if<RemoveTask>(&message)) {
    auto found = tasks_.find(remove->query.value);
    if (found == tasks_.end()) return;
    for (const auto& freeze : found->second.freezes) {
      send({options_.placement.worker, Frozen{freeze.request,
                                              options_.placement.worker,
                                              error(Code::kNotFound, "MR-STEP-0020", "the view was dropped"),
                                              {},
                                              {}}});
    }
    const auto stream = found->second.task->plan().source;
    tasks_.erase(found);
    rebuild_rows(stream);
    progress_due_ = true;
  } else if (auto* freeze = std::get_if<Freeze>(&message)) {
    auto found = tasks_.find(freeze->query.value);
    if (found == tasks_.end() || found->second.failed) {
      send({options_.placement.worker, Frozen{freeze->request,
                                              options_.placement.worker,
                                              error(Code::kUnavailable, "MR-STEP-0021",
                                                    "the query is not running: SHOW QUERIES says why"),
                                              {},
                                              {}}});
      return;
    }
    found->second.freezes.push_back(*freeze);
    answer_freezes(found->second);
  } else if (auto* unwatch = std::get_if<Unwatch>(&message)) {
    auto found = tasks_.find(unwatch->query.value);
    if (found == tasks_.end() || found->second.watchers == 0) return;
    if (--found->second.watchers == 0) found->second.task->watch(false);
  } else if (auto* written = std::get_if<SnapshotWritten>(&message)) {
    auto found = tasks_.find(written->query.value);
    if (found != tasks_.end()) found->second.snapshotting = false;
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

std::vector<Worker::Entry*> Worker::at(Cut position) {
  std::vector<Entry*> found;
  for (auto& [id, entry] : tasks_) {
    if (!entry.failed && entry.task->position() == position) found.push_back(&entry);
  }
  return found;
}

bool Worker::step(Cut from, Cut to, size_t max_bytes, bool live) {
  const auto tasks = at(from);
  for (const auto* entry : tasks) {
    for (const auto& freeze : entry->freezes) {
      if (freeze.freeze && freeze.at > from) to = std::min(to, freeze.at);
    }
  }
  auto frames = journal_.read_frames(from, to, max_bytes);
  if (!frames.ok()) {
    for (auto* entry : tasks) fail(*entry, frames.error());
    return true;
  }
  if (frames->empty()) return false;
  step_tasks(tasks, *frames, live);
  return true;
}

void Worker::step_tasks(const std::vector<Entry*>& tasks, const std::vector<log::FramePtr>& frames,
                        bool live) {
  const Cut from = tasks.front()->task->position();
  const Cut to = frames.back()->cut;
  std::set<uint32_t> decoded;
  size_t bytes = 0;
  for (const auto& frame : frames) bytes += frame->bytes;
  StepDone done;
  StepRecord record{static_cast<uint16_t>(options_.placement.worker),
                    static_cast<uint16_t>(options_.placement.workers),
                    kEngineVersion,
                    from,
                    to,
                    {}};
  size_t group_bytes = 0;
  const auto hand_over = [&] {
    if (!record.entries.empty()) done.group.controls.push_back({log::ControlKind::kStep, encode(record)});
    if (!record.entries.empty() || !done.changes.empty()) {
      done.oldest = frames.front()->time;
      done.live = live;
      send({options_.placement.worker, std::move(done)});
    }
    done = StepDone();
    record.entries.clear();
    group_bytes = 0;
  };
  for (auto* entry : tasks) {
    auto& task = *entry->task;
    auto& rows = rows_of(task.plan().source);
    if (decoded.insert(task.plan().source->id.value).second) rows.decode(frames);
    TaskOutput out;
    auto stepped = task.step(frames, to, rows, out);
    if (!stepped.ok()) {
      fail(*entry, stepped.error());
      continue;
    }
    if (!out.empty()) {
      for (const auto& part : out.parts) group_bytes += part.records.bytes();
      record.entries.push_back(out.finish(task.plan(), task.plan_identity(), done.group.batches));
    }
    if (!out.changes.empty()) {
      done.changes.push_back(
          {task.plan().id, to, std::make_shared<const std::vector<std::string>>(std::move(out.changes))});
    }
    after_step(*entry, bytes, frames.back()->time);
    if (group_bytes > options_.max_group_bytes) hand_over();
  }
  hand_over();
  // Answers come after the outputs that led to them.
  for (auto* entry : tasks) answer_freezes(*entry);
  progress_due_ = true;
}

void Worker::after_step(Entry& entry, size_t bytes, AppendTime time) {
  entry.bytes_since_snapshot += bytes;
  if (entry.snapshot_time.value == 0) entry.snapshot_time = time;
  if (entry.snapshotting) return;
  const bool due = entry.bytes_since_snapshot >= options_.snapshot_after_bytes ||
                   time.value - entry.snapshot_time.value >= options_.snapshot_after_us;
  if (!due) return;
  entry.snapshotting = true;
  entry.bytes_since_snapshot = 0;
  entry.snapshot_time = time;
  send({options_.placement.worker, SnapshotReady{entry.task->plan().id, options_.placement.worker,
                                                 entry.task->position(), entry.task->freeze()}});
}

void Worker::answer_freezes(Entry& entry) {
  auto& task = *entry.task;
  auto waiting = std::partition(entry.freezes.begin(), entry.freezes.end(),
                                [&](const Freeze& f) { return task.position() < f.at; });
  for (auto freeze = waiting; freeze != entry.freezes.end(); ++freeze) {
    Frozen frozen{freeze->request, options_.placement.worker, std::shared_ptr<const state::Epoch>(),
                  task.position(), task.closed_below()};
    if (freeze->freeze) frozen.epoch = task.freeze();
    if (freeze->watch) {
      ++entry.watchers;
      task.watch(true);
    }
    send({options_.placement.worker, std::move(frozen)});
  }
  entry.freezes.erase(waiting, entry.freezes.end());
}

void Worker::fail(Entry& entry, Error error) {
  entry.failed = true;
  for (const auto& freeze : entry.freezes) {
    send({options_.placement.worker, Frozen{freeze.request, options_.placement.worker, error, {}, {}}});
  }
  entry.freezes.clear();
  send({options_.placement.worker,
        TaskFailed{entry.task->plan().id, options_.placement.worker, std::move(error)}});
}

void Worker::send_progress() {
  Progress progress{options_.placement.worker, INT64_MAX, {}};
  for (const auto& [id, entry] : tasks_) {
    if (!entry.failed) progress.next_timer_us = std::min(progress.next_timer_us, entry.task->next_timer());
    progress.tasks.push_back({QueryId(id), entry.task->position(), entry.task->store().bytes()});
  }
  progress_due_ = false;
  send({options_.placement.worker, std::move(progress)});
}

StreamRows& Worker::rows_of(const engine::StreamPtr& stream) {
  return *rows_.at(stream->id.value);
}

// The union of the columns that this worker's queries read; the queries' pipelines count in it.
void Worker::rebuild_rows(const engine::StreamPtr& stream) {
  std::set<int> columns;
  bool read = false;
  for (const auto& [id, entry] : tasks_) {
    if (entry.task->plan().source->id != stream->id) continue;
    read = true;
    columns.insert(entry.task->plan().read_columns.begin(), entry.task->plan().read_columns.end());
  }
  rows_.erase(stream->id.value);
  if (!read) return;
  const std::vector<int> wanted(columns.begin(), columns.end());
  rows_[stream->id.value] =
      std::make_unique<StreamRows>(stream, wanted, options_.placement.worker, options_.placement.workers);
  for (auto& [id, entry] : tasks_) {
    if (entry.task->plan().source->id == stream->id) entry.task->use_columns(wanted);
  }
}

std::vector<std::unique_ptr<QueryTask>> Worker::take_tasks() {
  std::vector<std::unique_ptr<QueryTask>> taken;
  for (auto& [id, entry] : tasks_) taken.push_back(std::move(entry.task));
  tasks_.clear();
  rows_.clear();
  return taken;
}

}  // namespace millrace::processor
