#include "log/append_clock.h"

#include <gtest/gtest.h>

#include "sim/sim_clock.h"

namespace millrace::log {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMaxJump = 300 * kSecond;

TEST(AppendClock, NeverGoesBack) {
  sim::SimClock wall;
  AppendClock clock(wall, AppendTime(0), kMaxJump);
  AppendTime last = clock.now();
  for (const int64_t jump : {-5 * kSecond, 3 * kSecond, -400 * kSecond, 500 * kSecond, -1000 * kSecond}) {
    wall.jump_wall_us(jump);
    for (int i = 0; i < 200; ++i) {
      wall.advance_us(100'000);
      const AppendTime now = clock.now();
      EXPECT_GE(now, last);
      last = now;
    }
  }
}

TEST(AppendClock, FollowsASmallJumpSlowlyHoweverOftenItIsAsked) {
  for (const int64_t step : {int64_t{7}, int64_t{1000}, kSecond}) {
    sim::SimClock wall;
    AppendClock clock(wall, AppendTime(0), kMaxJump);
    clock.now();
    wall.jump_wall_us(kSecond);
    int64_t passed = 0;
    for (; passed < 10 * kSecond; passed += step) {
      wall.advance_us(step);
      clock.now();
    }
    EXPECT_NEAR(static_cast<double>(wall.wall_us() - clock.now().value), 0.5e6, 0.06e6) << step;
    EXPECT_EQ(clock.jumps(), 0u);
  }
}

TEST(AppendClock, TakesAJumpForwardOnceItIsConfirmed) {
  sim::SimClock wall;
  AppendClock clock(wall, AppendTime(0), kMaxJump);
  const AppendTime before = clock.now();
  wall.jump_wall_us(3600 * kSecond);
  for (int i = 0; i < 9; ++i) {
    wall.advance_us(kSecond);
    EXPECT_LT(clock.now().value, before.value + 60 * kSecond);
  }
  EXPECT_EQ(clock.jumps(), 1u);
  EXPECT_EQ(clock.leaps(), 0u);
  wall.advance_us(2 * kSecond);
  EXPECT_EQ(clock.now().value, wall.wall_us());
  EXPECT_EQ(clock.leaps(), 1u);
}

TEST(AppendClock, AJumpThatGoesAwayIsNotTaken) {
  sim::SimClock wall;
  AppendClock clock(wall, AppendTime(0), kMaxJump);
  clock.now();
  wall.jump_wall_us(3600 * kSecond);
  wall.advance_us(5 * kSecond);
  clock.now();
  wall.jump_wall_us(-3600 * kSecond);
  wall.advance_us(20 * kSecond);
  EXPECT_EQ(clock.now().value, wall.wall_us());
  EXPECT_EQ(clock.leaps(), 0u);
}

TEST(AppendClock, AStartGoesOnFromTheLastStamp) {
  sim::SimClock wall;
  const int64_t now = wall.wall_us();
  EXPECT_EQ(AppendClock(wall, AppendTime(now - kSecond), kMaxJump).now().value, now);
  EXPECT_EQ(AppendClock(wall, AppendTime(now + kSecond), kMaxJump).now().value, now + kSecond);
  AppendClock far(wall, AppendTime(now - 2 * kMaxJump), kMaxJump);
  EXPECT_EQ(far.now().value, now - 2 * kMaxJump);
  wall.advance_us(11 * kSecond);
  EXPECT_EQ(far.now().value, wall.wall_us());
  EXPECT_EQ(far.leaps(), 1u);
}

}  // namespace
}  // namespace millrace::log
