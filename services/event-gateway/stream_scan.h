// StreamScan: a stored stream's events as one batch, for an ad-hoc SELECT.
//
// Bounded: what was durable when it began, at most kMaxScanRows rows, kMaxScanBytes bytes, and kMaxScanMemory
//          with their columns; past that the answer is an error that says so, never a shortened result. Beside
//          others it is refused when all together would hold too much (ReadBudget).
// Range:   what WHERE says of partitions, offsets and append times bounds what is read (engine/read_range.h). Where it
//          names partitions or offsets, one partition is read after the other.
// LIMIT:   the batch ends at the row that fills it, and no more is read.
// Threads: begin and callback on the core loop; decoding on Background. Rows that do not decode are left out.
// Stop:    between pages. What is read goes back at once, unless it is being decoded; then the callback may not come.
#pragma once

#include <functional>
#include <memory>

#include "engine/serving.h"
#include "event-gateway/read_budget.h"
#include "event-gateway/statement_limits.h"

namespace millrace::gateway {

// What was read of a partition, for EXPLAIN ANALYZE.
struct PartitionRead {
  size_t events = 0;
  Offset first, last;                 // of the events
  std::optional<Offset> oldest = {};  // that is kept, where it was looked up
};

struct ScannedRows {
  Batch rows;
  std::vector<std::shared_ptr<const void>> keep;  // what the rows' text views
  std::vector<PartitionRead> reads;               // by partition
};

inline constexpr size_t kMaxScanRows = 1'000'000;
inline constexpr size_t kMaxScanBytes = 256u << 20;
inline constexpr size_t kMaxScanMemory = ReadBudget::kMost;

struct ScanRequest {
  engine::StreamPtr stream;
  engine::ExprPtr filter;                         // null: every row counts
  size_t enough = SIZE_MAX;                       // rows that pass the filter
  std::shared_ptr<ReadBudget::Share> share = {};  // of the statement; null: nobody counts
  bool origins = false;                           // of the rows, too
  bool system_columns = false;                    // likewise
  std::optional<engine::ReadRange> range = {};    // null: all of it
  std::optional<engine::StreamPlace> end = {};    // null: what is there now
  size_t max_memory = kMaxScanMemory;
  std::shared_ptr<StatementLimits::Work> work = {};  // of the statement; null: nobody stops it
};
// What a SELECT over `stream` has to read: rows in their own order are enough at its LIMIT, sorted, grouped
// and distinct ones are not.
ScanRequest scan_for(const engine::SelectPlan& plan, engine::StreamPtr stream);

Error too_much_at_once();  // MR-QRY-0005

void scan_stream(engine::StreamReads& streams, engine::Background& background, ScanRequest request,
                 std::function<void(Result<std::shared_ptr<ScannedRows>>)> done);

}  // namespace millrace::gateway
