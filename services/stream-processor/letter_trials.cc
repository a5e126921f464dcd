#include "stream-processor/letter_trials.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/json.h"
#include "log/record_batch.h"
#include "stream-processor/query_task.h"
#include "stream-processor/redriven_frame.h"
#include "stream-processor/union_rows.h"

namespace millrace::processor {
namespace {

using Shape = engine::QueryPlan::Shape;

// Where a trial's dead letters go: a stream that nobody has.
engine::StreamPtr nobodys_letters() {
  auto stream = std::make_shared<engine::StreamDef>();
  stream->kind = engine::StreamKind::kDeadLetters;
  stream->id = StreamId(UINT32_MAX);
  return stream;
}

// The query with its groups shown at once: no other worker takes a part in them, and no window waits for its end.
engine::PlanPtr shown_at_once(const engine::PlanPtr& plan) {
  if (plan->shape != Shape::kAggregate) return plan;
  auto shown = std::make_shared<engine::QueryPlan>(*plan);
  shown->repartition = false;
  shown->repartition_topic = nullptr;
  shown->output_stream = nullptr;
  shown->emit_on_close = false;
  return shown;
}

// The rows that a watcher would be told of, without what is said of them; none of a group that HAVING hides.
std::vector<std::string> rows_of(const JsonRows& changes) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < changes.size(); ++i) {
    const std::string_view row = changes.row(i);
    for (const std::string_view told : {R"({"_op":"upsert",)", R"({"_op":"insert",)"}) {
      if (row.starts_with(told)) rows.push_back(fmt::format("{{{}", row.substr(told.size())));
    }
  }
  return rows;
}

std::string member_of(const std::string& letter, std::string_view name) {
  const Buffer padded = Buffer::copy(letter);
  const auto members = formats::split_members(padded.view());
  if (!members) return {};
  for (const auto& member : *members) {
    if (member.name == name) return formats::read_json_string(member.value).value_or("");
  }
  return {};
}

// The values of the records that stand for `stream`.
Result<std::vector<std::string>> records_of(TaskOutput& out, StreamId stream) {
  std::vector<std::string> values;
  for (auto& part : out.parts) {
    if (part.where.stream != stream) continue;
    const std::string bytes = std::move(part.records).finish();
    TRY_ASSIGN(const auto view, log::RecordBatchView::parse(bytes, false));
    log::RecordBatchView::Cursor cursor(view);
    for (log::Record record; cursor.next(record);) values.emplace_back(record.value);
  }
  return values;
}

}  // namespace

// The outputs of a step are one frame with its record, whose entries take the batches in order.
Result<QueryId> LetterTrials::writer_of(StreamId letters, Offset letter, Cut frame) {
  TRY_ASSIGN(const auto frames,
             journal_.read_frames(Cut(frame.value - 1), frame, 1, [](StreamPartition) { return false; }));
  const auto& batches = frames.front()->batches;
  const auto holds = [&](const log::FrameBatch& batch) {
    return batch.where.stream == letters && batch.first <= letter &&
           letter.value < batch.first.value + batch.count;
  };
  const auto found =
      static_cast<size_t>(std::find_if(batches.begin(), batches.end(), holds) - batches.begin());
  for (const auto& control : frames.front()->controls) {
    if (control.kind != log::ControlKind::kStep) continue;
    TRY_ASSIGN(const auto record, decode_step(control.payload.view()));
    size_t end = 0;
    for (const auto& entry : record.entries) {
      end += entry.batches;
      if (found < end) return entry.query;
    }
  }
  return error(Code::kCorrupt, "MR-DLQ-0012",
               fmt::format("frame {} does not say which query wrote the dead letter", frame.value),
               "run millrace log verify");
}

Result<engine::LetterTrial> LetterTrials::try_event(const engine::PlanPtr& plan,
                                                    const engine::LetterEvent& event, AppendTime now,
                                                    const std::vector<engine::LateBefore>& late_before) {
  const Cut cut(1);
  const log::FramePtr frame = redriven_frame(event, cut, now);
  const engine::PlanPtr shown = shown_at_once(plan);
  const auto letters = nobodys_letters();
  QueryTask task(shown, letters, Placement{0, 1}, state::StateStore::make({}), Cut(0));
  task.begin_late(late_before);
  task.watch(true);
  const auto rows = make_rows(*shown, 0, 1);
  rows->decode({&frame, 1});
  TaskOutput out(SIZE_MAX);
  TRY(task.step({&frame, 1}, FrameReports(), cut, false, *rows, out));
  engine::LetterTrial trial;
  using Outcome = engine::LetterTrial::Outcome;
  TRY_ASSIGN(const auto failed, records_of(out, letters->id));
  if (!failed.empty()) {
    trial.outcome = Outcome::kFails;
    trial.cause = member_of(failed.front(), "cause");
    trial.code = member_of(failed.front(), "code");
    trial.message = member_of(failed.front(), "message");
    return trial;
  }
  if (shown->output_stream) {
    TRY_ASSIGN(trial.rows, records_of(out, shown->output_stream->id));
  } else {
    trial.rows = rows_of(out.changes);
  }
  if (task.report().counters.shaped > 0) trial.outcome = Outcome::kPasses;
  return trial;
}

}  // namespace millrace::processor
