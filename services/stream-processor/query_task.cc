#include "stream-processor/query_task.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/planted.h"
#include "stream-processor/internal/pipeline.h"

namespace millrace::processor {
namespace {

constexpr const char* kTaskCell = "task";
constexpr uint8_t kCellLayout = 7;
using Shape = engine::QueryPlan::Shape;

int window_time_column(const engine::QueryPlan& plan) {
  if (plan.window_key < 0) return -1;
  const auto& start = *plan.group_keys[static_cast<size_t>(plan.window_key)].expr;
  if (start.op != engine::Op::kTumbleStart || start.args[0]->op != engine::Op::kColumn) return -1;
  return plan.read_columns[static_cast<size_t>(start.args[0]->column)];
}

// By append times no partition is ever idle, nor where a query tells the watermark.
int64_t idle_timeout_of(const engine::QueryPlan& plan) {
  return plan.processing_time() || plan.source->watermark_told ? 0 : plan.source->idle_timeout_us;
}

// The process, or its clock, began anew in the frame.
bool quiet_starts_over(const log::Frame& frame) {
  return std::any_of(frame.controls.begin(), frame.controls.end(), [](const auto& control) {
    return control.kind == log::ControlKind::kStart || control.kind == log::ControlKind::kLeap;
  });
}

}  // namespace

void TaskOutput::Part::add(std::string_view value, int64_t timestamp_ms) {
  records.add(std::nullopt, value, timestamp_ms);
  hash = hash_record(hash, value);
}

TaskOutput::Part& TaskOutput::part_of(StreamPartition where) {
  const auto part =
      std::find_if(parts.rbegin(), parts.rend(), [&](const Part& p) { return p.where == where; });
  if (part == parts.rend()) return parts.emplace_back(Part{where, {}});
  if (!is_full(*part)) return *part;
  dropped = dropped || ++full > kMostBytes / slice_bytes;
  if (dropped) return *part = Part{where, {}};
  return parts.emplace_back(Part{where, {}});
}

void TaskOutput::add(StreamPartition where, std::string_view value, int64_t timestamp_ms) {
  part_of(where).add(value, timestamp_ms);
  ++rows;
}

std::vector<TaskOutput::Slice> TaskOutput::finish(const engine::QueryPlan& plan, uint64_t identity) {
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.where < b.where; });
  if (planted(Planted::kSwapOutputs) && parts.size() > 1) std::swap(parts[0].where, parts[1].where);
  std::vector<Slice> slices;
  const auto begin = [&] {
    StepEntry entry;
    entry.query = plan.id;
    entry.plan_identity = identity;
    entry.slice = static_cast<uint32_t>(slices.size());
    entry.last = false;
    slices.push_back({std::move(entry), {}});
  };
  begin();
  for (auto& part : parts) {
    const size_t bytes = part.records.bytes();
    if (slices.back().bytes > 0 && slices.back().bytes + bytes > slice_bytes) begin();
    auto& [entry, batches, taken] = slices.back();
    taken += bytes;
    entry.output_rows += part.records.count();
    entry.output_hash = hash_part(entry.output_hash, part.where, part.hash);
    ++entry.batches;
    batches.push_back({part.where, std::move(part.records).finish()});
  }
  auto& last = slices.back().entry;
  last.last = true;
  last.reports = std::move(reports);
  for (const auto& report : last.reports) last.output_hash = hash_report(last.output_hash, report);
  return slices;
}

