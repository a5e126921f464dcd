// Worker: steps the tasks of its share of the key groups. An agent: one mailbox in, one out, a turn that
// never waits.
//
// Turn:    the tasks that are caught up stand together, at live_, and take the next piece of the journal in
//          one shared step: one read, one decode a stream, one group of outputs. Then the one that lags most
//          takes a bounded piece of history, until it stands where the others stand and joins them.
// Cost:    a shared step touches only the tasks that its frames concern (a batch of a stream they read, a
//          report or a dead letter for them, a timer that is due); the others' position is live_, at no cost. A thousand quiet
//          queries cost nothing.
// Slices:  outputs that one frame does not take are several groups, in order: the last one ends the step.
// Out:     StepDone (outputs to append), Frozen (answers to Freeze), SnapshotReady, TaskFailed. While the
//          outbox is full, or too much of the outputs is not durable yet, the worker does not step: that is
//          the backpressure. History waits much earlier: a query that is being built must not fill the
//          journal's queue, which ingest and all other steps share.
// Order:   a message put into the inbox before frame S was appended is handled before S is stepped over.
// Threads: all but inbox() confined to the worker's thread (or the core loop, if inline).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mailbox.h"
#include "log/journal.h"
#include "stream-processor/own_batches.h"
#include "stream-processor/query_task.h"
#include "stream-processor/union_rows.h"

namespace millrace::processor {

struct AddTask {
  std::unique_ptr<QueryTask> task;
};
struct RemoveTask {
  QueryId query;
};
// Answered when the task has reached `at`; with freeze, by its state at exactly that cut.
struct Freeze {
  uint64_t request = 0;
  QueryId query;
  Cut at;
  bool freeze = true;
  bool watch = false;   // and from there on, report changes
  bool report = false;  // by what the task says of itself
};
struct Unwatch {
  QueryId query;
  uint64_t request = 0;  // of the Freeze that asked to watch, answered or not
};
struct SnapshotWritten {
  QueryId query;
};
// The task goes on up to `at` and stands still there; UINT64_MAX: it goes on.
struct StopAt {
  QueryId query;
  Cut at{UINT64_MAX};
};
// The query's groups are shown in another way from now on.
struct UsePlan {
  engine::PlanPtr plan;
};
using ToWorker = std::variant<AddTask, RemoveTask, Freeze, Unwatch, SnapshotWritten, StopAt, UsePlan>;

struct StepDone {
  log::Group group;   // outputs and the step record; empty if there was nothing to write
  size_t bytes = 0;   // of outputs and changes: Worker::written() when they are durable
  AppendTime oldest;  // of the frames stepped over: for the processing latency
  bool live = false;  // by tasks that had caught up
  struct Change {
    QueryId query;
    Cut at;
    AppendTime arrived;  // the step's first frame
    JsonRows rows;
    std::optional<ClosedWindows> closed;
  };
  std::vector<Change> changes;
};
struct Frozen {
  uint64_t request = 0;
  uint32_t worker = 0;
  Result<std::shared_ptr<const state::Epoch>> epoch = std::shared_ptr<const state::Epoch>();
  Cut at;
  int64_t closed = INT64_MIN;
  int64_t dropped = INT64_MIN;
  engine::QueryReport report;
};
struct SnapshotReady {
  QueryId query;
  uint32_t worker = 0;
  Cut at;
  std::shared_ptr<const state::Epoch> epoch;
};
struct TaskFailed {
  QueryId query;
  uint32_t worker = 0;
  Cut at;  // the step that failed began there
  Error error;
};
// Sent when it changes: where the tasks stand and when time alone has an effect.
struct Progress {
  uint32_t worker = 0;
  int64_t next_timer_us = INT64_MAX;
  Cut live;            // where all tasks stand that are caught up
  uint64_t nulls = 0;  // expressions that gave NULL for they failed, since the last progress
  struct Task {
    QueryId query;
    bool live = false;
    Cut position;
    size_t state_bytes = 0;
    AppendTime complete_from;
    int64_t watermark_us = INT64_MIN;  // INT64_MIN: nothing closes by a watermark, or there is none
  };
  std::vector<Task> tasks;  // those that changed
};
struct FromWorker {
  uint32_t worker = 0;
  std::variant<StepDone, Frozen, SnapshotReady, TaskFailed, Progress> what;
};

class Worker {
 public:
  struct Options {
    Placement placement;
    size_t max_step_bytes = 1u << 20;
    size_t max_group_bytes = 8u << 20;       // outputs of one group; what is more goes into the next
    size_t max_part_bytes = 32u << 20;       // beyond it, by one row more than a group, the task fails
    size_t max_in_flight_bytes = 32u << 20;  // outputs that are not durable yet; beyond it no step is taken …
    size_t history_in_flight_bytes = 1u << 20;  // … and beyond it none over history
    size_t snapshot_after_bytes = 256u << 20;
    int64_t snapshot_after_us = 60'000'000;
    const Clock* clock = nullptr;  // for the tasks' reports
  };
  Worker(log::Journal& journal, Options options, Mailbox<FromWorker>& outbox);

