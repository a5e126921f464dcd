// The naive evaluator's time: partition watermarks and what they close.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/sim/naive.h"

namespace millrace::sim {

class NaiveClocks {
 public:
  explicit NaiveClocks(const NaiveStream& stream)
      : clocks_(stream.partitions), timeout_us_(stream.idle_timeout_us) {}

  void frame(const FrameMark& mark) {
    for (auto& c : clocks_) {
      if (mark.start && c.seen)
        c.last_us = mark.time.value;  // nobody could send before: the quiet starts now
      if (timeout_us_ > 0 && c.seen && !c.idle && mark.time.value >= c.last_us + timeout_us_) c.idle = true;
    }
    settle();
  }
  void batch(PartitionId p, AppendTime time) {
    clocks_[p.value].seen = true;
    clocks_[p.value].idle = false;
    clocks_[p.value].last_us = time.value;
  }
  void advance(PartitionId p, int64_t watermark) {
    clocks_[p.value].watermark = std::max(clocks_[p.value].watermark, watermark);
    settle();
  }
  int64_t watermark(PartitionId p) const { return clocks_[p.value].watermark; }
  int64_t closed() const { return closed_; }
  // What is closed whatever was heard when: the slowest of all that ever had an event.
  int64_t closed_at_least() const {
    int64_t low = INT64_MAX;
    for (const auto& c : clocks_) {
      if (c.seen) low = std::min(low, c.watermark);
    }
    return low == INT64_MAX ? INT64_MIN : low;
  }
  // What may be closed if reports come late or early: the fastest.
  int64_t closed_at_most() const {
    int64_t high = INT64_MIN;
    for (const auto& c : clocks_) high = std::max(high, c.watermark);
    return high;
  }

 private:
  void settle() {
    int64_t low = INT64_MAX;
    for (const auto& c : clocks_) {
      if (c.seen && !c.idle) low = std::min(low, c.watermark);
    }
    if (low != INT64_MAX) closed_ = std::max(closed_, low);
  }
  struct PartitionClock {
    bool seen = false;
    bool idle = false;
    int64_t watermark = INT64_MIN;
    int64_t last_us = INT64_MIN;
  };
  std::vector<PartitionClock> clocks_;
  int64_t timeout_us_;
  int64_t closed_ = INT64_MIN;
};

}  // namespace millrace::sim
