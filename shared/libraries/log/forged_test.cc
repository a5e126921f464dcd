// Numbers that no journal writes, under checksums that hold: refused where they are read, before anything is
// computed with them.
#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "log/frame.h"
#include "log/record_batch.h"
#include "log/segment.h"
#include "log/segment_index.h"

namespace millrace::log {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(Forged, OffsetsOfABatch) {
  RecordBatchBuilder builder;
  builder.add("k", "v", 1);
  builder.add("k", "v", 2);
  std::string batch = builder.finish();
  const auto holds = [&](int64_t base) {
    store_be(batch.data(), base);
    return RecordBatchView::parse(batch, true).ok();
  };
  EXPECT_TRUE(holds(0));
  EXPECT_TRUE(holds(kLargestOffset - 1));
  EXPECT_FALSE(holds(kLargestOffset));
  EXPECT_FALSE(holds(kMax));
  EXPECT_FALSE(holds(-1));
  EXPECT_FALSE(holds(kMin));
}

TEST(Forged, ALastBatchThatIsNone) {
  RecordBatchBuilder builder;
  builder.add("k", "v", 1);
  Group group;
  group.batches.push_back({{StreamId(1), PartitionId(0)}, builder.finish()});
  std::string frame(frame_length(group), '\0');
  encode_frame_body(frame.data() + kFrameHeader, group, {{{}, Offset(0), 1}});
  const auto holds = [&](uint32_t batches) {
    FrameHeader header;
    header.cut = Cut(1);
    header.length = static_cast<uint32_t>(frame.size());
    header.batches = batches;
    return view_frame(nullptr, frame, header, false).ok();
  };
  EXPECT_TRUE(holds(1));
  EXPECT_FALSE(holds(2));
  frame.append(kBatchHeader, '\0');  // a batch of no bytes
  EXPECT_FALSE(holds(2));
}

TEST(Forged, OffsetsOfACarry) {
  const auto holds = [](int64_t next) {
    SegmentHeader header;
    header.id = 3;
    Carry carry;
    carry.next[{StreamId(1), PartitionId(0)}] = Offset(next);
    const std::string start = encode_segment_start(header, carry);
    const auto length = load_le<uint32_t>(start.data() + kSegmentBlock + 12);
    return load_carry(std::string_view(start).substr(kSegmentBlock, length), 3).has_value();
  };
  EXPECT_TRUE(holds(0));
  EXPECT_TRUE(holds(kLargestOffset));
  EXPECT_FALSE(holds(kLargestOffset + 1));
  EXPECT_FALSE(holds(-1));
}

TEST(Forged, OffsetsOfAnIndex) {
  const auto holds = [](int64_t first, uint32_t count) {
    SegmentIndex index;
    index.add_batch({StreamId(1), PartitionId(0)}, Offset(first), count, 70, Cut(3), 8192, AppendTime(5));
    return SegmentIndex::decode(index.encode()).has_value();
  };
  EXPECT_TRUE(holds(7, 2));
  EXPECT_FALSE(holds(-2, 2));
  EXPECT_FALSE(holds(kLargestOffset, 2));
}

TEST(Forged, Times) {
  const auto frame_holds = [](int64_t time) {
    std::string bytes(kFrameHeader, '\0');
    FrameHeader header;
    header.length = kFrameHeader;
    header.padding = frame_padding(kFrameHeader);
    header.cut = Cut(1);
    header.time = AppendTime(time);
    store_frame_header(bytes.data(), header);
    return load_frame_header(bytes, true).has_value();
  };
  const auto segment_holds = [](int64_t time) {
    SegmentHeader header;
    header.id = 1;
    header.first = Cut(1);
    header.time = AppendTime(time);
    const auto loaded = load_segment_header(encode_segment_start(header, {}));
    return loaded.ok() && loaded->has_value();
  };
  const auto trailer_holds = [](int64_t time) {
    SegmentTrailer trailer;
    trailer.first = trailer.last = Cut(1);
    trailer.frames_begin = trailer.frames_end = kSegmentBlock;
    trailer.last_time = AppendTime(time);
    return load_trailer(encode_trailer(trailer)).has_value();
  };
  for (const int64_t time : {int64_t{0}, int64_t{-1}, int64_t{1'700'000'000'000'000}}) {
    EXPECT_TRUE(frame_holds(time) && segment_holds(time) && trailer_holds(time)) << time;
  }
  for (const int64_t time : {kMax, kMin}) {
    EXPECT_FALSE(frame_holds(time) || segment_holds(time) || trailer_holds(time)) << time;
  }
}

}  // namespace
}  // namespace millrace::log
