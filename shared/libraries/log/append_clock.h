// AppendClock stamps frames: the wall's time, carried by the monotonic clock, never going back.
//
// Small difference: followed slowly, by at most a twentieth of the time that passes.
// Jump:             beyond max_jump it is counted.
// Back:             followed slowly as well. Forward: ignored until the wall has agreed with itself for
//                   kConfirm; then taken at once.
// A start           begins at the last frame's stamp if the wall is behind it, or beyond max_jump ahead.
// Threads:          confined to the core loop.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/types.h"

namespace millrace::log {

class AppendClock {
 public:
  static constexpr int64_t kConfirmUs = 10'000'000;

  // `last`: the newest stamp in the log; 0 if there is none.
  AppendClock(const Clock& clock, AppendTime last, int64_t max_jump_us);
  AppendTime now();
  uint64_t jumps() const { return jumps_; }
  uint64_t leaps() const { return leaps_; }  // jumps forward that were taken

 private:
  void follow(int64_t step, int64_t wall);
  void see_jump(int64_t difference);

  const Clock& clock_;
  const int64_t max_jump_us_;
  int64_t monotonic_us_;
  int64_t estimate_us_;
  int64_t unslewed_us_ = 0;  // time that passed and was too short for a step of a microsecond
  int64_t last_us_;
  uint64_t jumps_ = 0;
  uint64_t leaps_ = 0;
  bool jumped_ = false;       // a jump is being watched
  int64_t jump_us_ = 0;       // its size when it was seen
  int64_t jump_seen_us_ = 0;  // monotonic
};

}  // namespace millrace::log
