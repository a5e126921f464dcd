// Retention: which sealed segments of the journal nobody needs any more.
//
// Why:     a segment holds records of many streams: it may go only when every one of them lets go of it.
// Expired: a stream's share of a segment, if the stream was dropped; if its last record is older than
//          retention_us; if the stream has retention_bytes or more in later closed segments; or if it is an internal
//          topic (its consumers are below the floor with it). A stream without either bound keeps its records
//          for ever; a tenant's dead letters, whose bound nobody declares, letters_kept_us: without one, a
//          single late row would keep its segment and all that follow.
// Order:   oldest first, without gaps: the first segment that is still needed keeps all later ones.
// Rule (floor): nothing at or above the oldest cut that a snapshot, a query's beginning or a consumer needs is
//          freed. A reader of events is not held, or readers of the oldest events would stop retention: one that
//          is overtaken is told so (MR-EVS-0001) and has lost nothing that it was not told of.
// Threads: any; its cost is that of all segments and their streams, so it is no work for the core loop. By the
//          time it answers the floor may be lower: a query has been made. Whoever recycles looks again.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/plan.h"
#include "log/journal.h"
#include "sql/catalog.h"

namespace millrace::event_store {

struct RetentionInput {
  std::vector<log::SegmentInfo> segments;             // ascending
  std::function<engine::StreamPtr(StreamId)> stream;  // null: dropped
  AppendTime now;
  Cut floor;                    // the oldest cut that is still needed
  int64_t letters_kept_us = 0;  // 0: for ever
};

// The newest segment to recycle.
struct Expired {
  uint64_t id = 0;
  Cut last;
};
// None: every segment is needed.
std::optional<Expired> expired_through(const RetentionInput& input);
std::optional<Expired> expired_through(log::Journal& journal, const sql::Catalog& catalog, Cut floor,
                                       AppendTime now, int64_t letters_kept_us);

}  // namespace millrace::event_store
