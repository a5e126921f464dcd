// QueryTask: one query on one worker: a deterministic state machine over the journal.
//
// Why:     same journal, same state and same outputs, at any step size, after any restart, for a query made
//          today as for one that ran all along. Everything it knows is in its StateStore, as of position().
// Step:    takes the frames after position() up to a cut, in order; gives outputs (to be appended in one
//          frame), reports (for other workers) and, if somebody watches, the view's changes: of many events that
//          wait, a group's once for some steps together.
// Clock:   none but the frames' append times; no randomness.
// Threads: confined to its worker.
// Bound:   the frames given; the state's max_bytes: beyond it step() fails with MR-STEP-0005 and the task is
//          detached. A step's end settles the state: it may move to the disk.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/aggregate.h"
#include "engine/plan.h"
#include "engine/query_report.h"
#include "formats/json.h"
#include "log/journal.h"
#include "log/record_batch.h"
#include "state/state_store.h"
#include "stream-processor/closed_rows.h"
#include "stream-processor/frame_reports.h"
#include "stream-processor/group_changes.h"
#include "stream-processor/partition_clocks.h"
#include "stream-processor/processing_time.h"
#include "stream-processor/step_record.h"
#include "stream-processor/stop_watch.h"
#include "stream-processor/stream_rows.h"
#include "stream-processor/view_changes.h"

namespace millrace::processor {

// What one step of one task gave.
// Bound: kMostBytes; what is more is dropped, and too_much() says that the step cannot be kept.
struct TaskOutput {
  static constexpr size_t kMostBytes = 1u << 30;

  struct Part {
    StreamPartition where;
    log::RecordBatchBuilder records;
    uint64_t hash = 0;
    void add(std::string_view value, int64_t timestamp_ms);
    // As RecordBatchBuilder's.
    template <typename Write>
    std::string_view add_in_place(Write&& write, int64_t timestamp_ms) {
      const std::string_view value = records.add_in_place(timestamp_ms, write);
      hash = hash_record(hash, value);
      return value;
    }
  };
  // What one frame of the journal takes of it.
  struct Slice {
    StepEntry entry;
    std::vector<log::BatchAppend> batches;
    size_t bytes = 0;
  };
  explicit TaskOutput(size_t bytes_a_slice) : slice_bytes(bytes_a_slice) {}

  const size_t slice_bytes;
  std::vector<Part> parts;  // a partition that is full goes on in another one
  std::vector<Report> reports;
  JsonRows changes;                     // for those who watch the view
  std::optional<ClosedWindows> closed;  // the same, to be rendered
  uint32_t rows = 0;
  uint64_t nulls = 0;  // expressions that failed and gave NULL
  // What later steps give follows from where this one ended: it is recorded, also without outputs.
  bool recorded = false;

  bool empty() const { return rows == 0 && reports.empty() && !recorded; }
  bool is_full(const Part& part) const { return part.records.bytes() >= slice_bytes; }
  bool too_much() const { return dropped; }
  void add(StreamPartition where, std::string_view value, int64_t timestamp_ms);
  Part& part_of(StreamPartition where);  // not full; valid until another one is new

  // What the step gave, as it stands in the journal; of an empty one, one empty slice.
  std::vector<Slice> finish(const engine::QueryPlan& plan, uint64_t identity);

 private:
  size_t full = 0;  // parts
  bool dropped = false;
};

class QueryTask {
 public:
  // A new task that has seen everything up to `start` (of which it knows nothing).
  QueryTask(engine::PlanPtr plan, engine::StreamPtr dead_letters, Placement placement,
            std::unique_ptr<state::StateStore> store, Cut start);
  // A task as a snapshot left it: position and clocks are in the store.
  static Result<std::unique_ptr<QueryTask>> load(engine::PlanPtr plan, engine::StreamPtr dead_letters,
                                                 Placement placement,
                                                 std::unique_ptr<state::StateStore> store);

  // The same groups, shown in another way (QueryPlan::shows_groups).
  void use_plan(engine::PlanPtr plan);
  // The columns that the rows will have; call before the first step and when they change.
  void use_columns(const std::vector<int>& columns);
  // `heard`: of these frames. `more`: a step will follow at once.
  Status step(std::span<const log::FramePtr> frames, const FrameReports& heard, Cut to, bool more,
              const StepRows& rows, TaskOutput& out);

