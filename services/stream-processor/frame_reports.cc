#include "stream-processor/frame_reports.h"

#include <utility>

namespace millrace::processor {

FrameReports::FrameReports(std::span<const log::FramePtr> frames) {
  for (const auto& frame : frames) {
    for (const auto& control : frame->controls) {
      if (control.kind != log::ControlKind::kStep) continue;
      auto record = decode_step(control.payload.view());
      CHECK(record.ok(), "a step record in a verified frame does not parse");
      for (auto& entry : record->entries) {
        if (entry.reports.empty()) continue;
        by_query_[entry.query.value].push_back({frame->cut, std::move(entry.reports)});
      }
    }
  }
}

const std::vector<FrameReports::Heard>& FrameReports::of(QueryId query) const {
  static const std::vector<Heard> kNone;
  const auto found = by_query_.find(query.value);
  return found == by_query_.end() ? kNone : found->second;
}

}  // namespace millrace::processor
