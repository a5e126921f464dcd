// SegmentIndex finds places in one segment: cut, time and offset to file position. Derived, never evidence.
//
// Windows: an entry says "what you look for begins here"; it covers the next kIndexSpacing bytes of the file.
//          A batch that starts beyond its partition's last window opens a new one. So a busy partition has an
//          entry every 16 KB, a quiet one an entry a batch, and all of them together at most one a batch.
// Damage:  frames that could not be read when the index was made are in it as such: readers of a stream stop at
//          them, since nobody knows whose they were.
// Threads: grows on the core loop under the journal's lock; immutable once its segment is no longer written
//          to.
// Bound:   24 bytes or less a batch of the segment; as many a damaged place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/types.h"

namespace millrace::log {

inline constexpr uint32_t kIndexSpacing = 16u << 10;
inline constexpr uint64_t kLargestSegment = 2ull << 30;  // positions are 32 bits
inline constexpr size_t kLargestIndex = 512u << 20;

class SegmentIndex {
 public:
  struct FrameEntry {
    uint64_t cut;
    uint32_t position;
    int64_t time;
  };
  struct BatchEntry {
    int64_t offset;
    uint64_t cut;
    uint32_t position;
  };
  struct Unreadable {
    uint64_t first;
    uint64_t last;
    uint32_t position;
    uint32_t bytes;
  };
  struct Part {
    StreamPartition where;
    int64_t first = 0;
    int64_t end = 0;
    int64_t last_time = 0;
    uint64_t bytes = 0;
    std::vector<BatchEntry> entries;
    uint32_t next = UINT32_MAX;  // the stream's next part
  };

  // Frames come in order. `landmark` forces an entry: the first frame behind damage.
  void add_frame(Cut cut, uint64_t position, AppendTime time, bool landmark = false);
  // `position` is the frame's, not the batch's.
  void add_batch(StreamPartition where, Offset first, uint32_t count, size_t bytes, Cut cut,
                 uint64_t position, AppendTime time);
  void set_position(std::string name, std::string position);
  void add_unreadable(Cut first, Cut last, uint64_t position, uint64_t bytes);

  // The last entry at or before the cut; nullptr before the first frame.
  const FrameEntry* frame_at(Cut cut) const;
  // The first entry at or behind the position in the file; nullptr behind the last.
  const FrameEntry* frame_behind(uint64_t position) const;
  // The last entry stamped before `time`; nullptr if the first entry is not.
  const FrameEntry* frame_before(AppendTime time) const;
  const Part* find(StreamPartition where) const;
  std::vector<const Part*> parts_of(StreamId stream) const;
  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<FrameEntry>& frames() const { return frames_; }
  const std::map<std::string, std::string>& positions() const { return positions_; }
  const std::vector<Unreadable>& unreadable() const { return unreadable_; }
  size_t encoded_size() const { return encoded_size_; }

  std::string encode() const;
  static std::optional<SegmentIndex> decode(std::string_view bytes);

 private:
  void link(uint32_t slot);

  std::vector<FrameEntry> frames_;
  std::vector<Part> parts_;
  std::unordered_map<StreamPartition, uint32_t> slots_;
  std::unordered_map<StreamId, uint32_t> first_of_;
  std::map<std::string, std::string> positions_;
  std::vector<Unreadable> unreadable_;
  size_t encoded_size_ = 64;
};

}  // namespace millrace::log
