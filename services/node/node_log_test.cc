#include "node/node_log.h"

#include <gmock/gmock.h>

#include <vector>

namespace millrace::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class NodeLogTest : public testing::Test {
 protected:
  NodeLog make(LogFormat format, LogLevel level = LogLevel::kInfo) {
    return NodeLog(
        format, level, [this] { return now; },
        [this](std::string_view line) {
          if (takes) lines.emplace_back(line);
          return takes;
        });
  }
  void pass(int64_t seconds) {
    now.monotonic_ns += seconds * 1'000'000'000;
    now.wall_us += seconds * 1'000'000;
  }
  NodeLog::Time now{1'000'000'000'000'000, 5'000'000'000};
  bool takes = true;
  std::vector<std::string> lines;
};

TEST_F(NodeLogTest, ALineIsAJsonObject) {
  auto log = make(LogFormat::kJson);
  log.say(LogLevel::kError, "query", "a \"view\"\nfailed", {"MR-STEP-0005", "acme"});
  EXPECT_THAT(
      lines,
      ElementsAre("{\"time\":\"2001-09-09T01:46:40Z\",\"level\":\"error\",\"component\":\"query\",\"code\":"
                  "\"MR-STEP-0005\",\"tenant\":\"acme\",\"message\":\"a \\\"view\\\"\\nfailed\"}\n"));
}

TEST_F(NodeLogTest, ATextIsOneLine) {
  auto log = make(LogFormat::kText);
  log.say(LogLevel::kInfo, "node", "a\nb\x1b[31m");
  log.say(LogLevel::kError, "query", "v failed", {"MR-STEP-0005", "acme"});
  EXPECT_THAT(lines, ElementsAre("a b [31m\n", "error: MR-STEP-0005: v failed (tenant acme)\n"));
}

TEST_F(NodeLogTest, LevelsAreChangedWhileItRuns) {
  auto log = make(LogFormat::kText, LogLevel::kWarning);
  log.say(LogLevel::kInfo, "node", "1");
  log.set_level(LogLevel::kDebug);
  log.say(LogLevel::kDebug, "node", "2");
  EXPECT_THAT(lines, ElementsAre("debug: 2\n"));
  EXPECT_EQ(log_level_named("debug"), LogLevel::kDebug);
  EXPECT_EQ(log_level_named("loud"), std::nullopt);
}

TEST_F(NodeLogTest, RepeatsAreCounted) {
  auto log = make(LogFormat::kText);
  for (int i = 0; i < 5; ++i) log.say(LogLevel::kInfo, "node", "again");
  log.say(LogLevel::kInfo, "node", "again", {"", "acme"});  // of another
  EXPECT_THAT(lines, ElementsAre("again\n", "again (tenant acme)\n"));
  pass(11);
  log.tick();
  log.tick();
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines.back(), "again (4 times more)\n");
  log.say(LogLevel::kInfo, "node", "again");
  pass(11);
  log.say(LogLevel::kInfo, "node", "again");
  EXPECT_EQ(lines.back(), "again (1 times more)\n");
}

TEST_F(NodeLogTest, AFloodIsBounded) {
  auto log = make(LogFormat::kJson);
  for (int i = 0; i < 1'000; ++i) log.say(LogLevel::kInfo, "node", std::to_string(i));
  EXPECT_EQ(lines.size(), NodeLog::kMostASecond);
  pass(1);
  log.say(LogLevel::kInfo, "node", "next");
  EXPECT_THAT(lines.back(), HasSubstr(",\"lost_lines\":800}"));
  log.say(LogLevel::kInfo, "node", "and the next");
  EXPECT_THAT(lines.back(), testing::Not(HasSubstr("lost_lines")));
}

TEST_F(NodeLogTest, WhatNobodyTakesIsCounted) {
  auto log = make(LogFormat::kText);
  takes = false;
  log.say(LogLevel::kInfo, "node", "1");
  log.say(LogLevel::kInfo, "node", "2");
  takes = true;
  log.say(LogLevel::kInfo, "node", "3");
  EXPECT_THAT(lines, ElementsAre("3 (2 lines were lost before)\n"));
}

TEST_F(NodeLogTest, ALongMessageIsCut) {
  auto log = make(LogFormat::kText);
  log.say(LogLevel::kInfo, "node", std::string(100'000, 'x'));
  EXPECT_LT(lines.front().size(), 4'096u);
}

}  // namespace
}  // namespace millrace::node
