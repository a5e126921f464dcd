// Recovery reads what a crash left and decides where the log ends. It changes nothing: the journal writes the
// fresh segment afterwards, so a crash at any point of a start leaves the former files as they were.
//
// Tail:    frames behind the proven frontier may lie in the page cache only; they are read past it
//          (kDirectRead) and handed over as `unproven`, to be written again.
// Missing: segments must follow each other cut by cut; a hole is an error (MR-LOG-0010), not an end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "log/internal/frame_store.h"
#include "log/journal.h"

namespace millrace::log {

struct UnprovenFrame {
  FrameHeader header;
  std::string bytes;  // header and body
};

// What lies behind the frames of a file that was not sealed: nothing that is needed.
struct UnusedTail {
  std::string path;
  uint64_t begin = 0;
};

struct RecoveredLog {
  std::vector<SegmentPtr> segments;     // with frames, ascending, none of them active
  std::vector<UnprovenFrame> unproven;  // follow the last segment
  Cut last;                             // of the segments: the proven end
  uint32_t last_checksum = 0;
  AppendTime last_time;
  uint32_t epoch = 0;  // the highest ever used
  uint64_t next_id = 1;
  Carry state;  // at `last`
  std::unordered_map<StreamPartition, Offset> starts;
  std::vector<UnusedTail> tails;
  std::vector<std::string> spares;
  std::vector<std::string> unused;  // segment names without frames: to become spares
  RecoveryReport report;
};

Result<RecoveredLog> recover(Files& files, const std::string& directory, bool check,
                             const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace millrace::log