  // Frames up to `to` that hold nothing for it: no batch of its streams, no report and no letter for it, no timer
  // that is due.
  void skip_to(Cut to) { position_ = to; }

  // Retention had removed what came before `start`: what the query gives is complete from its first frame on.
  void begin_shortened() { shortened_ = true; }
  AppendTime complete_from() const { return complete_from_; }  // 0: from the first event ever

  // The journal ends here: what this task does from now on is recorded behind it, wherever in history the task
  // stands. Kept in snapshots.
  void note_end(Cut end) { end_ = end; }
  Cut steps_after() const { return std::max(position_, end_); }

  Cut position() const { return position_; }
  const engine::QueryPlan& plan() const { return *plan_; }
  const engine::PlanPtr& plan_ptr() const { return plan_; }
  uint64_t plan_identity() const { return identity_; }
  state::StateStore& store() { return *store_; }
  std::shared_ptr<const state::Epoch> freeze();  // with position and clocks in its cells
  int64_t closed() const;                        // emit_on_close: windows that end up to it are shown
  int64_t dropped() const;                       // retention: windows that end up to it are gone
  // The append time at which something is due without any event; INT64_MAX: never.
  int64_t next_timer() const;
  // A derived stream's rows that wait for the next steps.
  bool holds_rows() const {
    return closed_rows_ && (closed_rows_->waiting() || closed_rows_->due(closing_clocks().closed()));
  }
  void watch(bool on) {
    watched_ = on;
    if (!on) changed_.clear();
  }

  // A trial's: it knows of this and nothing else.
  void begin_late(const std::vector<engine::LateBefore>& late_before) {
    for (const auto& [partition, watermark] : late_before) clocks_.advance(partition, watermark);
  }

  // For those who ask what it does; nothing that it does follows from it.
  void use_clock(const Clock* clock) { clock_ = clock; }  // null: no times
  void add_decode_time(int64_t ns) { counters_.decode_ns += ns; }
  engine::QueryReport report() const;
  // The least of its own active partitions; INT64_MIN: nothing closes by a watermark, or there is none yet.
  int64_t watermark() const;

  // Splits or joins tasks of one query, all at one position, into `workers` tasks.
  static Result<std::vector<std::unique_ptr<QueryTask>>> relayout(
      std::vector<std::unique_ptr<QueryTask>> tasks, uint32_t workers,
      const std::function<std::unique_ptr<state::StateStore>()>& make_store);

 private:
  struct Pipeline;  // evaluators over the current columns

