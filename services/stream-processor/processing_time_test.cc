#include "stream-processor/processing_time.h"

#include <gtest/gtest.h>

namespace millrace::processor {
namespace {

using engine::WindowSpec;

constexpr WindowSpec kTens{WindowSpec::Kind::kTumble, 10, 0, 3};
constexpr WindowSpec kSessions{WindowSpec::Kind::kSession, 300'000, 0, 0};
constexpr WindowSpec kHops{WindowSpec::Kind::kHop, 10, 4, 1};

TEST(ProcessingTime, NothingClosesBeforeTheFirstBatch) {
  const ProcessingTime time(kTens, 0);
  EXPECT_EQ(time.closed(AppendTime(1'000)), INT64_MIN);
  EXPECT_EQ(time.next_timer(INT64_MIN), INT64_MAX);
}

TEST(ProcessingTime, TheTimerIsTheEndOfTheOpenWindow) {
  ProcessingTime time(kTens, 0);
  time.saw_batch(AppendTime(25));
  EXPECT_EQ(time.closed(AppendTime(25)), 23);
  EXPECT_EQ(time.next_timer(23), 33);
  EXPECT_EQ(time.closed(AppendTime(32)), 23);
  EXPECT_EQ(time.closed(AppendTime(33)), 33);
  EXPECT_EQ(time.next_timer(33), INT64_MAX);
  EXPECT_EQ(time.closed(AppendTime(99)), 33);
}

TEST(ProcessingTime, WindowsThatHopCloseOneAfterTheOther) {
  ProcessingTime time(kHops, 0);
  time.saw_batch(AppendTime(20));  // in [13, 23) and [17, 27)
  EXPECT_EQ(time.closed(AppendTime(20)), 19);
  EXPECT_EQ(time.next_timer(19), 23);
  EXPECT_EQ(time.next_timer(23), 27);
  EXPECT_EQ(time.closed(AppendTime(50)), 27);
}

TEST(ProcessingTime, SessionsCloseWithTheNextBatchOrStepByStep) {
  ProcessingTime time(kSessions, 0);
  time.saw_batch(AppendTime(2'030'000));
  EXPECT_EQ(time.closed(AppendTime(2'030'000)), 2'030'000);
  EXPECT_EQ(time.next_timer(2'030'000), 2'100'000);
  EXPECT_EQ(time.closed(AppendTime(2'199'999)), 2'100'000);
  EXPECT_EQ(time.next_timer(2'300'000), 2'330'000);  // the last end
  time.saw_batch(AppendTime(2'310'000));
  EXPECT_EQ(time.closed(AppendTime(2'310'000)), 2'310'000);
  EXPECT_EQ(time.closed(AppendTime(9'000'000)), 2'610'000);
  EXPECT_EQ(time.next_timer(2'610'000), INT64_MAX);
}

TEST(ProcessingTime, SessionsThatAreKeptGoAtOneTimer) {
  ProcessingTime time(kSessions, 500'000);
  time.saw_batch(AppendTime(2'000'000));
  EXPECT_EQ(time.closed(AppendTime(2'400'000)), 2'300'000);
  EXPECT_EQ(time.next_timer(2'300'000), 2'800'000);
  EXPECT_EQ(time.closed(AppendTime(2'800'000)), 2'800'000);
  EXPECT_EQ(time.next_timer(2'800'000), INT64_MAX);
}

TEST(ProcessingTime, WhatIsKeptGoesAtOneTimer) {
  ProcessingTime time(kTens, 15);
  time.saw_batch(AppendTime(25));
  EXPECT_EQ(time.closed(AppendTime(47)), 33);
  EXPECT_EQ(time.next_timer(33), 53);  // 33 and 15, at the end of a window
  EXPECT_EQ(time.closed(AppendTime(53)), 53);
  EXPECT_EQ(time.next_timer(53), INT64_MAX);
  time.saw_batch(AppendTime(90));
  EXPECT_EQ(time.closed(AppendTime(90)), 83);
}

// Whoever looks at batches and timers alone knows at each time what one knows that looks all the time.
TEST(ProcessingTime, ChangesWithABatchOrATimerAlone) {
  for (const WindowSpec& spec : {kTens, kHops, kSessions}) {
    const int64_t tick = spec.is_session() ? 10'000 : 1;
    for (const int64_t kept : {0, 7, 30}) {
      ProcessingTime time(spec, kept * tick);
      int64_t known = INT64_MIN;
      int64_t timer = INT64_MAX;
      for (int64_t now = tick; now < 400 * tick; now += tick) {
        const int64_t phase = now / tick % 97;
        const bool batch = phase == 5 || phase == 9 || phase == 41;
        if (batch) time.saw_batch(AppendTime(now));
        const int64_t closed = time.closed(AppendTime(now));
        EXPECT_GE(closed, known) << now;
        if (!batch && now < timer) {
          EXPECT_EQ(closed, known) << now;
        }
        known = closed;
        timer = time.next_timer(closed);
        EXPECT_GT(timer, now);
      }
    }
  }
}

TEST(ProcessingTime, IsSavedWhole) {
  ProcessingTime time(kTens, 15);
  time.saw_batch(AppendTime(25));
  std::string bytes;
  time.save(bytes);
  ProcessingTime again(kTens, 15);
  ByteReader in(bytes);
  again.load(in);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(again.closed(AppendTime(47)), time.closed(AppendTime(47)));
}

}  // namespace
}  // namespace millrace::processor
