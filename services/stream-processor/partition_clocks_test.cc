#include "stream-processor/partition_clocks.h"

#include <gtest/gtest.h>

namespace millrace::processor {
namespace {

constexpr PartitionId kA(0);
constexpr PartitionId kB(1);
const std::vector<uint8_t> kOwnBoth{1, 1};
const std::vector<uint8_t> kOwnA{1, 0};

TEST(PartitionClocks, ClosesAtTheMinimumOverPartitionsThatHadAnEvent) {
  PartitionClocks clocks(3, 0);
  clocks.saw_batch(kA, Cut(1 + 1), AppendTime(1));
  clocks.advance(kA, 100);
  clocks.settle();
  EXPECT_EQ(clocks.closed(), 100);  // nobody else ever had one
  clocks.saw_batch(kB, Cut(2 + 1), AppendTime(2));
  clocks.advance(kB, 50);
  clocks.settle();
  EXPECT_EQ(clocks.closed(), 100);  // never back
  clocks.advance(kA, 300);
  clocks.advance(kB, 200);
  clocks.settle();
  EXPECT_EQ(clocks.closed(), 200);
}

TEST(PartitionClocks, AQuietPartitionTurnsIdleByAppendTimeAndReturns) {
  PartitionClocks clocks(2, 60);
  clocks.saw_batch(kA, Cut(0 + 1), AppendTime(0));
  clocks.saw_batch(kB, Cut(10 + 1), AppendTime(10));
  clocks.advance(kA, 5);
  clocks.advance(kB, 500);
  EXPECT_EQ(clocks.next_expiry(kOwnBoth), 60);
  EXPECT_FALSE(clocks.expire(kOwnBoth, AppendTime(59)));
  EXPECT_TRUE(clocks.expire(kOwnBoth, AppendTime(60)));
  clocks.settle();
  EXPECT_EQ(clocks.closed(), 500);
  clocks.saw_batch(kA, Cut(65 + 1), AppendTime(65));
  EXPECT_TRUE(clocks.active(kA));
  clocks.settle();
  EXPECT_EQ(clocks.closed(), 500);
}

TEST(PartitionClocks, OnlyOwnPartitionsAreJudgedAndAStartResetsTheQuiet) {
  PartitionClocks clocks(2, 60);
  clocks.saw_batch(kA, Cut(0 + 1), AppendTime(0));
  clocks.saw_batch(kB, Cut(0 + 1), AppendTime(0));
  clocks.restart(AppendTime(1000));
  EXPECT_FALSE(clocks.expire(kOwnA, AppendTime(1059)));
  EXPECT_TRUE(clocks.expire(kOwnA, AppendTime(1060)));
  EXPECT_TRUE(clocks.idle(kA));
  EXPECT_FALSE(clocks.idle(kB));
}

TEST(PartitionClocks, ABatchBehindTheIdleFrameMadeItActiveAgain) {
  PartitionClocks clocks(2, 60);
  clocks.saw_batch(kA, Cut(5), AppendTime(0));
  EXPECT_TRUE(clocks.idle_since(kA, Cut(6)));
  EXPECT_FALSE(clocks.idle_since(kA, Cut(5)));
  std::string saved;
  clocks.save(saved);
  PartitionClocks loaded(2, 60);
  ByteReader in(saved);
  ASSERT_TRUE(loaded.load(in));
  EXPECT_FALSE(loaded.idle_since(kA, Cut(5)));
  loaded.set_idle(kA);
  EXPECT_FALSE(loaded.idle_since(kA, Cut(6)));  // it is known already
}

TEST(PartitionClocks, SurvivesASnapshot) {
  PartitionClocks clocks(2, 60);
  clocks.saw_batch(kB, Cut(7 + 1), AppendTime(7));
  clocks.advance(kB, 70);
  clocks.settle();
  std::string saved;
  clocks.save(saved);
  PartitionClocks loaded(2, 60);
  ByteReader in(saved);
  ASSERT_TRUE(loaded.load(in));
  EXPECT_TRUE(in.done());
  EXPECT_EQ(loaded.closed(), 70);
  EXPECT_EQ(loaded.watermark(kB), 70);
  EXPECT_FALSE(loaded.active(kA));
  ByteReader wrong(saved);
  PartitionClocks other(3, 60);
  EXPECT_FALSE(other.load(wrong));
}

}  // namespace
}  // namespace millrace::processor
