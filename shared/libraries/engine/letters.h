// Letters: what is done with dead letters, as the journal keeps it, and what the stream-processor knows of them.
//
// LetterAction   gateway: a frame's control says that a letter was edited, discarded or redriven. A redriven one holds
//                the event itself, so that the query's tasks take it at that cut, in every replay alike.
// LetterQueries  stream-processor: which query wrote a letter, and what that query makes of an event.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "engine/plan.h"
#include "engine/query_report.h"

namespace millrace::engine {

// An event as a query takes it: where it stands in the log, and its bytes, which may have been corrected.
struct LetterEvent {
  StreamPartition where;
  Offset offset;
  std::string payload;
};

// The payload of ControlKind::kLetter.
struct LetterAction {
  enum class Kind : uint8_t { kEdit = 1, kDiscard = 2, kRedrive = 3 } kind = Kind::kDiscard;
  TenantId tenant;
  Offset letter;      // in the tenant's dead-letter stream
  std::string by;     // who asked for it; empty: nobody had to say
  LetterEvent event;  // kEdit: its payload alone; kRedrive: for the query
  QueryId query;      // kRedrive: which takes the event; 0: its stream, in the same frame
};
std::string encode(const LetterAction& action);
Result<LetterAction> decode_letter_action(std::string_view payload);  // MR-DLQ-0011

// What a query makes of one event, as if it were its first, but for the windows that have ended.
struct LetterTrial {
  enum class Outcome : uint8_t { kPasses, kFiltered, kFails } outcome = Outcome::kFiltered;
  std::vector<std::string> rows;     // JSON objects; of a group, the row that this event alone makes
  std::string cause, code, message;  // kFails: as a dead letter would tell them
};

class LetterQueries {
 public:
  virtual ~LetterQueries() = default;
  // Of a letter that stands in the frame. Any thread.
  virtual Result<QueryId> writer_of(StreamId letters, Offset letter, Cut frame) = 0;  // MR-DLQ-0012
  // `now`: when it would be taken; `late_before`: as the query's report says. Any thread.
  virtual Result<LetterTrial> try_event(const PlanPtr& plan, const LetterEvent& event, AppendTime now,
                                        const std::vector<LateBefore>& late_before) = 0;
};

}  // namespace millrace::engine
