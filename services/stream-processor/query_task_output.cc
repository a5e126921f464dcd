// What a task gives: rows of a derived stream, repartition records, changes for watchers, dead letters.
#include <fmt/format.h>

#include "engine/dead_letter.h"
#include "engine/select.h"
#include "stream-processor/internal/pipeline.h"

namespace millrace::processor {
namespace {
using Shape = engine::QueryPlan::Shape;
// How much waits for EMIT EVERY's interval, or for a step that follows at once: rows to tell, events taken.
constexpr size_t kMostHeld = 100'000;
constexpr uint64_t kMostTaken = 50'000;

std::string placed_message(const RowError& failed) {
  if (failed.span.line == 0) return failed.message;
  return fmt::format("{} (line {}, column {} of the query)", failed.message, failed.span.line,
                     failed.span.column);
}

}  // namespace

// What does not fit into the state is said of the query; that the memory or the disk is too small stays as it is.
Error QueryTask::state_error(const Error& cause) const {
  if (cause.code != Code::kExhausted || cause.id == "MR-STATE-0007") return cause;
  return error(Code::kExhausted, "MR-STEP-0005",
               fmt::format("the state of {} is larger than its bound: it takes {} bytes on one worker",
                           plan_->name, store_->bytes()),
               "DROP it and group by fewer keys or give it WITH (retention = '…'), or start with a larger "
               "--state-mb");
}

Status QueryTask::run_shape(const Batch& batch, Selection& selection, TaskOutput& out) {
  if (selection.empty()) return {};
  counters_.shaped += selection.size();
  ++counters_.shaped_batches;
  std::vector<RowError> errors;
  switch (plan_->shape) {
    case Shape::kStream:
    case Shape::kRows:
      TRY(emit_rows(batch, selection, errors, out));
      break;
    case Shape::kAggregate:
      if (plan_->repartition) {
        const int64_t at_ms = batch.origins.back().append_time.value / 1000;
        const auto write = [&](size_t p, std::string_view payload) {
          out.add({plan_->repartition_topic->id, PartitionId(static_cast<uint16_t>(p))}, payload, at_ms);
        };
        TRY(pipeline_->aggregation->partial(batch, selection,
                                            {plan_->repartition_topic->partitions, out.slice_bytes, write},
                                            errors, pipeline_->ended));
      } else {
        auto* changed = collects_changes() ? &changed_ : nullptr;
        auto added =
            pipeline_->aggregation->add(batch, selection, *store_, errors, changed, pipeline_->ended);
        if (!added.ok()) return state_error(added.error());
      }
  }
  dead_letters(batch, errors, out);
  if (plan_->count_window.any()) TRY(close_counts(batch, out));
  return {};
}

// The view's rows of the selected ones; what fails leaves the selection.
Batch QueryTask::project_rows(const Batch& batch, Selection& selection, std::vector<RowError>& errors) {
  Batch made;
  made.set_schema(plan_->output_schema());
  auto projected = engine::project(*pipeline_->plan, batch, selection, made, errors);
  CHECK(projected.ok(), "a projection reports its rows, it does not fail");
  return made;
}

Status QueryTask::emit_rows(const Batch& batch, Selection& selection, std::vector<RowError>& errors,
                            TaskOutput& out) {
  if (plan_->shape == Shape::kRows) {
    const Batch made = project_rows(batch, selection, errors);
    auto kept = pipeline_->rows_view->add(made, engine::all_rows(made), *store_);
    if (!kept.ok()) return state_error(kept.error());
    if (watched_) append_rows(*plan_, made, "insert", out.changes);
    return {};
  }
  std::vector<const Column*> columns;
  for (auto& output : pipeline_->outputs) columns.push_back(&output.evaluate(batch, selection, errors));
  TaskOutput::Part* part = nullptr;
  for (const uint32_t row : selection) {
    const RowOrigin& origin = batch.origins[row];
    if (part == nullptr || part->where.partition != origin.partition || out.is_full(*part))
      part = &out.part_of({plan_->output_stream->id, origin.partition});
    const bool first = part->records.empty();
    const std::string_view written = part->add_in_place(
        [&](std::string& bytes, size_t at) { return pipeline_->writer->write(bytes, at, columns, row); },
        origin.append_time.value / 1000);
    if (first)
      part->records.reserve(std::min(out.slice_bytes, expected_bytes(selection.size(), written.size())));
    ++out.rows;
  }
  return {};
}

// Of one partition's rows, if they are all like this one, or a little longer.
size_t QueryTask::expected_bytes(size_t rows, size_t row_bytes) const {
  constexpr size_t kAround = 12;  // a record's own bytes
  constexpr size_t kMost = 4u << 20;
  const size_t partitions = std::max<size_t>(1, plan_->output_stream->partitions / placement_.workers);
  return std::min(kMost, rows / partitions * (row_bytes + kAround) * 9 / 8);
}

// The groups that changed, as they are, but for windows that had ended by then; those that are no more in `gone`.
Status QueryTask::read_changed(int64_t ended, Batch& groups, Batch& gone) {
  auto& aggregation = *pipeline_->aggregation;
  if (plan_->window.is_session()) return aggregation.read_changed_sessions(changed_, *store_, groups, gone);
  const auto open = [&](const engine::Window& window) { return plan_->window_key < 0 || window.end > ended; };
  return aggregation.read_changed(changed_, *store_, open, groups, plan_->updating() ? &gone : nullptr);
}

// A group that changes again and again is told once, as it is then: EMIT EVERY once an interval; of events that have
// waited, of many together. Not where it may be gone by then, untold: a session, or a window that is dropped.
bool QueryTask::tells_now(AppendTime now, bool more) const {
  if (changed_.size() * plan_->most_windows() >= kMostHeld) return true;
  if (plan_->emit_every_us > 0) return now.value >= told_us_ + plan_->emit_every_us;
  const bool may_go = plan_->window.is_session() || plan_->view_retention_us > 0 || plan_->retention_rows > 0;
  return may_go || !more || taken() - told_taken_ >= kMostTaken;
}

Status QueryTask::emit_changes(AppendTime now, bool more, TaskOutput& out) {
  if (changed_.empty() || !tells_now(now, more)) return {};
  told_us_ = now.value;
  told_taken_ = taken();
  Batch groups;
  Batch gone;
  TRY(read_changed(dropped(), groups, gone));
  append_gone(*plan_, gone, out.changes);
  append_changes(*plan_, groups, out.changes);
  changed_.clear();
  return {};
}

// Windows that had closed before this step are as they were told, and may be gone.
Status QueryTask::write_changes(int64_t closed_before, AppendTime now, TaskOutput& out) {
  if (changed_.empty()) return {};
  out.recorded = true;
  Batch groups;
  Batch gone;
  TRY(read_changed(closed_before, groups, gone));
  changed_.clear();
  const auto row = [&](PartitionId partition, std::string_view json) {
    out.add({plan_->output_stream->id, partition}, json, now.value / 1000);
  };
  const auto failed = [&](const RowError& error, std::string_view keys) {
    group_letter(error, keys, now, out);
  };
  auto written = group_changes_->write(groups, gone, *store_, row, failed);
  return written.ok() ? written : Status(state_error(written.error()));
}

// To the stream that the query names, as it came; else to the dead letters.
void QueryTask::too_late(const Batch& batch, uint32_t row, std::string_view cause, std::string_view code,
                         std::string_view message, int64_t lateness_us, TaskOutput& out) {
  if (!plan_->late_stream) return dead_letter(batch, row, cause, code, message, lateness_us, out);
  const auto& origin = batch.origins[row];
  out.add({plan_->late_stream->id, origin.partition}, batch.raw[row], origin.append_time.value / 1000);
}

// A row that goes (weight -1) was told when it came.
void QueryTask::dead_letters(const Batch& batch, const std::vector<RowError>& errors, TaskOutput& out) {
  for (const auto& failed : errors) {
    if (!comes(batch, failed.row)) continue;
    ++(failed.kept ? counters_.nulls : counters_.failed);
    out.nulls += failed.kept;
    if (failed.kept) continue;
    dead_letter(batch, failed.row, "failed", failed.id, placed_message(failed), 0, out);
  }
}

void QueryTask::dead_letter(const Batch& batch, uint32_t row, std::string_view cause, std::string_view code,
                            std::string_view message, int64_t lateness_us, TaskOutput& out) {
  RowOrigin origin = batch.origins[row];
  const engine::UnionArm* const arm = plan_->arm_of(origin.partition);
  const engine::StreamDef& stream = arm == nullptr ? *plan_->source : *arm->source;
  if (arm != nullptr)
    origin.partition = PartitionId(static_cast<uint16_t>(origin.partition.value - arm->first_partition));
  const engine::DeadLetter letter{origin.append_time, cause,  code,        message,
                                  stream.name,        origin, plan_->name, lateness_us,
                                  batch.raw[row]};
  out.add({dead_letters_->id, PartitionId(0)}, to_json(letter), origin.append_time.value / 1000);
}

// A group of which an output or HAVING fails, where it goes into a stream. The bytes that are written.
size_t QueryTask::group_letter(const RowError& failed, std::string_view keys, AppendTime now,
                               TaskOutput& out) {
  ++(failed.kept ? counters_.nulls : counters_.failed);
  out.nulls += failed.kept;
  if (failed.kept) return 0;
  const std::string message = placed_message(failed);
  const engine::DeadLetter letter{now, "failed",    failed.id, message, plan_->source->name,
                                  {},  plan_->name, 0,         keys};
  const std::string json = to_json(letter);
  out.add({dead_letters_->id, PartitionId(0)}, json, now.value / 1000);
  return json.size();
}

}  // namespace millrace::processor
