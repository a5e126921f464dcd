// Every implementation keeps every promise of log/log.h, and a log that breaks one is caught.
#include <gtest/gtest.h>

#include "tests/conformance/log_cases.h"

namespace millrace::conformance {
namespace {

struct Implementation {
  const char* name;
  std::unique_ptr<LogSubject> (*make)(uint64_t seed);
};
constexpr Implementation kImplementations[] = {{"Journal", make_journal_subject},
                                               {"HostileLog", make_hostile_subject}};

class LogContract : public ::testing::TestWithParam<std::tuple<Implementation, LogCase>> {};

TEST_P(LogContract, IsKept) {
  const auto& [implementation, promise] = GetParam();
  for (uint64_t seed = 1; seed <= promise.seeds; ++seed) {
    const auto kept = promise.run(*implementation.make(seed), seed);
    ASSERT_TRUE(kept.ok()) << "seed " << seed << ": " << kept.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LogContract,
                         ::testing::Combine(::testing::ValuesIn(kImplementations),
                                            ::testing::ValuesIn(log_cases())),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) + "_" +
                                  std::get<1>(info.param).name;
                         });

// Whether some case sees that what `make` makes breaks a promise.
template <typename Make>
bool caught(const Make& make) {
  for (const auto& promise : log_cases()) {
    for (uint64_t seed = 1; seed <= promise.seeds; ++seed) {
      if (!promise.run(*make(seed), seed).ok()) return true;
    }
  }
  return false;
}

TEST(LogContractSuite, CatchesAHostileLogThatBreaksAPromise) {
  for (uint8_t i = 1; i <= static_cast<uint8_t>(fakes::Broken::kLast); ++i) {
    const auto broken = static_cast<fakes::Broken>(i);
    EXPECT_TRUE(caught([&](uint64_t seed) { return make_broken_subject(seed, broken); }))
        << "broken promise " << int{i};
  }
}

TEST(LogContractSuite, CatchesAJournalThatBreaksAPromise) {
  for (const auto bug :
       {log::PlantedBug::kSkipSync, log::PlantedBug::kDropPosition, log::PlantedBug::kServeBeforeDurable}) {
    EXPECT_TRUE(caught([&](uint64_t seed) { return make_broken_subject(seed, bug); }))
        << "planted bug " << static_cast<int>(bug);
  }
}

}  // namespace
}  // namespace millrace::conformance
