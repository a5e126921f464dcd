// 200 seeds of whole nodes (20 under a sanitizer).
#include <gtest/gtest.h>

#include "base/hash.h"
#include "tests/sim/sim_node.h"

namespace millrace::sim {
namespace {

// Under a sanitizer a seed takes ten times as long: fewer of them, the same code.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeedsAShard = 5;
#else
constexpr uint64_t kSeedsAShard = 50;
#endif
constexpr uint64_t kShards = 4;

class SimSeeds : public testing::TestWithParam<uint64_t> {};

TEST_P(SimSeeds, AgreeWithTheNaiveEvaluator) {
  const uint64_t first = 1 + GetParam() * kSeedsAShard;
  for (uint64_t seed = first; seed < first + kSeedsAShard; ++seed) {
    SimOptions options;
    options.seed = seed;
    const SimReport report = simulate(options);
    ASSERT_FALSE(report.failure) << "seed " << seed << ": " << *report.failure
                                 << "\n  replay: " << replay_command(options);
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, SimSeeds, testing::Range(uint64_t{0}, kShards));

// The same seed twice is the same run, as in two processes: otherwise a failure could not be replayed.
TEST(Sim, ASeedIsARun) {
  SimOptions options;
  options.seed = 179;
  set_process_hash_seed(1);
  const SimReport a = simulate(options);
  set_process_hash_seed(2);
  const SimReport b = simulate(options);
  EXPECT_EQ(a.frames, b.frames);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.acknowledged, b.acknowledged);
  EXPECT_EQ(a.crashes, b.crashes);
  EXPECT_GT(a.events, 0u);
}

// Otherwise the oracle would agree with streams of windows that never close, or of groups that nobody writes.
TEST(Sim, SomeSeedsWriteClosedWindowsAndChanges) {
  uint64_t rows = 0;
  uint64_t changes = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SimOptions options;
    options.seed = seed;
    const SimReport report = simulate(options);
    rows += report.window_rows;
    changes += report.changes;
  }
  EXPECT_GT(rows, 100u);
  EXPECT_GT(changes, 100u);
}

}  // namespace
}  // namespace millrace::sim
