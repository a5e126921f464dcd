// StopWatch: where a step's time goes, read once a batch. Without a clock (a replay, a test) it costs nothing and
// counts nothing; no answer depends on it.
#pragma once

#include "base/clock.h"

namespace millrace::processor {

class StopWatch {
 public:
  explicit StopWatch(const Clock* clock) : clock_(clock), last_ns_(clock ? clock->monotonic_ns() : 0) {}

  // Adds what has passed since the last lap.
  void lap(int64_t& into) {
    if (clock_ == nullptr) return;
    const int64_t now = clock_->monotonic_ns();
    into += now - last_ns_;
    last_ns_ = now;
  }

 private:
  const Clock* clock_;
  int64_t last_ns_;
};

}  // namespace millrace::processor
