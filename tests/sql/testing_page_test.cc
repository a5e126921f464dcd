// docs/sql/testing.md is run: its ```test block is a test file that passes.
#include <gtest/gtest.h>

#include <fstream>

#include "node/query_tests/query_tests.h"

namespace millrace::query_tests {
namespace {

std::string example() {
  std::string out;
  bool inside = false;
  std::ifstream in(MILLRACE_TESTING_PAGE);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```test";
    } else if (inside) {
      out += line + "\n";
    }
  }
  return out;
}

TEST(TestingPage, ItsExamplePasses) {
  const std::string path = testing::TempDir() + "page.test";
  std::ofstream(path) << example();
  const auto result = run_file(path, {});
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  EXPECT_EQ(result->cases, 2u);
  for (const auto& failure : result->failures)
    ADD_FAILURE() << failure.difference << "\n" << failure.schedule;
}

}  // namespace
}  // namespace millrace::query_tests
