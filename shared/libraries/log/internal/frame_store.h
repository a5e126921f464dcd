// FrameStore: what readers see of the journal: the newest frames in memory, all others in the segments.
//
// Invariant: the tail holds every frame that is not yet durable; so whatever is read from a file is durable.
// Threads:   the core loop adds and removes; reads come from any thread. One leaf lock, never held over a
//            file call.
// Bound:     tail_bytes of durable frames in memory; kCachedIndexBytes of indexes of sealed segments; a read
//            holds one buffer of at most a megabyte, or one larger frame.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "log/frame.h"
#include "log/segment.h"
#include "log/segment_index.h"
#include "log/segment_scan.h"

namespace millrace::log {

// One file that holds frames. `first` to `last` are its own, whatever else lies behind them in the file.
struct Segment {
  uint64_t id = 0;
  std::string path;
  uint32_t epoch = 0;
  uint32_t salt = 0;
  Cut first, last;
  AppendTime first_time, last_time;
  uint64_t frames_begin = 0;
  uint64_t frames_end = 0;
  uint32_t last_checksum = 0;
  bool active = false;  // still written to
  bool trailer_written = false;
  std::shared_ptr<SegmentIndex> index;  // in memory until the trailer is written
  uint64_t index_position = 0;
  uint64_t index_length = 0;
  uint32_t index_checksum = 0;
  bool damaged = false;                          // some frames cannot be read: retention keeps the file
  std::vector<SegmentInfo::StreamShare> shares;  // as of the last look
  bool shares_known = false;                     // they do not change any more
};
using SegmentPtr = std::shared_ptr<Segment>;

// Reads a sealed segment's index, or rebuilds it by a scan.
Result<std::shared_ptr<const SegmentIndex>> load_index(File& file, const Segment& segment, bool check);
// The index of a segment's frames by reading all of them.
Result<std::shared_ptr<SegmentIndex>> build_index(File& file, const Segment& segment, bool check);
void add_to_index(SegmentIndex& index, const Frame& frame, uint64_t position, bool landmark);
void add_to_index(SegmentIndex& index, const std::vector<DamagedRange>& damage);

class FrameStore {
 public:
  FrameStore(Files& files, size_t tail_bytes, bool check)
      : files_(files), tail_bytes_(tail_bytes), check_(check) {}

  // The core loop's side.
  void start(std::vector<SegmentPtr> segments, Cut end);
  void append(FramePtr frame);
  void roll(SegmentPtr next);  // the active segment is closed, `next` is written to from now on
  void written(const Frame& frame, uint64_t position, uint64_t end);  // goes to the active segment there
  void durable(Cut cut);
  // Where every partition ends in the segments that take_through would remove.
  Result<std::vector<std::pair<StreamPartition, Offset>>> ends_through(uint64_t id);
  std::vector<SegmentPtr> take_through(uint64_t id);  // removes the oldest, never the active one
  void sealed(const SegmentPtr& segment, const SegmentTrailer& trailer);
  SegmentPtr active() const;

  Cut first_cut() const;
  Cut end_cut() const;
  std::vector<SegmentInfo> segments();

  // Any thread. As Journal's, with `upto` at most the end.
  Result<std::vector<FramePtr>> read_frames(Cut after, Cut upto, size_t max_bytes, const WantsRecords& wants);
  Result<StreamFrames> read_stream(StreamId stream, std::optional<PartitionId> partition, Cut after, Cut upto,
                                   size_t max_bytes);
  Cut cut_at(AppendTime time);
  Result<Cut> cut_before(StreamPartition where, Offset offset);

 private:
  static constexpr size_t kCachedIndexBytes = 32u << 20;
  static constexpr size_t kCachedSegments = 64;

  struct Loaded {
    uint64_t id = 0;
    std::shared_ptr<File> file;
    std::shared_ptr<const SegmentIndex> index;  // null for the active one: it is looked at under the lock
    size_t bytes = 0;
  };
  struct Place {
    Cut cut;
    uint64_t position = 0;
  };
  // A part of a file that begins and ends with frames.
  struct Stretch {
    Place begin;
    uint64_t end = UINT64_MAX;  // unknown: the last frames of the segment
  };
  struct Window {
    uint64_t from = 0;  // of the file
    uint64_t to = 0;
    Cut cut;  // of the frame at `from`
  };
  struct Run;

  Error gone(Cut after) const;
  Error unreadable(const Segment& segment, Cut cut, uint64_t position) const;
  bool learn_shares(const SegmentPtr& segment);
  SegmentPtr segment_of(Cut cut) const;  // locked; the last one that begins at or before it
  bool kept(const Segment& segment) const;
  void evict();                       // locked
  size_t tail_from(Cut after) const;  // locked; the index in tail_
  Result<Loaded> load(const SegmentPtr& segment);
  template <typename Look>
  Result<std::invoke_result_t<Look, const SegmentIndex&>> with_index(const SegmentPtr& segment, Look look);
  Result<Stretch> stretch_of(const SegmentPtr& segment, Cut cut, size_t bytes);
  Status read_run(const SegmentPtr& segment, Run& run);
  Result<std::optional<SegmentIndex::Unreadable>> unreadable_after(const SegmentPtr& segment, Cut after);
  Result<std::vector<Window>> windows_of(const SegmentPtr& segment, StreamId stream,
                                         std::optional<PartitionId> partition, Cut after);
  Result<bool> read_stream_segment(const SegmentPtr& segment, StreamId stream,
                                   std::optional<PartitionId> partition, Cut stop, size_t max_bytes,
                                   size_t& bytes, StreamFrames& out);
  void read_stream_tail(StreamId stream, std::optional<PartitionId> partition, Cut upto, size_t max_bytes,
                        size_t& bytes, StreamFrames& out);
  Result<Cut> search_offset(StreamPartition where, Offset offset, Cut from);

  Files& files_;
  const size_t tail_bytes_;
  const bool check_;

  mutable std::mutex mutex_;
  // Guarded by mutex_, with the contents of the segments.
  std::deque<FramePtr> tail_;
  size_t tail_held_ = 0;
  Cut tail_first_{1};
  Cut end_;
  Cut durable_;
  std::vector<SegmentPtr> segments_;
  std::list<Loaded> loaded_;  // newest use first
};

}  // namespace millrace::log