QueryTask::QueryTask(engine::PlanPtr plan, engine::StreamPtr dead_letters, Placement placement,
                     std::unique_ptr<state::StateStore> store, Cut start)
    : plan_(std::move(plan)),
      dead_letters_(std::move(dead_letters)),
      placement_(placement),
      identity_(plan_->identity()),
      store_(std::move(store)),
      position_(start),
      time_column_(window_time_column(*plan_)),
      own_(own_partitions(plan_->source->partitions, placement.worker, placement.workers)),
      clocks_(plan_->source->partitions, idle_timeout_of(*plan_)),
      heard_(plan_->source->partitions, idle_timeout_of(*plan_)),
      reported_(plan_->source->partitions) {
  if (plan_->repartition) {
    own_topic_ = own_partitions(plan_->repartition_topic->partitions, placement.worker, placement.workers);
  }
  late_check_ = time_column_ >= 0 && time_column_ == plan_->source->watermark_column;
  if (plan_->processing_time()) processing_time_.emplace(plan_->window, plan_->view_retention_us);
  if (processing_time_ || plan_->source->watermark_told) {
    clocks_.expect_all();
    heard_.expect_all();
  }
  if (plan_->writes_changes()) group_changes_ = std::make_unique<GroupChanges>(plan_);
  closes_ = (late_check_ || processing_time_) &&
            (plan_->emit_on_close || plan_->view_retention_us > 0 || group_changes_);
  tells_ = plan_->output_stream && plan_->output_stream->watermark_told;
  hears_told_ = plan_->source->watermark_told && !processing_time_ && (closes_ || tells_);
  if (plan_->output_stream && plan_->emit_on_close && !plan_->count_window.any())
    closed_rows_ = std::make_unique<ClosedRows>(plan_);
  reports_ = closes_ && (plan_->repartition || (placement.workers > 1 && !processing_time_));
  use_columns(plan_->read_columns);
}

QueryTask::~QueryTask() = default;

Result<std::unique_ptr<QueryTask>> QueryTask::load(engine::PlanPtr plan, engine::StreamPtr dead_letters,
                                                   Placement placement,
                                                   std::unique_ptr<state::StateStore> store) {
  const auto cell = store->cells().find(kTaskCell);
  const std::string saved = cell == store->cells().end() ? std::string() : cell->second;
  auto task = std::make_unique<QueryTask>(std::move(plan), std::move(dead_letters), placement,
                                          std::move(store), Cut(0));
  if (!task->load_cell(saved)) {
    return error(Code::kCorrupt, "MR-STEP-0003",
                 fmt::format("the snapshot of {} does not hold a position that this version can read",
                             task->plan_->name));
  }
  return task;
}

void QueryTask::use_plan(engine::PlanPtr plan) {
  CHECK(plan->identity() == identity_, "what a step does stays as it is");
  plan_ = std::move(plan);
  use_columns(plan_->read_columns);
}

void QueryTask::use_columns(const std::vector<int>& columns) {
  pipeline_ = std::make_unique<Pipeline>(plan_, columns);
  columns_ = columns;
  again_.reset();
}

Status QueryTask::step(std::span<const log::FramePtr> frames, const FrameReports& heard, Cut to, bool more,
                       const StepRows& rows, TaskOutput& out) {
  Status taken = take(frames, heard, more, rows, out);
  // First: what the disk has not given back may be why the step failed.
  TRY(store_->settle());
  TRY(std::move(taken));
  position_ = to;
  ++counters_.steps;
  counters_.outputs += out.rows;
  return {};
}

Status QueryTask::take(std::span<const log::FramePtr> frames, const FrameReports& heard, bool more,
                       const StepRows& rows, TaskOutput& out) {
  const int64_t closed_before = closing_clocks().closed();
  if (std::exchange(shortened_, false)) complete_from_ = frames.front()->time;
  if (closes_ || plan_->repartition || hears_told_) {
    TRY(walk(frames, heard, rows, out));
  } else {
    TRY(process_in_order(heard, rows, out));
  }
  if (group_changes_) TRY(write_changes(closed_before, frames.back()->time, out));
  if (closes_) {
    if (processing_time_) pass_time(frames, heard);
    closing_clocks().settle();
    TRY(closed_rows_ ? write_closed(frames.back()->time, out) : close_windows(closed_before, out));
  }
  if (watched_ && !plan_->emit_on_close) TRY(emit_changes(frames.back()->time, more, out));
  if (reports_) make_reports(out);
  if (tells_) tell_watermark(out);
  return {};
}

