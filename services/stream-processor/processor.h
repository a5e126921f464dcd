// Processor: the stream-processor's side of the core loop. Owns the workers, appends their steps, answers
// reads of views.
//
// Rule (write-ahead): a read, a change or a snapshot leaves only when the cut it reflects is durable.
// Threads:  the core loop; workers 1… have a thread each unless inline_workers.
// Recovery: open() loads each task's newest snapshot, runs the recorded steps after it again (outputs
//           suppressed, compared), and, if the number of workers changed, runs the old layout to the end, then
//           splits the state at that cut. A query that cannot be recovered is detached, as one that fails in a
//           step is: the others go on. Other outputs than before stop the start.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "engine/serving.h"
#include "log/journal.h"
#include "sql/definitions.h"
#include "state/snapshot.h"
#include "stream-processor/replay.h"
#include "stream-processor/view_feed.h"
#include "stream-processor/worker.h"

namespace millrace::processor {

class Processor final : public engine::ViewReads {
 public:
  struct Options {
    std::string directory;  // for snapshots
    uint32_t workers = 1;
    bool inline_workers = false;
    std::function<uint64_t(uint64_t)> schedule;  // which inline worker goes next; null: in turn
    size_t max_step_bytes = 1u << 20;
    size_t max_slice_bytes = 8u << 20;   // of a step's outputs; what is more goes into the next frame
    size_t max_frame_bytes = 48u << 20;  // the journal's
    size_t snapshot_after_bytes = 128u << 20;
    int64_t snapshot_after_us = 60'000'000;
    size_t state_bytes = size_t{2} << 30;
    std::shared_ptr<state::SpillSpace> spill;  // null: all state stays in memory
    const Clock* clock = nullptr;              // for EXPLAIN ANALYZE; null: it shows no times
  };
  struct Counters {
    uint64_t steps = 0;
    uint64_t output_records = 0;
    uint64_t snapshots = 0;
    uint64_t snapshot_bytes = 0;
    uint64_t snapshot_failures = 0;
    uint64_t failed_queries = 0;
    uint64_t dead_letters = 0;
    uint64_t nulls = 0;  // expressions that failed and gave NULL
    // Observers, called on the core loop; each may be null.
    std::function<void(const engine::QueryPlan&, const Error&)> failed;  // a query stopped
    std::function<void(const Error&)> snapshot_failed;
    std::function<void(int64_t us)> processing;                   // a live step with outputs
    std::function<void(int64_t us, uint64_t bytes)> snapshot;     // a snapshot that was written
    std::function<void(StreamId, AppendTime arrived)> delivered;  // a view's changes, to a subscriber
  };
  // What a query is at, from what its workers have told last.
  struct QueryGauges {
    engine::PlanPtr plan;
    bool failed = false;
    bool paused = false;
    Cut position;
    size_t state_bytes = 0;
    std::optional<int64_t> watermark_us;
  };

  static Result<std::unique_ptr<Processor>> open(Files& files, engine::Background& background,
                                                 log::Journal& journal, sql::Definitions& definitions,
                                                 Options options,
                                                 std::function<void(uint64_t, uint64_t)> progress);
  ~Processor() override;

  bool turn();  // inline workers step, outputs are appended; true: there is more to do
  void on_durable(Cut durable);
  void definitions_changed();     // tasks for new queries, none for dropped ones
  int64_t next_timer_us() const;  // append time at which a tick is due; INT64_MAX: never
  // Rule (floor): the oldest cut that a recovery may need. A query that has failed holds nothing.
  Cut floor();
  Status ready() const;
  std::vector<QueryGauges> query_gauges();
  Cut stepped_to() const;  // all queries that had caught up have taken in what is up to there
  bool idle() const;       // every task has reached the journal's end and nothing is held back
  void set_wake(std::function<void()> wake);
  // A clean end: drain(), then snapshot_all(); both block. After drain() no step is taken any more and all
  // outputs of those that were are durable: only then may a snapshot say that they were.
  Status drain();
  Status snapshot_all();
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

  void read(QueryId view, std::function<void(Result<engine::ViewAtCut>)> done) override;
  Result<std::unique_ptr<engine::Subscription>> subscribe(QueryId view) override;
  Result<engine::QueryStatus> status(QueryId query) override;
  void pauses_changed() override;
  void retry(QueryId query, std::function<void(Status)> done) override;  // processor_retry.cc
  void inspect(QueryId query, std::function<void(Result<engine::QueryReport>)> done) override;

 private:
  struct Task {  // one query, all workers
    engine::PlanPtr plan;
    Cut start;
    std::vector<std::shared_ptr<state::Snapshots>> snapshots;  // by worker
    std::vector<Cut> oldest_kept;                              // by worker
    std::vector<Cut> position;                                 // by worker; where it is live: live_[worker]
    std::vector<uint8_t> live;                                 // by worker
    std::vector<size_t> state_bytes;
    std::vector<int64_t> watermark_us;  // by worker; INT64_MIN: none
    AppendTime complete_from;           // 0: from the first event ever
    std::optional<Error> failed;
    std::vector<uint8_t> stopped;  // by worker: it is its task that has failed
    bool retrying = false;
    std::optional<Cut> paused;  // it stands still there, or further on if it had come further
  };
  struct Round {
    QueryId query;
    bool freeze;
  };
  struct Read {
    engine::PlanPtr plan;
    std::vector<Round> rounds;
    size_t round = 0;
    size_t answers = 0;
    Cut at;
    int64_t closed = INT64_MAX;
    int64_t dropped = INT64_MIN;
    std::vector<std::shared_ptr<const state::Epoch>> epochs;
    std::vector<int64_t> closed_by;
    bool watch = false;
    bool report_only = false;  // of wherever the tasks stand
    engine::QueryReport report;
    std::function<void(Result<engine::ViewAtCut>)> done;
  };

