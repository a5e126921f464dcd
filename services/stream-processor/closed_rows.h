// ClosedRows: the rows of windows that have closed, on their way into a derived stream.
//
// Order: by their window's end, its start and the group's key, each partition by itself: a function of the log, in
//        however many steps it is taken.
// Once:  each partition knows up to which end its windows are written; what is written leaves the state.
// Bound: kMostBytes a step; what is more waits, rendered from the state, and the next steps go on with it. The windows
//        that one step of the watermark closes are in memory, as in the state.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/aggregate.h"
#include "engine/group_partition.h"
#include "engine/plan.h"
#include "stream-processor/group_rows.h"

namespace millrace::processor {

class ClosedRows {
 public:
  static constexpr size_t kMostBytes = 1u << 20;

  explicit ClosedRows(engine::PlanPtr plan);

  bool waiting() const { return upto_.has_value(); }  // of what was read not all is written
  // Nothing waits, and some window's end lies behind what is written.
  bool due(int64_t closed) const;
  // If nothing waits, reads the windows that end up to there, out of the live state.
  Status read(int64_t closed, engine::Aggregation& aggregation, state::StateStore& store);
  // Hands out rows, and what fails in HAVING or an output, with the group's keys as JSON; up to kMostBytes in all the
  // calls of a step: `bytes` counts.
  using Row = std::function<void(PartitionId, std::string_view row)>;
  void write(size_t& bytes, const Row& row, const GroupRows::Failed& failed);

  // Every window that ends up to there is written; INT64_MIN: none has closed.
  int64_t written() const;
  // The least time that a row to come may have in the watermark's column of the stream; INT64_MIN: any.
  int64_t least_to_come() const;

  void save(std::string& out) const;
  void load(ByteReader& in);
  // Takes over what another worker has written of the partition (a change of the number of workers).
  void adopt(PartitionId p, const ClosedRows& other) { written_[p.value] = other.written_[p.value]; }

 private:
  Status read_groups(engine::Aggregation& aggregation, state::StateStore& store, Batch& groups);
  Selection unwritten(const Batch& groups);

  const engine::PlanPtr plan_;
  engine::GroupPartition partition_;
  bool by_start_ = false;         // the watermark's column is the windows' start
  std::vector<int64_t> written_;  // by partition
  std::optional<int64_t> upto_;   // the windows that end up to there are being written …
  size_t next_ = 0;               // … from this of their groups on

  // Rendered: made anew from the state after a restart.
  bool rendered_ = false;
  GroupRows rows_;
};

}  // namespace millrace::processor
