// PartitionClocks: the watermarks of one stream's partitions, and what they close.
//
// Why:    a window closes at the minimum over the active partitions; a quiet partition must not hold it for
//         ever.
// Own:    partitions that this task reads: their watermark moves row by row, their idleness is judged from
//         append times.
// Others: known from their owner's reports, read from the journal, so every worker agrees at the same frame.
// Active: had an event, and is not idle. closed() is the highest minimum so far: it never goes back.
// Split:  settle() before any partition turns active or idle; then the answer does not depend on how many
//         frames a step takes (see docs/adr/0001, 7 and 8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/types.h"

namespace millrace::processor {

class PartitionClocks {
 public:
  PartitionClocks(size_t partitions, int64_t idle_timeout_us)
      : clocks_(partitions), idle_timeout_us_(idle_timeout_us) {}

  size_t partitions() const { return clocks_.size(); }
  int64_t watermark(PartitionId p) const { return clocks_[p.value].watermark_us; }
  bool seen(PartitionId p) const { return clocks_[p.value].seen; }
  bool idle(PartitionId p) const { return clocks_[p.value].idle; }
  bool active(PartitionId p) const { return clocks_[p.value].seen && !clocks_[p.value].idle; }

  void advance(PartitionId p, int64_t watermark_us) {
    auto& clock = clocks_[p.value];
    if (watermark_us > clock.watermark_us) clock.watermark_us = watermark_us;
  }
  // A batch of the partition stands in the frame.
  void saw_batch(PartitionId p, Cut frame, AppendTime time) {
    auto& clock = clocks_[p.value];
    clock.seen = true;
    clock.idle = false;
    clock.last_append_us = time.value;
    clock.last_batch = frame;
  }
  // Every partition is waited for, whether it had an event or not: of an owner's reports none may be missing.
  void expect_all() {
    for (auto& clock : clocks_) clock.seen = true;
  }
  // Its owner says that it turned idle in the frame `since`; a batch seen from there on made it active again.
  bool idle_since(PartitionId p, Cut since) const {
    return !clocks_[p.value].idle && clocks_[p.value].last_batch < since;
  }
  void set_idle(PartitionId p) { clocks_[p.value].idle = true; }
  // The append time at which the first of the given partitions turns idle; INT64_MAX: none does.
  int64_t next_expiry(const std::vector<uint8_t>& own) const;
  // Partitions of `own` that are quiet for too long at `time` turn idle; answers whether one did.
  bool expire(const std::vector<uint8_t>& own, AppendTime time);
  // A process started, or the clock took a jump, at `time`: nobody could send before, so the quiet starts
  // now.
  void restart(AppendTime time);

  int64_t closed() const { return closed_us_; }
  void settle();  // closed() takes in the minimum over the active partitions
  void raise_closed(int64_t us) { closed_us_ = us > closed_us_ ? us : closed_us_; }

  void save(std::string& out) const;
  bool load(ByteReader& in);
  // Takes over partition p's state from another task's clocks (a change of the number of workers).
  void adopt(PartitionId p, const PartitionClocks& other) { clocks_[p.value] = other.clocks_[p.value]; }

 private:
  struct Clock {
    bool seen = false;
    bool idle = false;
    int64_t watermark_us = INT64_MIN;
    int64_t last_append_us = INT64_MIN;  // or the last start
    Cut last_batch;
  };
  std::vector<Clock> clocks_;
  int64_t idle_timeout_us_;  // 0: never
  int64_t closed_us_ = INT64_MIN;
};

}  // namespace millrace::processor
