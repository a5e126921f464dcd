// Worker: steps the tasks of its share of the key groups. An agent: one mailbox in, one out, a turn that
// never waits.
//
// Turn:     the tasks that stand furthest (all that are caught up stand together) take the next piece of the
// journal in one
//           shared step: one read, one decode a stream, one group of outputs. Then the one that lags most
//           takes a bounded piece of history, until it stands where the others stand.
// Out:      StepDone (outputs to append), Frozen (answers to Freeze), SnapshotReady, TaskFailed. While the
// outbox is full the
//           worker does not step: that is the backpressure.
// Order:    a message put into the inbox before frame S was appended is handled before S is stepped over.
// Threads:  all but inbox() confined to the worker's thread (or the core loop, if inline).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mailbox.h"
#include "log/journal.h"
#include "stream-processor/query_task.h"

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
  bool watch = false;  // and from there on, report changes
};
struct Unwatch {
  QueryId query;
};
struct SnapshotWritten {
  QueryId query;
};
using ToWorker = std::variant<AddTask, RemoveTask, Freeze, Unwatch, SnapshotWritten>;

struct StepDone {
  log::Group group;   // outputs and the step record; empty if there was nothing to write
  AppendTime oldest;  // of the frames stepped over: for the processing latency
  bool live = false;  // by tasks that had caught up
  struct Change {
    QueryId query;
    Cut at;
    std::shared_ptr<const std::vector<std::string>> rows;
  };
  std::vector<Change> changes;
};
struct Frozen {
  uint64_t request = 0;
  uint32_t worker = 0;
  Result<std::shared_ptr<const state::Epoch>> epoch = std::shared_ptr<const state::Epoch>();
  Cut at;
  int64_t closed_below = INT64_MIN;
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
  Error error;
};
// Sent when it changes: where the tasks stand and when time alone has an effect.
struct Progress {
  uint32_t worker = 0;
  int64_t next_timer_us = INT64_MAX;
  struct Task {
    QueryId query;
    Cut position;
    size_t state_bytes = 0;
  };
  std::vector<Task> tasks;
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
    size_t max_group_bytes = 8u << 20;  // outputs of one group; more tasks go into the next
    size_t snapshot_after_bytes = 256u << 20;
    int64_t snapshot_after_us = 60'000'000;
  };
  Worker(log::Journal& journal, Options options, Mailbox<FromWorker>& outbox);

  Mailbox<ToWorker>& inbox() { return inbox_; }
  bool turn();  // one bounded piece of work; false: nothing to do now
  std::vector<std::unique_ptr<QueryTask>> take_tasks();  // all of them, by query; leaves the worker empty

 private:
  struct Entry {
    std::unique_ptr<QueryTask> task;
    AppendTime snapshot_time;
    size_t bytes_since_snapshot = 0;
    bool snapshotting = false;
    bool failed = false;
    size_t watchers = 0;
    std::vector<Freeze> freezes;  // waiting for a cut
  };

  void handle(ToWorker message);
  bool send(FromWorker message);  // keeps it if the outbox is full
  bool flush_held();
  std::vector<Entry*> at(Cut position);
  bool step(Cut from, Cut to, size_t max_bytes, bool live);
  void step_tasks(const std::vector<Entry*>& tasks, const std::vector<log::FramePtr>& frames, bool live);
  void after_step(Entry& entry, size_t bytes, AppendTime time);
  void answer_freezes(Entry& entry);
  void fail(Entry& entry, Error error);
  void send_progress();
  StreamRows& rows_of(const engine::StreamPtr& stream);
  void rebuild_rows(const engine::StreamPtr& stream);

  log::Journal& journal_;
  const Options options_;
  Mailbox<FromWorker>& outbox_;
  Mailbox<ToWorker> inbox_{65'536};
  std::vector<FromWorker> held_;
  std::map<uint32_t, Entry> tasks_;                       // by query
  std::map<uint32_t, std::unique_ptr<StreamRows>> rows_;  // by stream
  bool progress_due_ = false;
};

}  // namespace millrace::processor
