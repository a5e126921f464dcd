// An event that a query takes again: it went to the dead letters, and somebody has corrected it, or what was full has
// room now. To the query it is a row of its old place in the stream, behind all rows of the frame that says so.
#include "base/bytes.h"
#include "log/record_batch.h"
#include "stream-processor/internal/pipeline.h"
#include "stream-processor/redriven_frame.h"
#include "stream-processor/union_rows.h"

namespace millrace::processor {

log::FramePtr redriven_frame(const engine::LetterEvent& event, Cut cut, AppendTime time) {
  log::RecordBatchBuilder builder;
  builder.add(std::nullopt, event.payload, time.value / 1000);
  std::string bytes = std::move(builder).finish();
  // The base offset, which stands outside the checksum.
  std::string offset;
  append_be(offset, event.offset.value);
  bytes.replace(0, offset.size(), offset);
  auto frame = std::make_shared<log::Frame>();
  frame->cut = cut;
  frame->time = time;
  frame->batches.push_back({event.where, event.offset, 1, Buffer::adopt(std::move(bytes))});
  return frame;
}

// It moves no watermark: a correction is not the passing of time.
Status QueryTask::take_again(const FrameReports::Redriven& letter, TaskOutput& out) {
  bool own = false;
  plan_->each_partition(letter.event.where,
                        [&](PartitionId p) { own |= p.value < own_.size() && own_[p.value]; });
  if (!own) return {};
  if (!again_) {
    again_ = plan_->arms.empty() ? std::make_unique<StreamRows>(plan_->source, columns_, placement_.worker,
                                                                placement_.workers)
                                 : make_rows(*plan_, placement_.worker, placement_.workers);
  }
  const log::FramePtr frame = redriven_frame(letter.event, letter.frame, letter.time);
  again_->decode({&frame, 1});
  takes_again_ = true;
  Status taken = process(*again_, 0, again_->batch().rows, out);
  takes_again_ = false;
  again_->release();
  return taken;
}

}  // namespace millrace::processor