// Frame by frame, where the order of rows and of what turns partitions active or idle matters.
Status QueryTask::walk(std::span<const log::FramePtr> frames, const FrameReports& heard, const StepRows& rows,
                       TaskOutput& out) {
  auto told = heard.of(plan_->id).begin();
  const auto end_told = closes_ && !planted(Planted::kDeafToReports) ? heard.of(plan_->id).end() : told;
  const auto& by_source = heard.told(plan_->source->id);
  auto told_source = hears_told_ ? by_source.begin() : by_source.end();
  auto again = heard.redriven(plan_->id).begin();
  const auto end_again = heard.redriven(plan_->id).end();
  size_t done = 0;
  const auto& origins = rows.batch().origins;
  const auto rows_before = [&](Cut cut) -> Status {
    size_t end = done;
    while (end < origins.size() && origins[end].cut < cut) ++end;
    const size_t from = std::exchange(done, end);
    return process(rows, from, end, out);
  };
  for (const auto& frame : frames) {
    if (quiet_starts_over(*frame)) clocks_.restart(frame->time);
    if (closes_ && frame->time.value >= clocks_.next_expiry(own_)) {
      TRY(rows_before(frame->cut));
      expire(*frame, out);
    }
    for (const auto& batch : frame->batches) {
      bool wakes = false;
      plan_->each_partition(batch.where,
                            [&](PartitionId p) { wakes |= closes_ && !closing_clocks().active(p); });
      if (wakes) {
        TRY(rows_before(frame->cut));
        closing_clocks().settle();
      }
      plan_->each_partition(batch.where, [&](PartitionId p) {
        reported_[p.value].idle = false;
        clocks_.saw_batch(p, frame->cut, frame->time);
        heard_.saw_batch(p, frame->cut, frame->time);
      });
    }
    if (plan_->repartition) TRY(merge_topic(*frame));
    for (; told != end_told && told->frame == frame->cut; ++told) hear(told->reports);
    for (; told_source != by_source.end() && told_source->frame == frame->cut; ++told_source) {
      TRY(rows_before(Cut(frame->cut.value + 1)));
      hear_told(*told_source);
    }
    for (; again != end_again && again->frame == frame->cut; ++again) {
      TRY(rows_before(Cut(frame->cut.value + 1)));
      if (closes_) closing_clocks().settle();  // what is closed must not depend on where the step began
      TRY(take_again(*again, out));
    }
  }
  return process(rows, done, rows.batch().rows, out);
}

// Without looking at the frames: the rows, and between them what is taken again.
Status QueryTask::process_in_order(const FrameReports& heard, const StepRows& rows, TaskOutput& out) {
  size_t done = 0;
  const auto& origins = rows.batch().origins;
  for (const auto& letter : heard.redriven(plan_->id)) {
    size_t end = done;
    while (end < origins.size() && origins[end].cut <= letter.frame) ++end;
    TRY(process(rows, std::exchange(done, end), end, out));
    TRY(take_again(letter, out));
  }
  return process(rows, done, rows.batch().rows, out);
}

// A partition that turns idle is told at once: it may be active again before the step ends, and what a step
// tells must not depend on where it ends.
void QueryTask::expire(const log::Frame& frame, TaskOutput& out) {
  clocks_.settle();
  if (!clocks_.expire(own_, frame.time) || !reports_) return;
  for (size_t p = 0; p < own_.size(); ++p) {
    const PartitionId partition(static_cast<uint16_t>(p));
    if (!own_[p] || !clocks_.idle(partition) || reported_[p].idle) continue;
    const int64_t watermark = clocks_.watermark(partition);
    if (watermark != INT64_MIN) reported_[p].bucket = bucket_of(watermark);
    reported_[p].idle = true;
    out.reports.push_back(Report{partition, watermark, frame.cut});
  }
}

Status QueryTask::merge_topic(const log::Frame& frame) {
  StopWatch watch(clock_);
  for (const auto& batch : frame.batches) {
    if (batch.where.stream != plan_->repartition_topic->id || !own_topic_[batch.where.partition.value])
      continue;
    TRY_ASSIGN(const auto view, log::RecordBatchView::parse(batch.bytes.view(), false));
    log::RecordBatchView::Cursor cursor(view);
    ++counters_.merged_batches;
    for (log::Record record; cursor.next(record);) {
      ++counters_.merged;
      auto merged =
          pipeline_->aggregation->merge(record.value, *store_, collects_changes() ? &changed_ : nullptr);
      if (!merged.ok()) return state_error(merged.error());
      TRY(store_->settle());
    }
  }
  watch.lap(counters_.merge_ns);
  return {};
}

