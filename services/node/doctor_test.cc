#include "node/doctor.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/resource.h>

namespace millrace::cli {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kNoon = 1'700'000'000'000'000;

TEST(Doctor, SyncsAreJudgedByTheirTail) {
  std::vector<int64_t> took(300, kMs / 5);
  EXPECT_EQ(judge_syncs(took).health, Health::kOk);
  took.back() = 50 * kMs;  // one of 300 is no tail
  const auto good = judge_syncs(took);
  EXPECT_EQ(good.health, Health::kOk);
  EXPECT_NE(good.what.find("300 times: p50 0.200 ms, p99 0.200 ms, max 50.000 ms"), std::string::npos)
      << good.what;
  EXPECT_NE(good.what.find("at least 0.200 ms"), std::string::npos);
  std::fill_n(took.begin(), 5, 3 * kMs);
  EXPECT_EQ(judge_syncs(took).health, Health::kWarn);
  EXPECT_EQ(judge_syncs({900 * kMs}).health, Health::kWarn);
  EXPECT_NE(judge_syncs({900}).todo.find("ignores syncs"), std::string::npos);
}

TEST(Doctor, SpaceIsForTheReserveAndSomeSegments) {
  EXPECT_EQ(judge_space(100u << 20).health, Health::kFail);
  const auto little = judge_space(uint64_t{256 + 4 * 128 + 1} << 20);
  EXPECT_EQ(little.health, Health::kWarn);
  EXPECT_NE(little.todo.find("after 4 segments"), std::string::npos) << little.todo;
  EXPECT_EQ(judge_space(uint64_t{50} << 30).health, Health::kOk);
}

TEST(Doctor, FileSystemsThatForget) {
  EXPECT_EQ(judge_file_system(EXT4_SUPER_MAGIC).health, Health::kOk);
  EXPECT_EQ(judge_file_system(TMPFS_MAGIC).health, Health::kWarn);
  EXPECT_EQ(judge_file_system(OVERLAYFS_SUPER_MAGIC).health, Health::kWarn);
  EXPECT_EQ(judge_file_system(0xabc).what, "of type 0xabc");
}

TEST(Doctor, LimitsOfTheMachine) {
  EXPECT_EQ(judge_open_files(1024).health, Health::kWarn);
  EXPECT_EQ(judge_open_files(11'000).health, Health::kOk);
  EXPECT_EQ(judge_open_files(RLIM_INFINITY).what, "no limit");
  EXPECT_EQ(judge_memory(512u << 20).health, Health::kWarn);
  EXPECT_EQ(judge_memory(uint64_t{8} << 30).health, Health::kOk);
  EXPECT_EQ(judge_cores(0.5).health, Health::kWarn);
  EXPECT_EQ(judge_cores(2).health, Health::kOk);
}

TEST(Doctor, HugePages) {
  EXPECT_EQ(judge_huge_pages("always [madvise] never\n").what, "madvise");
  EXPECT_EQ(judge_huge_pages("[always] madvise never\n").health, Health::kOk);
  EXPECT_EQ(judge_huge_pages("always madvise [never]\n").health, Health::kWarn);
  EXPECT_EQ(judge_huge_pages("").health, Health::kOk);
}

TEST(Doctor, AClockThatIsBehindTheJournalIsSaidFirst) {
  EXPECT_EQ(judge_clock(kNoon, 0, true, 1).health, Health::kOk);
  EXPECT_EQ(judge_clock(kNoon, kNoon - 1'000'000'000, true, 1).health, Health::kOk);
  const auto behind = judge_clock(kNoon, kNoon + 90'000'000, false, 1);
  EXPECT_EQ(behind.health, Health::kWarn);
  EXPECT_NE(behind.todo.find("90 s behind"), std::string::npos) << behind.todo;
  EXPECT_NE(behind.what.find("the journal ends at 2023-11-14 22:14:50 UTC"), std::string::npos)
      << behind.what;
  EXPECT_NE(judge_clock(kNoon, 0, false, 1).todo.find("chrony"), std::string::npos);
  EXPECT_EQ(judge_clock(kNoon, 0, true, 4'000'000).health, Health::kWarn);
}

TEST(Doctor, AddressesThatCannotBe) {
  EXPECT_EQ(look_at_address({"127.0.0.1", 0}).health, Health::kOk);
  EXPECT_EQ(look_at_address({"localhost", 0}).health, Health::kOk);
  EXPECT_NE(look_at_address({"0.0.0.0", 0}).what.find("--tokens"), std::string::npos);
  EXPECT_NE(look_at_address({"203.0.113.7", 0}).todo.find("no such address"), std::string::npos);
  EXPECT_EQ(look_at_address({"example.com", 0}).health, Health::kFail);
}

}  // namespace
}  // namespace millrace::cli
