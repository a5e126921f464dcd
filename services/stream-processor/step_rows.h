// StepRows: the new rows of a step's frames, as a QueryTask takes them: of one stream (StreamRows), or of those of
// a UNION ALL (UnionRows).
//
// Rows:    in journal order; only of the partitions that this worker reads. origins[i].cut tells the frame.
// Threads: confined to its worker. Valid until the next decode() or release().
#pragma once

#include <span>
#include <vector>

#include "event/batch.h"
#include "log/journal.h"

namespace millrace::processor {

class StepRows {
 public:
  virtual ~StepRows() = default;
  virtual void decode(std::span<const log::FramePtr> frames) = 0;
  // Lets go of the frames: a stream that falls silent must not hold on to the journal's memory.
  virtual void release() = 0;

  const Batch& batch() const { return batch_; }
  const std::vector<RowError>& errors() const { return errors_; }  // rows that do not decode, ascending
  // Of UNION ALL, before the query's own part: expressions that failed, ascending; and by row whether it goes on.
  // Without them all rows do.
  const std::vector<RowError>& failed() const { return failed_; }
  bool passes(size_t row) const { return passes_.empty() || passes_[row] != 0; }

 protected:
  Batch batch_;
  std::vector<RowError> errors_;
  std::vector<RowError> failed_;
  std::vector<uint8_t> passes_;
};

}  // namespace millrace::processor