  Status take(std::span<const log::FramePtr> frames, const FrameReports& heard, bool more,
              const StepRows& rows, TaskOutput& out);
  Status walk(std::span<const log::FramePtr> frames, const FrameReports& heard, const StepRows& rows,
              TaskOutput& out);
  Status process_in_order(const FrameReports& heard, const StepRows& rows, TaskOutput& out);
  Status process(const StepRows& rows, size_t from, size_t to, TaskOutput& out);
  Status take_again(const FrameReports::Redriven& letter, TaskOutput& out);  // query_task_redriven.cc
  void leave_out(const StepRows& rows, size_t from, size_t to, Selection& selection, TaskOutput& out);
  void filter_rows(const Batch& batch, Selection& selection, TaskOutput& out);
  Status run_shape(const Batch& batch, Selection& selection, TaskOutput& out);
  void drop_late(const StepRows& rows, const Selection& decoded, Selection& selection, TaskOutput& out);
  bool in_time(const Batch& batch, uint32_t row, TaskOutput& out);
  void pass_event(const Batch& batch, const Column& time, uint32_t row);
  Status emit_rows(const Batch& batch, Selection& selection, std::vector<RowError>& errors, TaskOutput& out);
  Batch project_rows(const Batch& batch, Selection& selection, std::vector<RowError>& errors);
  // Of a source with a primary key (query_task_upserts.cc).
  Status upsert(const StepRows& rows, Selection& selection, TaskOutput& out);
  void drop_late_changes(const Batch& events, const Selection& decoded, Selection& changed, TaskOutput& out);
  Status replace_rows(const Batch& events, Selection& selection, TaskOutput& out);
  void tell(const RowOrigin& origin, TaskOutput& out, const std::function<void(JsonRows&)>& write);
  size_t expected_bytes(size_t rows, size_t row_bytes) const;
  Status merge_topic(const log::Frame& frame);
  void hear(const std::vector<Report>& reports);
  bool hears(const Report& report) const;
  void expire(const log::Frame& frame, TaskOutput& out);
  void note_ended(uint32_t row, PartitionId partition);
  void pass_time(std::span<const log::FramePtr> frames, const FrameReports& heard);
  int64_t bucket_of(int64_t watermark) const;
  void make_reports(TaskOutput& out);
  Status close_windows(int64_t closed_before, TaskOutput& out);
  Status close_sessions(int64_t closed_before, int64_t closed, TaskOutput& out);
  Status close_counts(const Batch& batch, TaskOutput& out);
  void write_counts(Batch groups, const std::vector<uint32_t>& last_rows, const Batch& batch,
                    TaskOutput& out);
  void drop_ended(uint16_t slot, int64_t watermark);
  Status write_closed(AppendTime now, TaskOutput& out);
  Status read_changed(int64_t ended, Batch& groups, Batch& gone);
  Status write_changes(int64_t closed_before, AppendTime now, TaskOutput& out);
  Status drop_windows(int64_t upto);
  int64_t least_to_come() const;
  void tell_watermark(TaskOutput& out);
  void hear_told(const FrameReports::Told& told);
  Error state_error(const Error& cause) const;
  Status emit_changes(AppendTime now, bool more, TaskOutput& out);
  bool tells_now(AppendTime now, bool more) const;
  uint64_t taken() const { return counters_.rows + counters_.merged; }
  bool collects_changes() const { return !plan_->emit_on_close && (watched_ || group_changes_); }
  void too_late(const Batch& batch, uint32_t row, std::string_view cause, std::string_view code,
                std::string_view message, int64_t lateness_us, TaskOutput& out);
  void dead_letter(const Batch& batch, uint32_t row, std::string_view cause, std::string_view code,
                   std::string_view message, int64_t lateness_us, TaskOutput& out);
  void dead_letters(const Batch& batch, const std::vector<RowError>& errors, TaskOutput& out);
  size_t group_letter(const RowError& failed, std::string_view keys, AppendTime now, TaskOutput& out);
  void save_cell();
  bool load_cell(std::string_view cell);
  PartitionClocks& closing_clocks() { return plan_->repartition ? heard_ : clocks_; }
  const PartitionClocks& closing_clocks() const { return plan_->repartition ? heard_ : clocks_; }

  engine::PlanPtr plan_;
  engine::StreamPtr dead_letters_;
  Placement placement_;
  uint64_t identity_;
  std::unique_ptr<state::StateStore> store_;
  Cut position_;
  Cut end_;
  bool shortened_ = false;  // until its first frame
  AppendTime complete_from_;

  // What follows from the plan.
  bool late_check_ = false;   // windowed over the watermark's column
  bool closes_ = false;       // a window's end has an effect
  bool reports_ = false;      // others need this task's watermarks
  bool tells_ = false;        // readers of its stream need them
  bool hears_told_ = false;   // the query that makes the source tells its watermarks
  int time_column_ = -1;      // of the source, of the window
  std::vector<uint8_t> own_;  // source partitions read here
  std::vector<uint8_t> own_topic_;

  std::optional<ProcessingTime>
      processing_time_;     // windows over PROCTIME(): it moves every partition's watermark
  PartitionClocks clocks_;  // the source's partitions
  PartitionClocks heard_;   // repartition: all partitions as the journal tells them to every worker alike
  struct Reported {
    int64_t bucket = INT64_MIN;
    bool idle = false;
  };
  std::vector<Reported> reported_;
  std::unique_ptr<ClosedRows> closed_rows_;      // a derived stream of windows
  std::unique_ptr<GroupChanges> group_changes_;  // … of groups' changes
  int64_t told_ = INT64_MIN;                     // of its own partitions of the output stream
  bool watched_ = false;
  const Clock* clock_ = nullptr;
  engine::StepCounters counters_;
  std::vector<engine::Aggregation::Changed> changed_;  // since watchers were told, at …
  int64_t told_us_ = 0;                                // … this append time
  uint64_t told_taken_ = 0;                            // … and taken()
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<int> columns_;         // as the pipeline's rows have them
  std::unique_ptr<StepRows> again_;  // of an event that is taken again
  bool takes_again_ = false;         // such a row is at hand

 public:
  ~QueryTask();
};

}  // namespace millrace::processor