// Its own partitions a task knows better, unless everybody must agree frame by frame (repartition).
bool QueryTask::hears(const Report& report) const {
  return plan_->repartition || !own_[report.partition.value];
}

// Partitions that turned idle in one frame did so together, as with their owner.
void QueryTask::hear(const std::vector<Report>& reports) {
  auto& clocks = closing_clocks();
  for (auto first = reports.begin(); first != reports.end();) {
    auto end = first;
    while (end != reports.end() && end->idle_since == first->idle_since) ++end;
    const std::span<const Report> together(first, end);
    first = end;
    for (const auto& report : together) {
      if (hears(report)) clocks.advance(report.partition, report.watermark_us);
    }
    if (!together.front().idle()) continue;
    clocks.settle();
    for (const auto& report : together) {
      if (hears(report) && clocks.idle_since(report.partition, report.idle_since))
        clocks.set_idle(report.partition);
    }
  }
}

Status QueryTask::process(const StepRows& rows, size_t from, size_t to, TaskOutput& out) {
  if (from == to) return {};
  StopWatch watch(clock_);
  ++counters_.batches;
  counters_.rows += to - from;
  Selection selection;
  selection.reserve(to - from);
  auto bad = std::lower_bound(rows.errors().begin(), rows.errors().end(), from,
                              [](const RowError& e, size_t row) { return e.row < row; });
  for (size_t row = from; row < to; ++row) {
    if (bad != rows.errors().end() && bad->row == row) {
      dead_letter(rows.batch(), static_cast<uint32_t>(row), "undecodable", bad->id, bad->message, 0, out);
      ++counters_.undecodable;
      while (bad != rows.errors().end() && bad->row == row) ++bad;
      continue;
    }
    selection.push_back(static_cast<uint32_t>(row));
  }
  if (plan_->updating()) {
    TRY(upsert(rows, selection, out));
    watch.lap(counters_.shape_ns);
    return {};
  }
  const Selection decoded = time_column_ >= 0 ? selection : Selection();
  if (!plan_->arms.empty()) leave_out(rows, from, to, selection, out);
  filter_rows(rows.batch(), selection, out);
  const size_t in_time = selection.size();
  if (time_column_ >= 0) drop_late(rows, decoded, selection, out);
  counters_.late += in_time - selection.size();
  watch.lap(counters_.filter_ns);
  TRY(run_shape(rows.batch(), selection, out));
  watch.lap(counters_.shape_ns);
  return {};
}

// The first look at a batch of rows.
void QueryTask::filter_rows(const Batch& batch, Selection& selection, TaskOutput& out) {
  pipeline_->shared.begin();
  if (!pipeline_->filter) return;
  std::vector<RowError> errors;
  const size_t before = rows_that_come(batch, selection);
  pipeline_->filter->filter(batch, selection, errors);
  const auto failed = std::count_if(errors.begin(), errors.end(),
                                    [&](const auto& e) { return !e.kept && comes(batch, e.row); });
  counters_.filtered += before - rows_that_come(batch, selection) - static_cast<size_t>(failed);
  dead_letters(batch, errors, out);
}

// What the queries of a UNION ALL leave out, or failed for.
void QueryTask::leave_out(const StepRows& rows, size_t from, size_t to, Selection& selection,
                          TaskOutput& out) {
  std::vector<RowError> errors;
  for (const RowError& error : rows.failed()) {
    if (error.row >= from && error.row < to) errors.push_back(error);
  }
  const auto failed = std::count_if(errors.begin(), errors.end(), [](const auto& e) { return !e.kept; });
  counters_.filtered += std::erase_if(selection, [&](uint32_t row) { return !rows.passes(row); }) - failed;
  dead_letters(rows.batch(), errors, out);
}

