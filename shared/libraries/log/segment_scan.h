// scan_segment walks the frames of one file in order, checks every byte, and decides what a bad place means.
//
// Rule:   a frame that fails is damage only if something later proves that it was durable once: the frontier
//         of a later frame of this segment, or a later segment (`limit`). Then the scan goes on behind it.
//         Otherwise the log ends before it, whatever else lies there.
// Search: behind a bad place a frame is looked for on every kFrameAlignment; id and salt of the segment keep
//         out the file's former content and a client's imitation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "log/frame.h"
#include "log/segment.h"

namespace millrace::log {

inline constexpr size_t kScanWindow = 4u << 20;

// A large read of a file, kept for the next one beside it. Aligned, so that a direct file reads in place.
class FileWindow {
 public:
  explicit FileWindow(File& file, size_t size = kScanWindow);
  // The bytes at the position; fewer at the end of the file. Valid until the next call.
  Result<std::string_view> at(uint64_t position, size_t size);

 private:
  Status load(uint64_t from, size_t size);

  struct Free {
    void operator()(char* p) const;
  };
  File& file_;
  size_t window_;
  std::unique_ptr<char, Free> bytes_;
  size_t capacity_ = 0;
  uint64_t from_ = 0;
  size_t filled_ = 0;
};

// Bytes that are no frame, where frames were expected. `first` above `last`: the next frame follows behind
// them, none is missing.
struct DamagedRange {
  Cut first, last;
  uint64_t position = 0;
  uint64_t bytes = 0;
};

std::string to_string(const DamagedRange& damage);

struct ScannedFrame {
  const FrameHeader& header;
  uint64_t position;
  std::string_view bytes;  // header and body; valid during the call
  bool after_damage;
};

struct ScanRequest {
  uint64_t segment = 0;
  Cut first;
  uint64_t frames_begin = 0;
  uint32_t salt = 0;
  std::optional<uint32_t> previous;  // checksum of the frame before `first`, if known
  std::optional<Cut> limit;          // a later segment begins here: everything before it was durable
  bool check = true;                 // off: a planted bug
  std::function<void(uint64_t position)> progress;
};

struct ScanResult {
  Cut last;          // first - 1 if there is no frame
  Cut frontier;      // what is proven durable, at least first - 1
  uint64_t end = 0;  // the position behind the last frame
  uint32_t last_checksum = 0;
  AppendTime last_time;
  uint64_t frames = 0;
  uint64_t discarded_bytes = 0;  // frames behind the end: never acknowledged
  std::vector<DamagedRange> damage;
};

Result<ScanResult> scan_segment(File& file, const ScanRequest& request,
                                const std::function<Status(const ScannedFrame&)>& each);

// A file without a readable header: where its frames begin, and what the first of them to prove anything, or else
// the last, says was durable.
struct LostSegment {
  Cut first;
  Cut frontier;
  uint64_t frames_begin = 0;
  uint32_t salt = 0;
  uint32_t epoch = 0;

  // Otherwise it may be what an unfinished start left: its frames stand elsewhere.
  bool proven() const { return frontier >= first; }
};
Result<std::optional<LostSegment>> find_lost_segment(File& file, uint64_t id, bool check);

}  // namespace millrace::log
