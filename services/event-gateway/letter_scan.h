// LetterScan: a tenant's dead letters, newest or oldest first, those that pass a filter.
//
// Bound:   a scan looks at `most_scanned` letters and says where to go on: filters are no index, and a page may be empty.
// Threads: the core loop; pages are read on Background's threads.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/dead_letter.h"
#include "engine/serving.h"
#include "event-gateway/letter_states.h"
#include "log/journal.h"

namespace millrace::gateway {

struct Letter {
  TenantId tenant;
  Offset number;
  AppendTime filed;   // when it was written
  Cut frame;          // that holds it
  Timestamp arrived;  // the event; of a group's row, when it was made
  std::string cause, code, message, stream, query, payload;
  std::optional<PartitionId> partition;  // none: a group's row, of many events, or it is outside
  std::optional<Offset> offset;
  std::optional<int64_t> lateness_ms;
  LetterState state;

  // Its stream did not take the event: no query has seen it.
  bool is_outside() const { return cause == engine::kDoesNotFit; }
  // What its query, or its stream, would take.
  const std::string& event() const { return state.edited ? state.payload : payload; }
};

struct LetterFilter {
  std::string query, stream, code, cause, state;  // empty: any
  engine::Interval64 filed_us;

  bool passes(const Letter& letter) const;
};
struct LetterScanRequest {
  TenantId tenant;
  LetterFilter filter;
  bool newest_first = true;
  std::optional<Offset> after;  // the last one looked at, in that order
  size_t most_scanned = 20'000;
};

using LetterVisit = std::function<bool(Letter)>;  // false: enough
// The last one looked at, if there may be more.
using LetterScanDone = std::function<void(Result<std::optional<Offset>>)>;

void scan_letters(log::Journal& journal, engine::StreamReads& streams, engine::StreamPtr stream,
                  const LetterStates& states, LetterScanRequest request, LetterVisit visit,
                  LetterScanDone done);

}  // namespace millrace::gateway