// Every decoded row moves its partition's watermark; a selected one must not be behind what is closed. The
// order of the rows is the order of the log.
void QueryTask::drop_late(const StepRows& rows, const Selection& decoded, Selection& selection,
                          TaskOutput& out) {
  const Batch& batch = rows.batch();
  const Column& time = batch.columns[static_cast<size_t>(pipeline_->time_column)];
  pipeline_->ended.resize(plan_->window.shares_panes() ? batch.rows : 0);
  size_t kept = 0;
  size_t next = 0;
  for (const uint32_t row : decoded) {
    if (next < selection.size() && selection[next] == row) {
      ++next;
      if (in_time(batch, row, out)) selection[kept++] = row;
    }
    pass_event(batch, time, row);
  }
  selection.resize(kept);
}

void QueryTask::pass_event(const Batch& batch, const Column& time, uint32_t row) {
  if (!late_check_ || takes_again_ || time.is_null(row)) return;
  clocks_.advance(batch.origins[row].partition, time.integers[row] - plan_->disorder_us());
}

// Whether a window of the row is open; else it is told, but for one that goes: its window keeps what it had.
bool QueryTask::in_time(const Batch& batch, uint32_t row, TaskOutput& out) {
  const Column& time = batch.columns[static_cast<size_t>(pipeline_->time_column)];
  if (time.is_null(row)) {
    if (comes(batch, row)) {
      dead_letter(batch, row, "no_event_time", "MR-STEP-0010",
                  "the event time is NULL, so the row has no window", 0, out);
    }
    return false;
  }
  const int64_t t = time.integers[row];
  const auto partition = batch.origins[row].partition;
  const int64_t window_end = plan_->window.last_end(t);
  const bool late = late_check_ && window_end <= clocks_.watermark(partition);
  if (!late && !(closes_ && window_end <= closing_clocks().closed())) {
    note_ended(row, partition);
    return true;
  }
  if (!comes(batch, row)) {
    ++counters_.kept_by_closed;
  } else if (late) {
    too_late(batch, row, "late", "MR-STEP-0011", "the row's window had ended by its partition's watermark",
             clocks_.watermark(partition) - t, out);
  } else {
    too_late(batch, row, "closed_while_idle", "MR-STEP-0012",
             "the row's window was closed while its partition was idle", closing_clocks().closed() - t, out);
  }
  return false;
}

// The windows that end up to there do not take the row any more.
void QueryTask::note_ended(uint32_t row, PartitionId partition) {
  if (pipeline_->ended.empty()) return;
  const int64_t watermark = late_check_ ? clocks_.watermark(partition) : INT64_MIN;
  pipeline_->ended[row] = closes_ ? std::max(watermark, closing_clocks().closed()) : watermark;
}

// The journal's time is the watermark of every partition: what a row's window is, its frame says.
void QueryTask::pass_time(std::span<const log::FramePtr> frames, const FrameReports& heard) {
  const auto& letters = heard.redriven(plan_->id);
  for (const auto& frame : frames) {
    const auto& batches = frame->batches;
    const bool any = std::any_of(batches.begin(), batches.end(),
                                 [&](const auto& batch) { return plan_->reads(batch.where.stream); }) ||
                     std::any_of(letters.begin(), letters.end(),
                                 [&](const auto& letter) { return letter.frame == frame->cut; });
    if (any) processing_time_->saw_batch(frame->time);
  }
  const int64_t closed = processing_time_->closed(frames.back()->time);
  for (size_t p = 0; p < own_.size(); ++p) clocks_.advance(PartitionId(static_cast<uint16_t>(p)), closed);
}

// Changes where a watermark passes a window's end, or the end of how long one is kept. (It may wrap around.)
int64_t QueryTask::bucket_of(int64_t watermark) const {
  const auto ended = static_cast<uint64_t>(plan_->window.ends_until(watermark));
  if (plan_->view_retention_us == 0) return static_cast<int64_t>(ended);
  const int64_t gone = plan_->window.ends_until(watermark - plan_->view_retention_us);
  return static_cast<int64_t>(ended + static_cast<uint64_t>(gone));
}

