// inspect looks at a journal's files while no journal is open: verify checks all of it, dump shows it.
//
// Checked: every checksum (header blocks, carries, frames, batches, indexes, trailers), the chain of frames
//          through all segments, cuts without gaps, offsets without gaps, append times that never go back,
//          epochs and frontiers, that every record parses, that carries, indexes and trailers say what the
//          frames say.
// Not:     frames that nothing proves durable and that do not stand in one piece: a torn end is no damage.
//          Reads only. One file at a time; a finding names the segment, the byte and the frame, and the walk
//          goes on.
// Bound:   kMostFindings are told, all are counted; memory: one window of a file, one segment's index and the
//          partition table.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/types.h"

namespace millrace::log {

inline constexpr size_t kMostFindings = 1000;

struct Finding {
  std::string segment;  // the file's name
  uint64_t position = 0;
  Cut cut;  // 0: no frame in particular
  std::string what;
};
std::string to_string(const Finding& finding);

struct VerifyReport {
  uint64_t segments = 0;
  uint64_t frames = 0;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t controls = 0;
  uint64_t bytes = 0;  // of the frames
  uint64_t partitions = 0;
  uint64_t starts = 0;
  Cut first, last;
  AppendTime first_time, last_time;
  uint64_t torn_bytes = 0;  // behind the last frame: written in part, never acknowledged
  std::vector<Finding> findings;
  uint64_t findings_in_all = 0;

  bool ok() const { return findings_in_all == 0; }
};

// `directory` is the folder of the segments. `progress` (may be null) is called with done and total bytes.
Result<VerifyReport> verify(Files& files, const std::string& directory,
                            const std::function<void(uint64_t, uint64_t)>& progress = nullptr);

struct DumpRange {
  Cut from{1};
  Cut upto{std::numeric_limits<uint64_t>::max()};
  uint64_t limit = std::numeric_limits<uint64_t>::max();  // frames
};
struct DumpResult {
  uint64_t frames = 0;
  uint64_t unreadable = 0;  // frames of the range that are damaged or missing
};

// One JSON object a line: each frame, then its records; unreadable ranges where they stand. `line` has no
// line feed; false ends the dump.
Result<DumpResult> dump(Files& files, const std::string& directory, const DumpRange& range,
                        const std::function<bool(std::string_view line)>& each);

}  // namespace millrace::log
