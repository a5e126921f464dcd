// The behaviour corpus: every tests/sql/<area>/*.test under every schedule. MILLRACE_REWRITE=1 writes what
// was found into the files, for review as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "node/query_tests/query_tests.h"

namespace millrace::query_tests {
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
  Options options;
  options.not_optimized = true;
  options.rewrite = std::getenv("MILLRACE_REWRITE") != nullptr;
  const auto result = run_file(GetParam(), options);
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  for (const auto& failure : result->failures) {
    ADD_FAILURE() << failure.difference << "\ncase: " << failure.title << "; schedule: " << failure.schedule;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Corpus, testing::ValuesIn(all_files()), [](const auto& info) {
  const std::filesystem::path path(info.param);
  std::string name = path.parent_path().filename().string() + "_" + path.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace millrace::query_tests
