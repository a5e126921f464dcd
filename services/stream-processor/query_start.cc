#include "stream-processor/query_start.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/definitions.h"

namespace millrace::processor {
namespace {

// The oldest frame kept when the query was made, less one.
Result<Cut> oldest_then(log::Journal& journal, const sql::Catalog::Entry& entry, Cut made) {
  auto frames = journal.read_frames(Cut(made.value - 1), made, 1);
  if (!frames.ok() && frames.error().code == Code::kGone) return history_is_gone(entry.definition.name);
  TRY_ASSIGN(const auto found, std::move(frames));
  for (const auto& control : found.front()->controls) {
    if (control.kind != log::ControlKind::kActivation) continue;
    TRY_ASSIGN(const auto activation, sql::decode_activation(control.payload.view()));
    if (activation.definition == entry.definition.id) return activation.oldest;
  }
  return error(Code::kCorrupt, "MR-STEP-0027",
               fmt::format("frame {} does not hold the activation of {}", made.value, entry.definition.name),
               "the metadata store and the journal are of different data directories, or damaged");
}

}  // namespace

Error history_is_gone(const std::string& query) {
  return error(Code::kGone, "MR-STEP-0009",
               fmt::format("the events that {} would go on from have been removed by retention", query),
               "DROP it and create it anew: it begins with the oldest kept event then");
}

Result<Cut> query_start(log::Journal& journal, const sql::Catalog::Entry& entry) {
  const Cut made = entry.definition.activated_at.value_or(Cut(0));
  Cut start = made;
  if (entry.query->start != engine::QueryPlan::Start::kNow) {
    TRY_ASSIGN(start, oldest_then(journal, entry, made));
    if (entry.query->start == engine::QueryPlan::Start::kTime)
      start = std::clamp(journal.cut_at(entry.query->start_time), start, made);
  }
  if (start.value + 1 < journal.first_cut().value) return history_is_gone(entry.definition.name);
  return start;
}

}  // namespace millrace::processor
