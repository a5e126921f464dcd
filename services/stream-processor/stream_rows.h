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
#include "stream-processor/step_rows.h"

namespace millrace::processor {

class StreamRows final : public StepRows {
 public:
  StreamRows(engine::StreamPtr stream, std::vector<int> columns, uint32_t worker, uint32_t workers);
  StreamRows(engine::StreamPtr stream, std::vector<int> columns, std::vector<uint8_t> own_partitions);

  void decode(std::span<const log::FramePtr> frames) override;
  void release() override;
  const std::vector<int>& columns() const { return columns_; }
  const engine::StreamDef& stream() const { return *stream_; }
  bool own(PartitionId p) const { return p.value < own_.size() && own_[p.value] != 0; }
  const std::vector<uint8_t>& own() const { return own_; }

 private:
  // The batches of its partitions.
  template <typename Each>
  void each_batch(std::span<const log::FramePtr> frames, Each each) const;

  engine::StreamPtr stream_;
  std::vector<int> columns_;
  std::vector<uint8_t> own_;
  formats::JsonDecoder decoder_;
  std::vector<log::FramePtr> frames_;
};

// The partitions of a stream that a worker reads.
std::vector<uint8_t> own_partitions(uint16_t partitions, uint32_t worker, uint32_t workers);
// The expression over other places of its columns: `from` and `to` name what stands in each, ascending.
engine::ExprPtr remap(const engine::ExprPtr& expr, const std::vector<int>& from, const std::vector<int>& to);
// The same plan over other columns of the same source; `columns` contains all that the plan reads.
engine::PlanPtr remap(const engine::PlanPtr& plan, const std::vector<int>& columns);

}  // namespace millrace::processor
