// Clock: the only source of time. Passed in, so that a simulation can own it.
//
// monotonic_ns   never goes back; for latencies and time-outs.
// wall_us        Unix microseconds; may jump. Only the journal reads it, to stamp append times (AppendClock).
#pragma once

#include <cstdint>

namespace millrace {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t monotonic_ns() const = 0;
  virtual int64_t wall_us() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t monotonic_ns() const override;
  int64_t wall_us() const override;
};

}  // namespace millrace