// Watermarks travel when something follows from them: nothing closes, or goes, in between.
void QueryTask::make_reports(TaskOutput& out) {
  for (size_t p = 0; p < own_.size(); ++p) {
    const PartitionId partition(static_cast<uint16_t>(p));
    if (!own_[p] || clocks_.watermark(partition) == INT64_MIN) continue;
    auto& last = reported_[p];
    const int64_t bucket = bucket_of(clocks_.watermark(partition));
    if (bucket == last.bucket) continue;
    last.bucket = bucket;
    out.reports.push_back(Report{partition, clocks_.watermark(partition), {}});
  }
}

int64_t QueryTask::closed() const {
  return plan_->emit_on_close ? closing_clocks().closed() : INT64_MAX;
}

int64_t QueryTask::dropped() const {
  const int64_t closed = closing_clocks().closed();
  const bool drops = plan_->view_retention_us > 0 && closed != INT64_MIN;
  if (drops && planted(Planted::kDropEarly)) return closed;
  return drops ? closed - plan_->view_retention_us : INT64_MIN;
}

int64_t QueryTask::next_timer() const {
  int64_t timer = INT64_MAX;
  // Owed, as when workers changed: at the next frame, whatever that is.
  if (holds_rows() || (tells_ && least_to_come() > told_)) return 0;
  if (processing_time_ && closes_)
    timer = processing_time_->next_timer(clocks_.watermark(PartitionId(0)));
  else if (closes_)
    timer = clocks_.next_expiry(own_);
  return changed_.empty() ? timer : std::min(timer, told_us_ + plan_->emit_every_us);
}

namespace {

engine::OperatorState& state_of(engine::QueryReport& report, uint16_t slot) {
  if (slot == engine::kDistinctSlot || slot == engine::kDistinctNumbersSlot) return report.distinct;
  if (slot == engine::kRowsSlot) return report.rows;
  return slot == engine::kLastRowsSlot ? report.last_rows : report.groups;
}

// What stands beside the groups is of groups that are counted.
bool counts_keys(uint16_t slot) {
  return slot != engine::kLateSlot && slot != engine::kNumbersSlot && slot != engine::kDistinctNumbersSlot;
}

}  // namespace

// Of the partitions, its own: their owner knows them row by row.
engine::QueryReport QueryTask::report() const {
  engine::QueryReport report;
  report.counters = counters_;
  report.state_bytes = store_->bytes();
  const auto epoch = store_->freeze();
  for (const auto& table : store_->tables()) {
    engine::OperatorState& state = state_of(report, table.slot);
    if (counts_keys(table.slot)) state.keys += epoch->rows(table);
    state.bytes += epoch->bytes(table);
  }
  for (size_t p = 0; p < own_.size() && late_check_; ++p) {
    const PartitionId id(static_cast<uint16_t>(p));
    const int64_t closed = closes_ ? closing_clocks().closed() : INT64_MIN;
    if (own_[p]) report.late_before.push_back({id, std::max(clocks_.watermark(id), closed)});
  }
  if (!closes_ || processing_time_) return report;
  for (size_t p = 0; p < own_.size(); ++p) {
    const PartitionId id(static_cast<uint16_t>(p));
    if (own_[p]) report.partitions.push_back({id, clocks_.seen(id), clocks_.idle(id), clocks_.watermark(id)});
  }
  return report;
}

int64_t QueryTask::watermark() const {
  if (!closes_ || processing_time_) return INT64_MIN;
  int64_t least = INT64_MAX;
  for (size_t p = 0; p < own_.size(); ++p) {
    const PartitionId id(static_cast<uint16_t>(p));
    if (own_[p] && clocks_.active(id)) least = std::min(least, clocks_.watermark(id));
  }
  return least == INT64_MAX ? INT64_MIN : least;
}

std::shared_ptr<const state::Epoch> QueryTask::freeze() {
  save_cell();
  return store_->freeze();
}

