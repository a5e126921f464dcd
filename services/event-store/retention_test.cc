#include "event-store/retention.h"

#include <gtest/gtest.h>

#include <map>

namespace millrace::event_store {
namespace {

struct Share {
  uint32_t stream;
  uint64_t bytes;
  int64_t last_time;
};

log::SegmentInfo segment(uint64_t id, std::vector<Share> shares, bool sealed = true) {
  log::SegmentInfo info;
  info.id = id;
  info.first = Cut(id * 10);
  info.last = Cut(id * 10 + 9);
  info.sealed = sealed;
  for (const auto& s : shares) info.streams.push_back({StreamId(s.stream), s.bytes, AppendTime(s.last_time)});
  return info;
}

class Retention : public testing::Test {
 protected:
  void declare(uint32_t id, int64_t retention_us, int64_t retention_bytes,
               engine::StreamKind kind = engine::StreamKind::kDeclared) {
    auto stream = std::make_shared<engine::StreamDef>();
    stream->id = StreamId(id);
    stream->kind = kind;
    stream->retention_us = retention_us;
    stream->retention_bytes = retention_bytes;
    streams_[id] = stream;
  }
  std::optional<uint64_t> expired(std::vector<log::SegmentInfo> segments, int64_t now,
                                  uint64_t floor = 1'000'000) {
    const auto find = [this](StreamId id) {
      const auto found = streams_.find(id.value);
      return found == streams_.end() ? engine::StreamPtr() : found->second;
    };
    const auto through =
        expired_through({std::move(segments), find, AppendTime(now), Cut(floor), letters_kept_us_});
    if (!through) return std::nullopt;
    EXPECT_EQ(through->last, Cut(through->id * 10 + 9));
    return through->id;
  }
  std::map<uint32_t, engine::StreamPtr> streams_;
  int64_t letters_kept_us_ = 0;
};

TEST_F(Retention, AStreamWithoutABoundKeepsItsRecordsForEver) {
  declare(4, 0, 0);
  EXPECT_EQ(expired({segment(1, {{4, 100, 0}})}, 1'000'000'000), std::nullopt);
}

TEST_F(Retention, DeadLettersDoNotKeepASegmentForEver) {
  declare(4, 100, 0);
  declare(8, 0, 0, engine::StreamKind::kDeadLetters);
  const std::vector<log::SegmentInfo> segments = {segment(1, {{4, 10, 100}, {8, 1, 100}}),
                                                  segment(2, {{4, 10, 150}})};
  EXPECT_EQ(expired(segments, 1000), std::nullopt);
  letters_kept_us_ = 500;
  EXPECT_EQ(expired(segments, 600), std::nullopt);
  EXPECT_EQ(expired(segments, 601), 2u);
}

TEST_F(Retention, ASegmentWhoseIndexCannotBeReadIsKept) {
  auto unknown = segment(1, {{12, 10, 1}});
  EXPECT_EQ(expired({unknown, segment(2, {{12, 10, 1}})}, 0), 2u);
  unknown.streams_known = false;
  EXPECT_EQ(expired({unknown, segment(2, {{12, 10, 1}})}, 0), std::nullopt);
}

TEST_F(Retention, ASegmentWithoutRecordsGoesWithALaterOne) {
  EXPECT_EQ(expired({segment(1, {}), segment(2, {})}, 10), std::nullopt);
  EXPECT_EQ(expired({segment(1, {}), segment(2, {{12, 10, 1}}), segment(3, {})}, 10), 2u);
}

TEST_F(Retention, TimeIsJudgedByTheLastRecordOfEachStream) {
  declare(4, 1000, 0);
  declare(8, 5000, 0);
  const std::vector<log::SegmentInfo> segments = {
      segment(1, {{4, 10, 100}}), segment(2, {{4, 10, 200}, {8, 10, 250}}), segment(3, {{4, 10, 300}})};
  EXPECT_EQ(expired(segments, 1100), std::nullopt);  // exactly as old as allowed: kept
  EXPECT_EQ(expired(segments, 1101), 1u);
  EXPECT_EQ(expired(segments, 5000), 1u);  // stream 8 holds segment 2, and with it segment 3
  EXPECT_EQ(expired(segments, 5251), 3u);
}

TEST_F(Retention, SizeCountsWhatIsKeptInLaterSegments) {
  declare(4, 0, 150);
  std::vector<log::SegmentInfo> segments = {segment(1, {{4, 100, 1}}), segment(2, {{4, 100, 2}}),
                                            segment(3, {{4, 60, 3}}), segment(4, {{4, 500, 4}}, false)};
  EXPECT_EQ(expired(segments, 10), 1u);
  segments[2].sealed = false;  // what is not durable yet does not count
  EXPECT_EQ(expired(segments, 10), std::nullopt);
}

TEST_F(Retention, DroppedStreamsAndInternalTopicsHoldNothing) {
  declare(9, 0, 0, engine::StreamKind::kRepartition);
  EXPECT_EQ(expired({segment(1, {{9, 10, 1}, {12, 10, 1}}), segment(2, {{9, 10, 1}})}, 10), 2u);
}

TEST_F(Retention, NothingAtOrAboveTheFloorAndNothingUnsealed) {
  declare(4, 1, 0);
  const std::vector<log::SegmentInfo> segments = {segment(1, {{4, 10, 1}}), segment(2, {{4, 10, 1}}),
                                                  segment(3, {{4, 10, 1}}, false)};
  EXPECT_EQ(expired(segments, 100, 19), std::nullopt);
  EXPECT_EQ(expired(segments, 100, 20), 1u);
  EXPECT_EQ(expired(segments, 100), 2u);
}

}  // namespace
}  // namespace millrace::event_store
