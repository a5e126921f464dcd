// What a task does when windows close: a view's rows are shown, a stream's are written, and what nobody needs any more
// leaves the state. And how far a stream's watermark is, for those who read it.
#include "engine/select.h"
#include "stream-processor/internal/pipeline.h"

namespace millrace::processor {

Status QueryTask::close_windows(int64_t closed_before, TaskOutput& out) {
  const int64_t closed = closing_clocks().closed();
  if (closed == closed_before) return {};
  if (group_changes_) return drop_windows(closed);  // no row comes to them: what was told of them stays
  if (plan_->window.is_session()) return close_sessions(closed_before, closed, out);
  // Whether the end of some window lies between the two: else no state is frozen, and none looked at, for
  // nothing.
  const auto passed = [&](int64_t later) {
    return closed_before == INT64_MIN ||
           plan_->window.ends_until(closed - later) != plan_->window.ends_until(closed_before - later);
  };
  if (watched_ && plan_->emit_on_close && passed(0)) {
    out.closed = ClosedWindows{plan_, store_->freeze(), closed_before, closed};
  }
  if (passed(0)) {  // no row comes to a closed window
    drop_ended(engine::kDistinctSlot, closed);
    drop_ended(engine::kDistinctNumbersSlot, closed);
  }
  if (plan_->view_retention_us > 0 && passed(plan_->view_retention_us)) {
    drop_ended(engine::kGroupsSlot, dropped());
    drop_ended(engine::kLateSlot, dropped());
  }
  return {};
}

// A few at a time end and are found by their ends: rendered here, without a frozen state.
Status QueryTask::close_sessions(int64_t closed_before, int64_t closed, TaskOutput& out) {
  if (watched_ && plan_->emit_on_close) {
    Batch groups;
    TRY(pipeline_->aggregation->read_ended_sessions(closed_before, closed, *store_, groups));
    append_groups(*plan_, groups, "", out.changes);
  }
  if (plan_->view_retention_us == 0) return {};
  return pipeline_->aggregation->drop_ended_sessions(dropped(), *store_);
}

// Windows of rows close with their last row, of whose partition and time what is written is.
Status QueryTask::close_counts(const Batch& batch, TaskOutput& out) {
  engine::Aggregation& aggregation = *pipeline_->aggregation;
  if (plan_->output_stream || (watched_ && plan_->emit_on_close)) {
    Batch groups;
    std::vector<uint32_t> last_rows;
    TRY(aggregation.read_closed_counts(*store_, groups, last_rows));
    if (plan_->output_stream)
      write_counts(std::move(groups), last_rows, batch, out);
    else
      append_groups(*plan_, groups, "", out.changes);
  }
  aggregation.drop_closed_counts(*store_);
  return {};
}

void QueryTask::write_counts(Batch groups, const std::vector<uint32_t>& last_rows, const Batch& batch,
                             TaskOutput& out) {
  GroupRows& rows = *pipeline_->group_rows;
  Selection all = engine::all_rows(groups);
  rows.evaluate(std::move(groups), std::move(all));
  for (size_t group = 0; group < last_rows.size(); ++group) {
    const RowOrigin& last = batch.origins[last_rows[group]];
    rows.write(
        group,
        [&](std::string_view json) {
          out.add({plan_->output_stream->id, last.partition}, json, last.append_time.value / 1000);
        },
        [&](const RowError& error, std::string_view keys) {
          return group_letter(error, keys, last.append_time, out);
        });
  }
}

void QueryTask::drop_ended(uint16_t slot, int64_t watermark) {
  for (const auto& table : store_->tables(plan_->id, slot)) {
    if (plan_->window.last_end(table.window) > watermark) break;
    store_->drop(table);
  }
}

Status QueryTask::write_closed(AppendTime now, TaskOutput& out) {
  const int64_t closed = closing_clocks().closed();
  const auto failed = [&](const RowError& error, std::string_view keys) {
    return group_letter(error, keys, now, out);
  };
  const auto row = [&](PartitionId partition, std::string_view json) {
    out.add({plan_->output_stream->id, partition}, json, now.value / 1000);
  };
  size_t bytes = 0;
  while (closed_rows_->waiting() || closed_rows_->due(closed)) {
    TRY(closed_rows_->read(closed, *pipeline_->aggregation, *store_));
    closed_rows_->write(bytes, row, failed);
    if (closed_rows_->waiting()) return {};
    TRY(drop_windows(closed_rows_->written()));
  }
  return {};
}

Status QueryTask::drop_windows(int64_t upto) {
  if (plan_->window.is_session()) return pipeline_->aggregation->drop_ended_sessions(upto, *store_);
  for (const uint16_t slot : {engine::kGroupsSlot, engine::kLateSlot, engine::kDistinctSlot,
                              engine::kDistinctNumbersSlot, engine::kRowsSlot})
    drop_ended(slot, upto);
  return {};
}

// Of the partitions that this worker writes: what it has written of windows, or passed on of what its source told.
int64_t QueryTask::least_to_come() const {
  if (closed_rows_) return closed_rows_->least_to_come();
  int64_t least = INT64_MAX;
  for (size_t p = 0; p < own_.size(); ++p) {
    if (own_[p]) least = std::min(least, clocks_.watermark(PartitionId(static_cast<uint16_t>(p))));
  }
  return least == INT64_MAX ? INT64_MIN : least;  // it writes none
}

void QueryTask::tell_watermark(TaskOutput& out) {
  const int64_t least = least_to_come();
  if (least <= told_) return;
  told_ = least;
  out.reports.push_back(Report{Report::kOutputs, least, {}});
}

// The rows up to its frame have been processed: what is to come is not before that.
void QueryTask::hear_told(const FrameReports::Told& told) {
  const auto partitions = static_cast<uint32_t>(own_.size());
  for (uint32_t p = 0; p < partitions; ++p) {
    if (own_[p] && worker_of_partition(p, partitions, told.by.workers) == told.by.worker)
      clocks_.advance(PartitionId(static_cast<uint16_t>(p)), told.least_us - plan_->disorder_us());
  }
}

}  // namespace millrace::processor