void QueryTask::save_cell() {
  std::string cell;
  append_le<uint8_t>(cell, kCellLayout);
  append_le(cell, position_.value + (planted(Planted::kSnapshotAhead) ? 1 : 0));
  append_le(cell, end_.value);
  append_le(cell, complete_from_.value);
  const bool forget = planted(Planted::kForgetWatermarks);
  const PartitionClocks none(plan_->source->partitions, plan_->source->idle_timeout_us);
  (forget ? none : clocks_).save(cell);
  (forget ? none : heard_).save(cell);
  if (processing_time_) processing_time_->save(cell);
  for (const auto& reported : reported_) {
    append_le(cell, reported.bucket);
    append_le<uint8_t>(cell, reported.idle ? 1 : 0);
  }
  if (tells_) append_le(cell, told_);
  if (closed_rows_) closed_rows_->save(cell);
  store_->set_cell(kTaskCell, std::move(cell));
}

bool QueryTask::load_cell(std::string_view cell) {
  ByteReader in(cell);
  if (in.le<uint8_t>() != kCellLayout) return false;
  position_ = Cut(in.le<uint64_t>());
  end_ = Cut(in.le<uint64_t>());
  complete_from_ = AppendTime(in.le<int64_t>());
  if (!clocks_.load(in) || !heard_.load(in)) return false;
  if (processing_time_) processing_time_->load(in);
  for (auto& reported : reported_) {
    reported.bucket = in.le<int64_t>();
    reported.idle = in.le<uint8_t>() != 0;
  }
  if (tells_) told_ = in.le<int64_t>();
  if (closed_rows_) closed_rows_->load(in);
  return in.done();
}

Result<std::vector<std::unique_ptr<QueryTask>>> QueryTask::relayout(
    std::vector<std::unique_ptr<QueryTask>> tasks, uint32_t workers,
    const std::function<std::unique_ptr<state::StateStore>()>& make_store) {
  const auto old_workers = static_cast<uint32_t>(tasks.size());
  const auto& first = *tasks.front();
  std::vector<std::unique_ptr<QueryTask>> out;
  for (uint32_t w = 0; w < workers; ++w) {
    auto task = std::make_unique<QueryTask>(first.plan_, first.dead_letters_, Placement{w, workers},
                                            make_store(), first.position_);
    for (uint32_t p = 0; p < task->own_.size(); ++p) {
      // The owner knows its partition row by row; everybody knows the rest alike.
      const auto& owner =
          *tasks[worker_of_partition(p, static_cast<uint32_t>(task->own_.size()), old_workers)];
      const PartitionId partition(static_cast<uint16_t>(p));
      task->clocks_.adopt(partition, owner.clocks_);
      task->reported_[p] = owner.reported_[p];
      if (task->closed_rows_) task->closed_rows_->adopt(partition, *owner.closed_rows_);
      // All of them know it by adoption, so it counts as told: where one worker ran alone nothing was.
      if (first.plan_->repartition || !task->closes_) continue;
      const int64_t watermark = task->clocks_.watermark(partition);
      if (watermark != INT64_MIN) task->reported_[p].bucket = task->bucket_of(watermark);
      task->reported_[p].idle = task->clocks_.idle(partition);
    }
    task->heard_ = first.heard_;
    task->complete_from_ = first.complete_from_;
    task->processing_time_ = first.processing_time_;
    // Its readers know what the owners told of these partitions.
    if (task->tells_) task->told_ = task->least_to_come();
    for (const auto& old : tasks) {
      CHECK(old->position_ == first.position_, "a change of the number of workers needs tasks at one cut");
      task->clocks_.raise_closed(old->clocks_.closed());
      task->heard_.raise_closed(old->heard_.closed());
    }
    out.push_back(std::move(task));
  }
  std::vector<state::StateStore*> stores;
  for (auto& task : out) stores.push_back(task->store_.get());
  uint64_t rows = 0;
  Status settled;
  for (auto& old : tasks) {
    if (planted(Planted::kForgetGroups) && old == tasks.back()) break;
    TRY(engine::split_state(*old->plan_, *old->store_->freeze(),
                            [&](uint32_t key_group) -> state::StateStore& {
                              auto& store = *stores[worker_of_key_group(key_group, workers)];
                              if (++rows % engine::kRowsASettling == 0 && settled.ok())
                                settled = store.settle();
                              return store;
                            }));
    TRY(std::move(settled));
  }
  for (auto* store : stores) TRY(store->settle());
  return out;
}

}  // namespace millrace::processor
