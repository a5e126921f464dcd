// LetterTrials: what a query makes of one event, found out with a task of its own that has no state; and which query
// wrote a dead letter, by the record of the step beside it.
#pragma once

#include "engine/letters.h"
#include "log/journal.h"

namespace millrace::processor {

class LetterTrials final : public engine::LetterQueries {
 public:
  explicit LetterTrials(log::Journal& journal) : journal_(journal) {}

  Result<QueryId> writer_of(StreamId letters, Offset letter, Cut frame) override;
  Result<engine::LetterTrial> try_event(const engine::PlanPtr& plan, const engine::LetterEvent& event,
                                        AppendTime now,
                                        const std::vector<engine::LateBefore>& late_before) override;

 private:
  log::Journal& journal_;
};

}  // namespace millrace::processor
