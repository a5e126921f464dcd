// LiveFrame: a durable frame of a stream that is followed, and what its followers read of it: rows that are made when
// the first of them asks, and then are everybody's.
//
// Threads: the core loop.
// Bound:   as long as a follower has it in its queue, so the queue's bounds hold for the rows as well.
#pragma once

#include <memory>
#include <vector>

#include "event-store/event_pages.h"

namespace millrace::event_store {

class LiveFrame {
 public:
  explicit LiveFrame(log::FramePtr frame) : frame_(std::move(frame)) {}

  Cut cut() const { return frame_->cut; }
  AppendTime time() const { return frame_->time; }
  size_t bytes() const { return frame_->bytes; }
  std::string_view trace() const { return trace_in(*frame_); }
  // All of the stream's rows, whatever place in it a follower goes on from.
  Result<std::shared_ptr<const RowPage>> rows(RowMaker& maker, std::optional<PartitionId> partition);

 private:
  struct Made {
    const RowMaker* maker;
    std::optional<PartitionId> partition;
    std::shared_ptr<const RowPage> page;
  };
  log::FramePtr frame_;
  std::vector<Made> made_;
};

}  // namespace millrace::event_store
