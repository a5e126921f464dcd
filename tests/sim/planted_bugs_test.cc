// The simulation must be able to fail: some seed has to catch each planted bug.
// Has a label of its own: a sanitizer would learn nothing here, and take minutes.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "tests/sim/sim_node.h"

namespace millrace::sim {
namespace {

constexpr uint64_t kBugSeeds = 200;
// Seeds that caught what few do: tried first. When the workload changes, others will.
constexpr uint64_t kRare[] = {119, 733, 434};
constexpr unsigned kBugSeconds = 30;

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

// What fails without a bug catches none.
TEST(RareSeeds, PassWithoutABug) {
  for (const uint64_t seed : kRare) {
    SimOptions options;
    options.seed = seed;
    EXPECT_FALSE(simulate(options).failure) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Planted, SimBugs, testing::ValuesIn(planted_bugs()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace millrace::sim
