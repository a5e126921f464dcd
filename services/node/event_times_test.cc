#include "node/event_times.h"

#include <gtest/gtest.h>

namespace millrace::node {
namespace {

constexpr StreamId kRead(1), kUnread(2);

class EventTimesTest : public testing::Test {
 protected:
  EventTimesTest() { times.set_read({kRead}); }
  uint64_t total(EventTimes::Stage stage) const { return times.totals()[stage].count(); }
  EventTimes times;
};

TEST_F(EventTimesTest, AFrameIsStoredAndThenStepped) {
  times.appended(kRead, Cut(5), AppendTime(100));
  times.reached(Cut(4), Cut(4), AppendTime(110));
  EXPECT_EQ(total(EventTimes::kStored), 0u);
  times.reached(Cut(5), Cut(4), AppendTime(120));
  EXPECT_EQ(total(EventTimes::kStored), 1u);
  EXPECT_EQ(total(EventTimes::kStepped), 0u);
  EXPECT_TRUE(times.waits());
  times.reached(Cut(5), Cut(5), AppendTime(150));
  EXPECT_EQ(total(EventTimes::kStepped), 1u);
  EXPECT_FALSE(times.waits());
  ASSERT_NE(times.of(kRead), nullptr);
  EXPECT_EQ((*times.of(kRead))[EventTimes::kStored].sum(), 20u);
  EXPECT_EQ((*times.of(kRead))[EventTimes::kStepped].sum(), 50u);
}

TEST_F(EventTimesTest, WhatNoQueryReadsHasNoStep) {
  times.appended(kUnread, Cut(5), AppendTime(100));
  times.reached(Cut(5), Cut(0), AppendTime(120));
  EXPECT_EQ(total(EventTimes::kStored), 1u);
  EXPECT_EQ(total(EventTimes::kStepped), 0u);
  EXPECT_FALSE(times.waits());
}

TEST_F(EventTimesTest, BehindAQueryThatStandsStillTheOldestGoUnmeasured) {
  const auto many = static_cast<int64_t>(EventTimes::kMostWaiting) + 10;
  for (int64_t n = 1; n <= many; ++n) {
    times.appended(kRead, Cut(static_cast<uint64_t>(n)), AppendTime(n));
    times.reached(Cut(static_cast<uint64_t>(n)), Cut(0), AppendTime(n));
  }
  EXPECT_EQ(total(EventTimes::kStored), static_cast<uint64_t>(many));
  times.reached(Cut(static_cast<uint64_t>(many)), Cut(static_cast<uint64_t>(many)), AppendTime(many));
  EXPECT_EQ(total(EventTimes::kStepped), EventTimes::kMostWaiting);
}

TEST_F(EventTimesTest, StreamsBeyondTheBoundCountInTheTotals) {
  for (uint32_t n = 0; n < EventTimes::kMostStreams + 5; ++n)
    times.delivered(StreamId(n + 10), AppendTime(0), AppendTime(1));
  EXPECT_EQ(total(EventTimes::kDelivered), EventTimes::kMostStreams + 5);
  EXPECT_EQ(times.of(StreamId(EventTimes::kMostStreams + 12)), nullptr);
  times.forget([](StreamId stream) { return stream == StreamId(10); });
  EXPECT_EQ(times.of(StreamId(10)), nullptr);
}

}  // namespace
}  // namespace millrace::node
