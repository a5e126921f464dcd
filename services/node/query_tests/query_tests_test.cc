#include "node/query_tests/query_tests.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::query_tests {
namespace {

constexpr const char* kSum =
    "== sum\nCREATE STREAM s (n BIGINT);\nCREATE MATERIALIZED VIEW v AS SELECT sum(n) AS t FROM s;\n"
    "push s (1) (2)\n";

std::string write(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

std::string content(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string message_of(const std::string& text) {
  const auto result = run_file(write("bad.test", text), {});
  return result.ok() ? "taken" : result.error().id + result.error().message.substr(testing::TempDir().size());
}

// Tests that cannot fail prove nothing.
TEST(QueryTests, AWrongExpectationIsShownAsADifference) {
  const std::string path = write("wrong.test", std::string(kSum) + "expect v (4)\n");
  const auto result = run_file(path, {});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->failures.size(), 1u);
  EXPECT_EQ(result->failures[0].title, "sum");
  EXPECT_EQ(result->failures[0].schedule, "plain");
  EXPECT_EQ(result->failures[0].difference,
            path + ":5: the rows are not those expected (- expected, + found)\n  + (3)\n  - (4)");
}

TEST(QueryTests, RewritingMakesWhatIsFoundExpected) {
  const std::string path = write("rewrite.test", std::string(kSum) + "expect v (4)\n");
  Options options;
  options.rewrite = true;
  const auto first = run_file(path, options);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->rewritten);
  EXPECT_TRUE(first->failures.empty());
  EXPECT_EQ(content(path), std::string(kSum) + "expect v (3)\n");
  const auto second = run_file(path, options);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->rewritten);
}

TEST(QueryTests, BadFilesSayWhereTheyAreWrong) {
  EXPECT_EQ(message_of("# nothing\n"),
            "MR-TEST-0001bad.test:1: there is no case: a line `== title` starts one");
  EXPECT_EQ(message_of("== a\nSELECT 1\n"),
            "MR-TEST-0001bad.test:2: the statement has no ; at the end of a line");
  EXPECT_EQ(message_of("== a\nquery\n"),
            "MR-TEST-0001bad.test:2: the statement has no ; at the end of a line");
  EXPECT_EQ(message_of("== a\npull s (1)\n"), "MR-TEST-0001bad.test:2: unknown word: pull");
  EXPECT_EQ(message_of("== a\nwait 9x\n"), "MR-TEST-0001bad.test:2: wait takes seconds, 1 to 86400");
  EXPECT_EQ(message_of("== a\npush s (1, \"x\n"), "MR-TEST-0001bad.test:2: a , or ) is expected in: (1, \"x");
  EXPECT_EQ(message_of("== a\npush s (1)\nerror MR-SQL-0001: x\n"),
            "MR-TEST-0001bad.test:3: error stands in the line behind its statement");
}

TEST(QueryTests, FilesAreFoundInFolders) {
  const std::string folder = testing::TempDir() + "query_tests_folder";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder + "/deep");
  EXPECT_EQ(find_files({folder}).error().id, "MR-TEST-0007");
  std::ofstream(folder + "/b.test") << "";
  std::ofstream(folder + "/deep/a.test") << "";
  std::ofstream(folder + "/notes.txt") << "";
  const auto files = find_files({folder});
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(*files, (std::vector<std::string>{folder + "/b.test", folder + "/deep/a.test"}));
  EXPECT_EQ(find_files({folder + "/gone"}).error().id, "MR-TEST-0005");
}

TEST(QueryTests, WhatIsReadIsWrittenBack) {
  const std::string text =
      "# head\n== one\nCREATE STREAM s (n BIGINT,\n t TEXT);\n\npush s (1, a) (2, \"b, c\")\nexpect s (1, a) "
      "(2, \"b, c\")\n"
      "query SELECT n FROM s;\n| 1\n| 2\nCREATE;\nerror MR-SQL-0001: x\n";
  const auto file = read_cases(write("format.test", text));
  ASSERT_TRUE(file.ok()) << file.error().to_string();
  EXPECT_EQ(write_cases(*file), text);
}

TEST(QueryTests, ArraysAndObjectsAreBareValues) {
  const auto file =
      read_cases(write("json.test", "== a\npush s (1, [1, \"],)\", []], { \"a\": {}, \"b\": 2 }) ({b, [)\n"));
  ASSERT_TRUE(file.ok()) << file.error().to_string();
  const std::vector<Tuple> tuples{{"1", "[1, \"],)\", []]", "{ \"a\": {}, \"b\": 2 }"}, {"{b", "["}};
  EXPECT_EQ(file->cases[0].steps[0].tuples, tuples);
}

}  // namespace
}  // namespace millrace::query_tests
