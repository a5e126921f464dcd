// The behaviour corpus: every tests/sql/<area>/*.test under every schedule. MILLRACE_REWRITE=1 writes what
// was found into the files, for review as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/sql/runner.h"

namespace millrace::corpus {
namespace {

// These folders have other formats and other tests.
bool other_format(const std::filesystem::path& area) {
  return area == "plans" || area == "errors";
}

std::vector<std::string> all_files() {
  std::vector<std::string> out;
  for (const auto& area : std::filesystem::directory_iterator(MILLRACE_CORPUS)) {
    if (!area.is_directory() || other_format(area.path().filename())) continue;
    for (const auto& file : std::filesystem::directory_iterator(area)) {
      if (file.path().extension() == ".test") out.push_back(file.path().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Corpus : public testing::TestWithParam<std::string> {};

TEST_P(Corpus, GivesOneAnswerUnderEverySchedule) {
  auto file = read_cases(GetParam());
  ASSERT_TRUE(file.ok()) << file.error().to_string();
  const bool rewrite = std::getenv("MILLRACE_REWRITE") != nullptr;
  for (auto& test : file->cases) {
    for (const Schedule& schedule : kSchedules) {
      if (test.one_partition && schedule.partitions > 1) continue;
      const bool first = &schedule == &kSchedules[0];
      const std::string difference = run_case(file->path, test, schedule, rewrite && first);
      EXPECT_EQ(difference, "") << "case: " << test.title << "; schedule: " << schedule.name;
      if (!difference.empty()) break;
    }
  }
  if (rewrite) std::ofstream(file->path) << write_cases(*file);
}

INSTANTIATE_TEST_SUITE_P(Files, Corpus, testing::ValuesIn(all_files()), [](const auto& info) {
  const std::filesystem::path path(info.param);
  std::string name = path.parent_path().filename().string() + "_" + path.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

// A corpus that cannot fail proves nothing.
TEST(CorpusCanary, AWrongExpectationIsSeen) {
  const std::string path = testing::TempDir() + "canary.test";
  std::ofstream(path)
      << "== canary\nCREATE STREAM s (n BIGINT);\nCREATE MATERIALIZED VIEW v AS SELECT sum(n) AS t FROM s;\n"
         "push s (1) (2)\nexpect v (4)\n";
  auto file = read_cases(path);
  ASSERT_TRUE(file.ok());
  EXPECT_NE(run_case(path, file->cases[0], kSchedules[0], false).find("(3)"), std::string::npos);
}

TEST(CorpusFormat, WhatIsReadIsWrittenBack) {
  const std::string text =
      "# head\n== one\nCREATE STREAM s (n BIGINT,\n t TEXT);\n\npush s (1, a) (2, \"b, c\")\nexpect s (1, a) "
      "(2, \"b, c\")\n"
      "query SELECT n FROM s;\n| 1\n| 2\nerror MR-SQL-0001: x\n";
  const std::string path = testing::TempDir() + "format.test";
  std::ofstream(path) << text;
  auto file = read_cases(path);
  ASSERT_TRUE(file.ok()) << file.error().to_string();
  EXPECT_EQ(write_cases(*file), text);
}

}  // namespace
}  // namespace millrace::corpus
