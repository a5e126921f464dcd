// What FrameStore's reads of a file take and give. Private to log/.
#pragma once

#include <functional>
#include <vector>

#include "log/internal/frame_store.h"

namespace millrace::log {

// One read of a file: frames from a place on, those wanted are kept.
struct FrameStore::Run {
  Place at;                            // in: where to begin; out: where to go on
  Cut from;                            // the first frame wanted
  Cut stop;                            // the last
  uint64_t end_position = UINT64_MAX;  // frames that begin here or later are not looked at
  bool ends_with_frame = false;        // a frame ends there: what is read up to it holds whole ones
  size_t max_bytes = 0;
  std::function<bool(const Frame&)> wanted;  // null: all
  const WantsRecords* wants = nullptr;       // null: the records of all batches
  std::vector<FramePtr>* out = nullptr;
  size_t bytes = 0;  // taken
  size_t held = 0;   // out: what the frames of this read keep in memory, all together
  bool done = false;
};

}  // namespace millrace::log
