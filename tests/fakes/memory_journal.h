// MemoryJournal: a journal for tests that ends when the test says so. Frames are durable when sync() is
// called.
//
// Why:     what waits for durability must be seen waiting; a real disk is too fast for that.
// Threads: one, with inline background work; reads are not locked.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "log/journal.h"
#include "log/record_batch.h"

namespace millrace::fakes {

class MemoryJournal final : public log::Journal {
 public:
  void sync() { durable_ = end_cut(); }
  void advance_us(int64_t us) { now_us_ += us; }
  void refuse_with(std::optional<Error> why) { refuse_ = std::move(why); }
  void forget_before(Cut first) { first_ = first; }                       // as retention does
  void forget_while_looking(Cut first) { forgotten_meanwhile_ = first; }  // in the next cut_before()
  void lose_times() { times_are_lost_ = true; }                           // as where an index cannot be read
  void lose_unsynced() {                                                  // as a crash does
    while (end_cut() > durable_) frames_.pop_back();
  }
  size_t page_reads() const { return page_reads_; }

  Result<log::Appended> append(log::Group group, log::Priority) override {
    if (refuse_) return *refuse_;
    auto frame = std::make_shared<log::Frame>();
    frame->cut = Cut(end_cut().value + 1);
    frame->time = AppendTime(now_us_);
    log::Appended appended{frame->cut, frame->time, {}, nullptr};
    for (auto& batch : group.batches) add_batch(*frame, std::move(batch), appended);
    for (auto& control : group.controls) {
      frame->controls.push_back({control.kind, Buffer::adopt(std::move(control.payload))});
    }
    frames_.push_back(frame);
    appended.frame = frame;
    return appended;
  }
  bool flush() override { return false; }
  bool write_in_flight() const override { return false; }
  void poll() override {}
  Cut end_cut() const override { return Cut(frames_.size()); }
  Cut durable_cut() const override { return durable_; }
  Cut first_cut() const override { return first_; }
  AppendTime now() override { return AppendTime(now_us_); }
  const std::optional<Error>& failed() const override { return failed_; }
  const log::RecoveryReport& recovery() const override { return report_; }
  const log::JournalCounters& counters() const override { return counters_; }
  bool disk_low() const override { return false; }
  uint64_t start_epoch() const override { return 1; }
  uint64_t clock_jumps() const override { return 0; }

  using log::Journal::read_frames;
  Result<std::vector<log::FramePtr>> read_frames(Cut after, Cut upto, size_t max_bytes,
                                                 const log::WantsRecords&) override {
    if (after.value + 1 < first_.value) return gone();
    std::vector<log::FramePtr> out;
    size_t bytes = 0;
    for (uint64_t cut = after.value + 1; cut <= std::min(upto, end_cut()).value && bytes < max_bytes; ++cut) {
      out.push_back(frames_[cut - 1]);
      bytes += out.back()->bytes;
    }
    return out;
  }
  Result<log::StreamFrames> read_stream(StreamId stream, std::optional<PartitionId> partition, Cut after,
                                        Cut upto, size_t max_bytes) override {
    ++page_reads_;
    if (after.value + 1 < first_.value) return gone();
    log::StreamFrames out;
    out.scanned = after;
    size_t bytes = 0;
    for (uint64_t cut = after.value + 1; cut <= std::min(upto, end_cut()).value && bytes < max_bytes; ++cut) {
      const auto& frame = frames_[cut - 1];
      const bool holds = std::any_of(frame->batches.begin(), frame->batches.end(), [&](const auto& batch) {
        return batch.where.stream == stream && (!partition || batch.where.partition == *partition);
      });
      if (holds) {
        out.frames.push_back(frame);
        bytes += frame->bytes;
      }
      out.scanned = Cut(cut);
    }
    return out;
  }
  Cut cut_at(AppendTime time) override {
    Cut last;
    if (times_are_lost_) return last;
    for (const auto& frame : frames_) {
      if (frame->time < time) last = frame->cut;
    }
    return last;
  }
  Result<Cut> cut_before(StreamPartition where, Offset offset) override {
    if (forgotten_meanwhile_) {
      first_ = *std::exchange(forgotten_meanwhile_, std::nullopt);
      return gone();
    }
    for (const auto& frame : frames_) {
      for (const auto& batch : frame->batches) {
        if (batch.where == where && batch.first.value + batch.count > offset.value)
          return Cut(frame->cut.value - 1);
      }
    }
    return end_cut();
  }
  std::vector<log::SegmentInfo> segments() override { return {}; }
  Status recycle_through(uint64_t) override { return {}; }
  Status close() override { return {}; }

  Result<log::Ticket> append_group(log::Group, std::vector<log::NamedPosition>) override {
    return not_here();
  }
  void poll_outcomes(std::vector<log::Outcome>&) override {}
  Result<log::Fetched> fetch(StreamPartition, Offset, size_t) override { return not_here(); }
  Result<log::OffsetRange> range(StreamPartition where) override {
    return log::OffsetRange{Offset(end_before(where, first_)), Offset(end_before(where, Cut(UINT64_MAX)))};
  }
  Result<Offset> offset_at(StreamPartition, AppendTime) override { return not_here(); }
  Result<std::string> last_position(const std::string&) override { return not_here(); }

 private:
  static Error gone() { return error(Code::kGone, "MR-LOG-0009", "removed"); }
  static Error not_here() { return error(Code::kUnsupported, "MR-TEST-0001", "the fake does not do this"); }

  // Where the partition ends before the cut, removed or not.
  int64_t end_before(StreamPartition where, Cut cut) const {
    int64_t next = 0;
    for (const auto& frame : frames_) {
      if (frame->cut >= cut) break;
      for (const auto& batch : frame->batches) {
        if (batch.where == where) next = batch.first.value + batch.count;
      }
    }
    return next;
  }
  void add_batch(log::Frame& frame, log::BatchAppend batch, log::Appended& appended) {
    const Offset first(end_before(batch.where, Cut(UINT64_MAX)));
    store_be<int64_t>(batch.batch.data(), first.value);
    const auto view = log::RecordBatchView::parse(batch.batch, true);
    CHECK(view.ok(), "a batch that does not parse was appended");
    const uint32_t count = view->count();
    frame.bytes += batch.batch.size();
    frame.batches.push_back({batch.where, first, count, Buffer::adopt(std::move(batch.batch))});
    appended.places.push_back({batch.where, first, count});
  }

  std::vector<log::FramePtr> frames_;
  Cut durable_;
  Cut first_{1};
  std::optional<Cut> forgotten_meanwhile_;
  bool times_are_lost_ = false;
  int64_t now_us_ = 1'000'000'000'000'000;
  std::optional<Error> refuse_, failed_;
  log::RecoveryReport report_;
  log::JournalCounters counters_;
  size_t page_reads_ = 0;
};

}  // namespace millrace::fakes
