// StreamScan: a stored stream's events as one batch, for an ad-hoc SELECT.
//
// Bounded: what was durable when it began, at most kMaxScanRows rows and kMaxScanBytes bytes; past that the
//          answer is an error that says so, never a shortened result.
// LIMIT:   the batch ends at the row that fills it, and no more is read.
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

struct ScanRequest {
  engine::StreamPtr stream;
  engine::ExprPtr filter;    // null: every row counts
  size_t enough = SIZE_MAX;  // rows that pass the filter
};
// What a SELECT over `stream` has to read: rows in their own order are enough at its LIMIT, sorted ones are
// not.
ScanRequest scan_for(const engine::SelectPlan& plan, engine::StreamPtr stream);

void scan_stream(engine::StreamReads& streams, engine::Background& background, ScanRequest request,
                 std::function<void(Result<std::shared_ptr<ScannedRows>>)> done);

}  // namespace millrace::gateway