  Processor(Files& files, engine::Background& background, log::Journal& journal,
            sql::Definitions& definitions, Options options);
  Status recover(const std::function<void(uint64_t, uint64_t)>& progress);
  Status read_layouts();
  // One query's tasks on their way to the workers.
  struct Recovering {
    const sql::Catalog::Entry* entry;
    std::vector<std::unique_ptr<QueryTask>> tasks;  // empty: it was detached

    Cut steps_after() const;
  };
  Status load_tasks(Recovering& query, uint32_t workers);
  struct Loaded {
    std::unique_ptr<QueryTask> task;
    Cut start;
    Cut oldest_kept;
  };
  // Any thread.
  Result<Loaded> load_task(state::Snapshots& snapshots, const sql::Catalog::Entry& entry,
                           engine::StreamPtr dead_letters, Placement placement) const;
  struct Retry;
  Status load(Retry& retry) const;
  Status retried(Retry& retry);
  Result<RecordedSteps> steps_of(std::vector<Recovering>& queries, uint32_t workers);
  Status replay_tasks(Recovering& query, const RecordedSteps& steps);
  void owe(uint32_t worker, Replayed& replayed);
  Status detach(Recovering& query, Error why);
  void sweep_snapshots();
  Status change_layout(uint32_t workers);
  Status run_to_end();
  bool is_stuck() const;
  Status wait_until_durable(Cut cut);
  bool at_end() const;  // every task stands at the journal's end
  void make_workers(uint32_t workers, bool inlined);
  void start_threads();
  void stop_threads();
  void wake_workers();
  Task make_task(const engine::PlanPtr& plan, uint32_t workers);
  std::string snapshot_directory(QueryId query, uint32_t worker) const;
  std::unique_ptr<QueryTask> first_task(const sql::Catalog::Entry& entry, engine::StreamPtr dead_letters,
                                        Placement placement, Cut start) const;
  state::StateStore::Options store_options() const;
  std::unique_ptr<state::StateStore> make_store() const;
  bool tell(uint32_t worker, ToWorker message);
  bool is_paused(QueryId query) const;
  Cut position(const Task& task, uint32_t worker) const {
    return task.live[worker] ? live_[worker] : task.position[worker];
  }
  Cut position(const Task& task) const;  // of its last worker

  bool run_inline();
  bool take_messages();
  bool handle(FromWorker& message);  // false: must be handled again later
  bool append(StepDone& done, uint32_t worker);
  void written(uint32_t worker, size_t bytes);
  void frozen(Frozen& answer);
  // The number of the read; 0: it was answered at once.
  uint64_t begin_read(QueryId view, bool watch, std::function<void(Result<engine::ViewAtCut>)> done);
  void unwatch(const ViewFeed& feed);
  void add_feeders(const engine::QueryPlan& plan, std::set<uint32_t>& fed, std::vector<Round>& rounds) const;
  void start_round(uint64_t id, Read& read);
  void tick_if_needed();
  void write_snapshot(SnapshotReady ready);
  void use_plan(Task& task, const engine::PlanPtr& plan);
  void forget_snapshots(const std::string& directory);
  void feed(StepDone::Change change);
  void each_feed(QueryId view, const std::function<void(ViewFeed&)>& visit);
  void end_feeds(QueryId view, const Error& why);
  void begin_feed(const std::shared_ptr<ViewFeed>& feed, Result<engine::ViewAtCut> view);

  Files& files_;
  engine::Background& background_;
  log::Journal& journal_;
  sql::Definitions& definitions_;
  const Options options_;
  std::vector<Layout> layouts_;
  sql::CatalogPtr known_;
  std::map<uint32_t, Task> tasks_;  // by query

  Mailbox<FromWorker> outbox_{4096};
  std::deque<FromWorker> incoming_;
  std::vector<std::unique_ptr<Worker>> workers_;
  uint32_t inline_count_ = 1;  // workers 0 … inline_count_ - 1 run inside turn()
  std::vector<std::thread> threads_;
  std::atomic<uint32_t> signal_{0};
  std::atomic<bool> stop_{false};
  Cut signalled_;

  uint64_t next_read_ = 1;
  std::map<uint64_t, Read> reads_;
  std::deque<Read> durable_reads_;  // answered, waiting for their cut
  std::vector<std::shared_ptr<ViewFeed>> feeds_;
  struct WaitingSnapshot {
    SnapshotReady snapshot;
    Cut after;  // it is written when this is durable
  };
  std::deque<WaitingSnapshot> snapshots_;
  struct Outputs {
    Cut cut;
    uint32_t worker;
    size_t bytes;
  };
  std::deque<Outputs> outputs_;  // appended, not yet durable
  std::function<void()> wake_;
  Cut tick_owed_;                // a frame up to this cut must come, whatever it is
  std::vector<int64_t> timers_;  // by worker
  std::vector<Cut> live_;        // by worker: where all its tasks stand that are caught up
  Cut opened_at_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Counters counters_;
};

}  // namespace millrace::processor
