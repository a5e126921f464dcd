// SimClock: time that stands still until a test moves it.
#pragma once

#include "base/clock.h"

namespace millrace::sim {

class SimClock final : public Clock {
 public:
  int64_t monotonic_ns() const override { return monotonic_ns_; }
  int64_t wall_us() const override { return wall_us_; }
  void advance_us(int64_t us) {
    monotonic_ns_ += us * 1000;
    wall_us_ += us;
  }
  void jump_wall_us(int64_t us) { wall_us_ += us; }
  void set_wall_us(int64_t us) { wall_us_ = us; }  // a jump: the monotonic clock does not see it

 private:
  int64_t monotonic_ns_ = 1'000'000'000;
  int64_t wall_us_ = 1'700'000'000'000'000;
};

}  // namespace millrace::sim
