// Journal: the embedded log. One append-only sequence of recycled, pre-written segment files for all topics
// of a node.
//
// Why:     one sync covers everything that is open, and everything a node knows is a function of one
//          sequence.
// Order:   append() assigns the cut, the offsets and the append time at once; the frame can be read at once
//          by read_frames (a task steps over it before it is durable); it is durable when durable_cut()
//          reaches it. Nothing outside the journal may be valid before that.
// Groups:  frames collect in the open group. flush() closes it and submits one write + sync if none is under
//          way; call it when a turn of the loop has appended all it had. The write's end arrives through
//          poll(), which also submits the next group if one is full already.
// A start: open() ends with a durable frame of its own, a kStart control: what comes after belongs to this
//          process.
// Batches: their own checksums are taken over as they are: the builder's, or checked where bytes come from a
//          client.
// Atomic:  a frame is in the journal whole or not at all, after any crash.
// Failure: an error of a write or sync is final: failed() holds it, nothing more is acknowledged, the process
//          ends.
// Threads: append, flush, poll, recycle: the core loop. read_* and range: any thread.
// Bounds:  Options.
// Format:  docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "log/log.h"

namespace millrace::log {

struct FrameBatch {
  StreamPartition where;
  Offset first;
  uint32_t count = 0;
  Buffer bytes;  // the whole RecordBatch v2, base offset set; empty if its reader did not want the records
};
struct FrameControl {
  ControlKind kind;
  Buffer payload;
};
struct Frame {
  Cut cut;
  AppendTime time;
  size_t bytes = 0;  // on disk
  std::vector<FrameBatch> batches;
  std::vector<FrameControl> controls;
};
using FramePtr = std::shared_ptr<const Frame>;

// The batches whose records a reader looks at; null: all. Of the others it may learn no more than how many there are.
using WantsRecords = std::function<bool(StreamPartition)>;

// What a group is for decides who may use the reserve when the disk is full.
enum class Priority : uint8_t { kIngest, kStep };

struct Appended {
  Cut cut;
  AppendTime time;
  std::vector<BatchPlace> places;
  FramePtr frame;
};

struct StreamFrames {
  std::vector<FramePtr> frames;  // those that hold batches of the stream, ascending
  Cut scanned;                   // everything up to here has been looked at: go on after it
};

struct SegmentInfo {
  uint64_t id = 0;
  Cut first, last;
  AppendTime first_time, last_time;
  uint64_t bytes = 0;
  bool sealed = false;
  struct StreamShare {
    StreamId stream;
    uint64_t bytes = 0;
    AppendTime last_time;
  };
  std::vector<StreamShare> streams;
  bool streams_known = true;  // false: its index cannot be read now; `streams` says nothing
};

// What a start found. Told to the user, and part of /metrics.
struct RecoveryReport {
  uint64_t segments = 0;
  uint64_t scanned_bytes = 0;
  Cut end;
  uint64_t discarded_tail_bytes = 0;  // a torn, never acknowledged end
  struct Damage {
    std::string file;
    uint64_t position = 0;
    Cut cut;  // the frame that is unreadable
    std::string what;
  };
  std::vector<Damage> damage;  // acknowledged frames that are unreadable; quarantined, never deleted
};

// What a journal has done since its start.
struct JournalCounters {
  uint64_t frames = 0;
  uint64_t bytes = 0;  // appended, frames with their headers and padding
  uint64_t syncs = 0;  // groups written and synced
  uint64_t segment_changes = 0;
};

// For tests only: a journal with one of its duties left out must be caught by the simulation.
enum class PlantedBug : uint8_t { kNone, kSkipSync, kSkipChecksum, kDropPosition, kServeBeforeDurable };

class Journal : public Log {
 public:
  struct Options {
    std::string directory;  // the data directory; the journal lives in its journal/
    uint64_t segment_bytes = 128ull << 20;
    uint64_t spare_segments = 1;  // pre-written ahead, in the background, in small pieces
    size_t max_frame_bytes = 48u << 20;
    size_t max_group_bytes = 4u << 20;      // one sync takes at most this (or one larger frame)
    size_t max_pending_bytes = 128u << 20;  // appended, not yet durable; beyond it append answers kExhausted
    size_t tail_bytes = 64u << 20;          // frames kept in memory for readers at the end
    uint64_t reserve_bytes = 256ull << 20;  // free space that ingest may not use
    int64_t max_wall_jump_us =
        300'000'000;                // a larger jump of the wall clock is reported and followed slowly
    bool background_thread = true;  // false: poll() does the background work, a piece a call (simulation)
    std::function<void(int64_t us, size_t bytes)> synced;  // a group, from its submission on; may be null
    PlantedBug bug = PlantedBug::kNone;
  };

  // Recovers what is there, or makes a new one. `progress` (may be null) is called with done and total bytes.
  static Result<std::unique_ptr<Journal>> open(Files& files, const Clock& clock, Options options,
                                               std::function<void(uint64_t, uint64_t)> progress = nullptr);

  // kExhausted: too much pending (MR-LOG-0003) or the disk is full (MR-LOG-0004); kInvalid: the frame is too
  // large.
  virtual Result<Appended> append(Group group, Priority priority) = 0;
  virtual bool flush() = 0;  // true if a write was submitted
  virtual bool write_in_flight() const = 0;
  virtual void poll() = 0;              // takes completions, advances durable_cut
  virtual Cut end_cut() const = 0;      // the last frame appended
  virtual Cut durable_cut() const = 0;  // the last frame that is safe
  virtual Cut first_cut() const = 0;    // the oldest frame kept; 1 if nothing was ever removed
  virtual AppendTime now() = 0;         // the append clock, as the next frame would get it
  virtual const std::optional<Error>& failed() const = 0;
  virtual const RecoveryReport& recovery() const = 0;
  virtual const JournalCounters& counters() const = 0;  // the core loop's
  virtual bool disk_low() const = 0;                    // ingest is refused
  virtual uint64_t start_epoch() const = 0;             // rises with every open
  virtual uint64_t clock_jumps()
      const = 0;  // jumps of the wall clock beyond max_wall_jump_us, since the start

  // Frames after `after`, up to and including `upto` (or end_cut), in order, until max_bytes (at least one).
  // From memory at the end, from the files elsewhere. kGone if `after` is before first_cut() - 1; kCorrupt at
  // damage.
  // Records that are not wanted are not read from a file either, if they are long enough to be worth it.
  virtual Result<std::vector<FramePtr>> read_frames(Cut after, Cut upto, size_t max_bytes,
                                                    const WantsRecords& wants) = 0;
  Result<std::vector<FramePtr>> read_frames(Cut after, Cut upto, size_t max_bytes) {
    return read_frames(after, upto, max_bytes, {});
  }
  // The same, only frames with batches of the stream (and of the partition, if given), by the index. They may be
  // without controls, and without the records of other batches.
  virtual Result<StreamFrames> read_stream(StreamId stream, std::optional<PartitionId> partition, Cut after,
                                           Cut upto, size_t max_bytes) = 0;
  virtual Cut cut_at(AppendTime time) = 0;  // the last frame stamped before `time`: read after it
  // The frame before the one that holds the offset (or the next higher one).
  virtual Result<Cut> cut_before(StreamPartition where, Offset offset) = 0;

  virtual std::vector<SegmentInfo> segments() = 0;
  // Frees the oldest sealed segments up to and including `id`; their files are reused. The caller keeps the
  // floor.
  virtual Status recycle_through(uint64_t id) = 0;
  virtual Status close() = 0;  // flushes, waits, seals nothing; a clean end
};

}  // namespace millrace::log
