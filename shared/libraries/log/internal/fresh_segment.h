// The segment that a start begins with: what recovery found unproven, written again, and the start's own
// frame.
//
// Order: frames and carry, sync, header block, sync, directory sync. Without its header the file is nothing,
//        and the former segment still holds all of it; so a crash at any point changes nothing.
#pragma once

#include "log/internal/segment_keeper.h"
#include "log/recovery.h"

namespace millrace::log {

struct FreshSegment {
  SegmentPtr segment;
  SegmentFile file;
};

// `epoch` and `now` are the new start's. The frame after the last unproven one is the kStart frame.
Result<FreshSegment> write_fresh_segment(Files& files, const std::string& directory, SegmentFile file,
                                         const RecoveredLog& recovered, uint32_t epoch, uint32_t salt,
                                         AppendTime now, uint64_t segment_bytes);

// On a full disk: what earlier starts took for frames to come. So a start needs no more than they left behind.
Status give_back_tails(Files& files, const RecoveredLog& recovered);

}  // namespace millrace::log
