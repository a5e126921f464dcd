#include "stream-processor/frame_reports.h"

#include <utility>

#include "sql/catalog.h"

namespace millrace::processor {

FrameReports::FrameReports(std::span<const log::FramePtr> frames) {
  for (const auto& frame : frames) {
    for (const auto& control : frame->controls) {
      if (control.kind == log::ControlKind::kLetter) add_letter(*frame, control.payload.view());
      if (control.kind != log::ControlKind::kStep) continue;
      auto record = decode_step(control.payload.view());
      CHECK(record.ok(), "a step record in a verified frame does not parse");
      const Placement by{record->worker, record->workers};
      for (auto& entry : record->entries) add(frame->cut, by, std::move(entry));
    }
  }
}

void FrameReports::add(Cut frame, Placement by, StepEntry entry) {
  std::erase_if(entry.reports, [&](const Report& report) {
    if (report.partition != Report::kOutputs) return false;
    const StreamId made = sql::stream_of(sql::DefinitionId(entry.query.value));
    by_stream_[made.value].push_back({frame, by, report.watermark_us});
    return true;
  });
  if (!entry.reports.empty()) by_query_[entry.query.value].push_back({frame, std::move(entry.reports)});
}

void FrameReports::add_letter(const log::Frame& frame, std::string_view payload) {
  auto action = engine::decode_letter_action(payload);
  CHECK(action.ok(), "a letter's record in a verified frame does not parse");
  if (action->kind != engine::LetterAction::Kind::kRedrive) return;
  redriven_[action->query.value].push_back({frame.cut, frame.time, std::move(action->event)});
}

const std::vector<FrameReports::Redriven>& FrameReports::redriven(QueryId query) const {
  static const std::vector<Redriven> kNone;
  const auto found = redriven_.find(query.value);
  return found == redriven_.end() ? kNone : found->second;
}

const std::vector<FrameReports::Told>& FrameReports::told(StreamId stream) const {
  static const std::vector<Told> kNone;
  const auto found = by_stream_.find(stream.value);
  return found == by_stream_.end() ? kNone : found->second;
}

const std::vector<FrameReports::Heard>& FrameReports::of(QueryId query) const {
  static const std::vector<Heard> kNone;
  const auto found = by_query_.find(query.value);
  return found == by_query_.end() ? kNone : found->second;
}

}  // namespace millrace::processor
