// StreamScan: a stored stream's events as one batch, for an ad-hoc SELECT.
//
// Bounded: what was durable when it began, at most kMaxScanRows rows and kMaxScanBytes bytes; past that the
//          answer is an error that says so, never a shortened result.
// Threads: begin and callback on the core loop; decoding on Background. Rows that do not decode are left out.
#pragma once

#include <functional>
#include <memory>

#include "engine/serving.h"

namespace millrace::gateway {

struct ScannedRows {
  Batch rows;
  std::vector<std::shared_ptr<const void>> keep;  // what the rows' text views
};

inline constexpr size_t kMaxScanRows = 1'000'000;
inline constexpr size_t kMaxScanBytes = 256u << 20;

void scan_stream(engine::StreamReads& streams, engine::Background& background, engine::StreamPtr stream,
                 std::function<void(Result<std::shared_ptr<ScannedRows>>)> done);

}  // namespace millrace::gateway
