// StreamRows: one stream's new events as columns, decoded once for all the queries of a worker that read it.
//
// Rows:    in journal order; only of the partitions that this worker reads. origins[i].cut tells the frame.
// Columns: the union of what the queries read. A query's plan is rewritten to count in them (remap).
// Owns:    the frames of the current step: text values view them. Valid until the next decode() or release().
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/plan.h"
#include "formats/json.h"
#include "log/journal.h"

namespace millrace::processor {

class StreamRows {
 public:
  StreamRows(engine::StreamPtr stream, std::vector<int> columns, uint32_t worker, uint32_t workers);

  void decode(std::span<const log::FramePtr> frames);
  void
  release();  // lets go of the frames: a stream that falls silent must not hold on to the journal's memory
  const Batch& batch() const { return batch_; }
  const std::vector<RowError>& errors() const { return errors_; }  // rows that do not decode, ascending
  const std::vector<int>& columns() const { return columns_; }
  const engine::StreamDef& stream() const { return *stream_; }
  bool own(PartitionId p) const { return p.value < own_.size() && own_[p.value] != 0; }
  const std::vector<uint8_t>& own() const { return own_; }

 private:
  engine::StreamPtr stream_;
  std::vector<int> columns_;
  std::vector<uint8_t> own_;
  formats::JsonDecoder decoder_;
  std::vector<log::FramePtr> frames_;
  std::vector<std::string_view> values_;
  Batch batch_;
  std::vector<RowError> errors_;
};

// The partitions of a stream that a worker reads.
std::vector<uint8_t> own_partitions(uint16_t partitions, uint32_t worker, uint32_t workers);
// The same plan over other columns of the same source; `columns` contains all that the plan reads.
engine::PlanPtr remap(const engine::PlanPtr& plan, const std::vector<int>& columns);

}  // namespace millrace::processor
