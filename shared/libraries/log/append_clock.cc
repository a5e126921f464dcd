#include "log/append_clock.h"

#include <algorithm>
#include <cstdlib>

namespace millrace::log {
namespace {
constexpr int64_t kSlew = 20;
constexpr int64_t kAgreeUs = 1'000'000;  // two looks at a jump differ by less: the same jump
}  // namespace

AppendClock::AppendClock(const Clock& clock, AppendTime last, int64_t max_jump_us)
    : clock_(clock),
      max_jump_us_(max_jump_us),
      monotonic_us_(clock.monotonic_ns() / 1000),
      estimate_us_(clock.wall_us()),
      last_us_(last.value) {
  if (last.value == 0) return;
  const int64_t ahead = estimate_us_ - last.value;
  if (ahead >= 0 && ahead <= max_jump_us) return;
  estimate_us_ = last.value;
  if (std::abs(ahead) > max_jump_us) see_jump(ahead);
}

AppendTime AppendClock::now() {
  const int64_t monotonic = clock_.monotonic_ns() / 1000;
  const int64_t passed = std::max<int64_t>(0, monotonic - monotonic_us_);
  monotonic_us_ += passed;
  estimate_us_ += passed;
  unslewed_us_ += passed;
  follow(unslewed_us_ / kSlew, clock_.wall_us());
  unslewed_us_ %= kSlew;
  last_us_ = std::max(last_us_, estimate_us_);
  return AppendTime(last_us_);
}

void AppendClock::follow(int64_t step, int64_t wall) {
  const int64_t difference = wall - estimate_us_;
  if (std::abs(difference) <= max_jump_us_) {
    jumped_ = false;
    estimate_us_ += std::clamp(difference, -step, step);
    return;
  }
  if (!jumped_ || std::abs(difference - jump_us_) > kAgreeUs) see_jump(difference);
  if (difference < 0) {
    estimate_us_ -= step;
    jump_us_ += step;
  } else if (monotonic_us_ - jump_seen_us_ >= kConfirmUs) {
    estimate_us_ = wall;
    jumped_ = false;
    ++leaps_;
  }
}

void AppendClock::see_jump(int64_t difference) {
  jumped_ = true;
  jump_us_ = difference;
  jump_seen_us_ = monotonic_us_;
  ++jumps_;
}

}  // namespace millrace::log
