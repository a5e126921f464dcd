#include "stream-processor/step_record.h"

#include <gtest/gtest.h>

namespace millrace::processor {
namespace {

StepRecord example() {
  StepRecord record{1, 2, kEngineVersion, Cut(10), Cut(12), {}, 4'000};
  record.entries.push_back(
      {QueryId(7), 0xABCD, 0x1234, 3, 2, {{PartitionId(5), -9, Cut(11)}, {PartitionId(6), 4, {}}}});
  record.entries.push_back({QueryId(8), 1, 2, 0, 0, {}, 300, false});
  return record;
}

TEST(StepRecord, RoundTrips) {
  auto decoded = decode_step(encode(example()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(encode(*decoded), encode(example()));
  EXPECT_EQ(decoded->from, Cut(10));
  ASSERT_EQ(decoded->entries.size(), 2u);
  EXPECT_EQ(decoded->entries[0].reports[0].watermark_us, -9);
  EXPECT_EQ(decoded->entries[0].reports[0].idle_since, Cut(11));
  EXPECT_FALSE(decoded->entries[0].reports[1].idle());
  EXPECT_TRUE(decoded->entries[0].last);
  EXPECT_EQ(decoded->entries[1].slice, 300u);
  EXPECT_FALSE(decoded->entries[1].last);
  EXPECT_EQ(decoded->slice_bytes, 4'000u);
}

TEST(StepRecord, EveryTruncationIsAnError) {
  const std::string whole = encode(example());
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(decode_step(whole.substr(0, n)).ok()) << n;
  EXPECT_FALSE(decode_step(whole + "x").ok());
}

TEST(StepRecord, SlicesOfNothingAreAnError) {
  StepRecord record = example();
  record.slice_bytes = 0;
  EXPECT_FALSE(decode_step(encode(record)).ok());
}

TEST(StepRecord, TheHashSeesOrderPlaceAndReports) {
  const StreamPartition a{StreamId(4), PartitionId(0)};
  const StreamPartition b{StreamId(4), PartitionId(1)};
  EXPECT_NE(hash_record(hash_record(0, "x"), "y"), hash_record(hash_record(0, "y"), "x"));
  EXPECT_NE(hash_part(0, a, 1), hash_part(0, b, 1));
  EXPECT_NE(hash_report(0, {PartitionId(0), 1, {}}), hash_report(0, {PartitionId(0), 1, Cut(3)}));
}

TEST(Layouts, RoundTripAndRefuseNonsense) {
  auto layouts = decode_layouts("0:1,77:3");
  ASSERT_TRUE(layouts.ok());
  ASSERT_EQ(layouts->size(), 2u);
  EXPECT_EQ((*layouts)[1].workers, 3u);
  EXPECT_EQ(encode(*layouts), "0:1,77:3");
  for (const char* bad : {"0", "0:", "0:0", "x:1", "0:1;2:3"}) {
    EXPECT_FALSE(decode_layouts(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace millrace::processor
