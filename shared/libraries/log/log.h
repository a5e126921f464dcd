// Log: the partitioned, ordered, durable log. Two implementations promise the same: the embedded journal and
// Kafka. tests/conformance holds every implementation to what stands here.
//
// append(group) all of the group is in the log or none of it. The answer comes later, by poll(), once a
//               ticket and in any order: the places of its batches, or `aborted` (then nothing of it is, or
//               ever will be, readable). What is answered can be fetched, and survives everything but
//               retention.
// Offsets       rise within a partition, group by group as they were appended; there may be gaps; there is no
//               order across partitions.
// fetch         answers whole records, committed ones only, in offset order, in batches that the log may cut
//               as it likes.
// Positions     a group may carry positions ("consumer X has processed up to …"): opaque bytes under a name,
//               committed with the group; last_position answers the last committed.
// A restart     finds each unanswered group whole or not at all; it may bring back what retention had removed.
// A failure     that is final (a disk's, another process has taken over) makes every later append fail;
//               groups that were not answered by then may never be.
// Bound         a bounded number of unanswered bytes; beyond it append answers kExhausted, nothing taken.
// Threads       confined to the core loop, unless an implementation says more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/result.h"
#include "base/types.h"

namespace millrace::log {

// What a frame may carry besides batches. The payloads belong to their writers; the log does not read them.
enum class ControlKind : uint8_t {
  kStep = 1,         // stream-processor: a task's new position, watermarks, output hash
  kActivation = 2,   // a definition takes effect, or ends, at this cut
  kLayout = 3,       // stream-processor: the number of workers from this cut on
  kTick = 4,         // nothing but the time
  kIdempotency = 5,  // event-gateway: a request's key, body hash and answer
  kStart = 6,        // the journal's own: a process started here
  kPosition = 7,     // Log::append's named positions
  kLeap = 8,         // the journal's own: its clock took a jump of the wall's between this frame and the last
  kEventIds = 9,     // event-gateway: hashes of the (source, id) of events in this frame
  kLetter = 10,      // event-gateway: what was done with a dead letter; an event that its query takes again
  kTrace = 11,       // event-gateway: the trace that the events' request belongs to
  kSchema = 12,      // event-gateway: which versions of schemas the frame's events were checked against
};

struct BatchAppend {
  StreamPartition where;
  std::string batch;  // one RecordBatch v2; the log sets its base offset
};
struct ControlAppend {
  ControlKind kind;
  std::string payload;
};
struct Group {
  std::vector<BatchAppend> batches;
  std::vector<ControlAppend> controls;
};
struct NamedPosition {
  std::string name;
  std::string position;
};

struct BatchPlace {
  StreamPartition where;
  Offset first;
  uint32_t count = 0;
};

using Ticket = uint64_t;
struct Outcome {
  Ticket ticket = 0;
  bool committed = false;
  std::vector<BatchPlace> places;  // one a batch, in the group's order; empty if aborted
};

struct FetchedBatch {
  Offset first;
  uint32_t count = 0;
  Buffer bytes;  // a RecordBatch v2 with its base offset set
};
struct Fetched {
  std::vector<FetchedBatch> batches;
  Offset next;  // where to go on: beyond `from`, unless `from` is the end
  Offset end;   // everything before it is decided
};
struct OffsetRange {
  Offset first;
  Offset end;  // everything before it is decided
};

class Log {
 public:
  virtual ~Log() = default;
  virtual Result<Ticket> append_group(Group group, std::vector<NamedPosition> positions) = 0;
  virtual void poll_outcomes(std::vector<Outcome>& out) = 0;  // appends; never blocks
  // The batch that holds `from`, or the next one; kGone if retention has removed it; at least one batch if
  // there is one, then up to max_bytes. kInvalid beyond the end.
  virtual Result<Fetched> fetch(StreamPartition where, Offset from, size_t max_bytes) = 0;
  virtual Result<OffsetRange> range(StreamPartition where) = 0;
  // The first offset whose append time is at or after `time`; the end if there is none.
  virtual Result<Offset> offset_at(StreamPartition where, AppendTime time) = 0;
  virtual Result<std::string> last_position(const std::string& name) = 0;  // kNotFound
};

}  // namespace millrace::log