  Mailbox<ToWorker>& inbox() { return inbox_; }
  bool turn();        // one bounded piece of work; false: nothing to do now
  bool flush_held();  // what the outbox had no room for; true: nothing is held any more
  // Outputs have become durable. True: the worker has waited for it and is to be woken. Any thread.
  bool written(size_t bytes) {
    in_flight_.fetch_sub(bytes);
    return waits_.exchange(false);
  }
  void forget_failed();  // before take_tasks(): the state of those is gone, a snapshot would be of nothing
  std::vector<std::unique_ptr<QueryTask>> take_tasks();  // all of them, by query; leaves the worker empty

 private:
  struct Entry {
    std::unique_ptr<QueryTask> task;
    std::unique_ptr<StepRows> rows;  // of UNION ALL: its own; else null, and it shares those of its stream
    bool live = false;               // stands at live_, whatever its own position says
    bool failed = false;
    Cut stop_at{UINT64_MAX};
    bool snapshotting = false;
    int64_t timer = INT64_MAX;  // as it stands in timers_
    AppendTime snapshot_time;
    uint64_t bytes_since_snapshot = 0;  // live: since live_bytes_ was 0 (wraps around)
    std::set<uint64_t> watchers;        // requests
    std::vector<Freeze> freezes;        // waiting for a cut
  };
  using Frames = std::vector<log::FramePtr>;
  // A stream as its readers know it: those that were made before it was given more columns know fewer.
  struct SourceKey {
    explicit SourceKey(const engine::StreamDef& source)
        : stream(source.id.value), columns(source.columns.size()) {}
    auto operator<=>(const SourceKey&) const = default;
    uint32_t stream;
    size_t columns;
  };

  void handle(ToWorker message);
  void add(AddTask message);
  void remove(QueryId query);
  void freeze(const Freeze& request);
  void unwatch(const Unwatch& message);
  void stop_at(const StopAt& message);
  void use_plan(const UsePlan& message);
  void stand_still();  // those that have reached their stop
  bool may_step(size_t bound);
  bool send(FromWorker message);  // keeps it if the outbox is full

  void join();
  void part();
  bool step_live(Cut end);
  bool step_behind();
  std::vector<Entry*> concerned_by(const Frames& frames, const FrameReports& heard);
  Cut next_stop(Cut from, Cut to) const;
  // What the tasks are to step over; their frames may end before.
  struct Stretch {
    Cut from;
    Cut to;
    bool live = false;
  };
  void step_tasks(const std::vector<Entry*>& tasks, const Stretch& stretch, const Frames& frames,
                  const FrameReports& heard);

  Cut position(const Entry& entry) const { return entry.live ? live_ : entry.task->position(); }
  void set_timer(Entry& entry);
  void look_around(AppendTime now);
  void snapshot_if_due(Entry& entry, uint64_t bytes, AppendTime now);
  void answer_freezes(Entry& entry);
  void answer_all_freezes();
  void fail(Entry& entry, Error error);
  void leave(Entry& entry);  // the live ones, and what is kept about them
  void send_progress();
  StepRows& decoded_rows(Entry& entry, const Frames& frames, std::map<SourceKey, int64_t>& decoded);
  void rebuild_rows(const engine::StreamPtr& stream);

  log::Journal& journal_;
  const Options options_;
  Mailbox<FromWorker>& outbox_;
  Mailbox<ToWorker> inbox_{65'536};
  std::vector<FromWorker> held_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<bool> waits_{false};
  std::map<uint32_t, Entry> tasks_;  // by query
  std::map<SourceKey, std::unique_ptr<StreamRows>> rows_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> readers_;  // by stream: queries
  OwnBatches own_batches_;
  Cut live_;
  size_t live_count_ = 0;
  uint64_t live_bytes_ = 0;                        // of the journal, stepped over by the live ones
  std::set<uint32_t> apart_;                       // queries that are not live and have not failed
  std::set<uint32_t> stopping_;                    // queries on their way to a stop
  std::set<uint32_t> freezing_;                    // queries with freezes that wait
  std::set<std::pair<int64_t, uint32_t>> timers_;  // of the live ones
  uint32_t looked_at_ = 0;                         // the query that was looked at last
  std::set<uint32_t> touched_;                     // queries that the next progress tells of
  bool progress_due_ = false;
  uint64_t nulls_ = 0;  // for the next progress
};

}  // namespace millrace::processor
