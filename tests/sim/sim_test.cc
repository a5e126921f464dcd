// 200 seeds of whole nodes (20 under a sanitizer), and the planted bugs that some seed must catch.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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
constexpr uint64_t kBugSeeds = 200;
// Seeds that caught what few do: tried first. When the workload changes, others will.
constexpr uint64_t kRare[] = {143};
constexpr unsigned kBugSeconds = 30;

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

// The same seed twice is the same run: otherwise a failure could not be replayed.
TEST(Sim, ASeedIsARun) {
  SimOptions options;
  options.seed = 5;
  const SimReport a = simulate(options), b = simulate(options);
  EXPECT_EQ(a.frames, b.frames);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.acknowledged, b.acknowledged);
  EXPECT_EQ(a.crashes, b.crashes);
  EXPECT_GT(a.events, 0u);
}

// Otherwise the oracle would agree with streams of windows that never close.
TEST(Sim, SomeSeedsWriteClosedWindows) {
  uint64_t rows = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SimOptions options;
    options.seed = seed;
    rows += simulate(options).window_rows;
  }
  EXPECT_GT(rows, 100u);
}

// A bug may also end in a failed CHECK, so each seed runs in a process of its own.
bool caught(const std::string& bug, uint64_t seed) {
  const pid_t child = fork();
  if (child == 0) {
    SimOptions options;
    options.seed = seed;
    if (!plant(bug, options)) _exit(0);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(0);
    alarm(kBugSeconds);  // a node that hangs is caught, too
    try {
      _exit(simulate(options).failure ? 1 : 0);
    } catch (const std::exception&) {  // the oracle read something that is not an event at all
      _exit(1);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

class SimBugs : public testing::TestWithParam<std::string> {};

TEST_P(SimBugs, IsCaughtByASeed) {
  std::vector<uint64_t> seeds(std::begin(kRare), std::end(kRare));
  for (uint64_t seed = 1; seed <= kBugSeeds; ++seed) seeds.push_back(seed);
  for (const uint64_t seed : seeds) {
    if (!caught(GetParam(), seed)) continue;
    std::printf("%s: caught by seed %d\n", GetParam().c_str(), static_cast<int>(seed));
    return;
  }
  FAIL() << "no seed of 1.." << kBugSeeds << " catches " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Planted, SimBugs, testing::ValuesIn(planted_bugs()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace millrace::sim
