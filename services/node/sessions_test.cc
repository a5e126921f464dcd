// Two sessions that want the same thing at once: one gets it, the other a clear answer.
#include <gmock/gmock.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using testing::UnorderedElementsAre;

class Sessions : public NodeTest {
 protected:
  void SetUp() override {
    open();
    run("CREATE STREAM s (k TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (key = 'k')");
    run("CREATE STREAM t (k TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (key = 'k')");
  }
  // The ids of their errors; "" where there is none. Neither knows of the other when it is bound.
  std::vector<std::string> at_once(const std::string& first, const std::string& second) {
    std::vector<std::string> ended;
    for (const auto& text : {first, second}) {
      node_->sql().execute(
          tenant_, text, [](const gateway::StatementResult&) {},
          [&](const Status& status) {
            ended.push_back(status.ok() ? "" : status.error().id);
            if (!status.ok()) last_message_ = status.error().message;
          });
    }
    EXPECT_TRUE(ended.empty()) << "the first was done before the second came: the test proves nothing";
    run_until([&] { return ended.size() == 2; });
    return ended;
  }

  std::string last_message_;  // of an error
};

TEST_F(Sessions, OneNameIsGivenOnce) {
  EXPECT_THAT(at_once("CREATE STREAM a (n BIGINT)", "CREATE STREAM a (m TEXT)"),
              UnorderedElementsAre("", "MR-SQL-0013"));
  EXPECT_THAT(at_once("CREATE STREAM IF NOT EXISTS b (n BIGINT)", "CREATE STREAM IF NOT EXISTS b (n BIGINT)"),
              UnorderedElementsAre("", ""));
  EXPECT_THAT(at_once("CREATE MATERIALIZED VIEW c AS SELECT k FROM s", "CREATE STREAM c AS SELECT k FROM s"),
              UnorderedElementsAre("", "MR-SQL-0013"));
  EXPECT_EQ(last_message_, "\"c\" exists already");
  close();
}

TEST_F(Sessions, OrReplaceIsBoundAgain) {
  const std::string view =
      "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT k, count(*) AS n FROM s GROUP BY k";
  EXPECT_THAT(at_once(view, view), UnorderedElementsAre("", ""));
  run("DROP VIEW v");
  EXPECT_THAT(at_once(view, "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT k FROM s"),
              UnorderedElementsAre("", "MR-SQL-0018"));
  close();
}

TEST_F(Sessions, WhatAnotherOneHasDroppedIsNotThere) {
  const std::string view =
      "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT k, count(*) AS n FROM s GROUP BY k";
  run(view);
  EXPECT_THAT(at_once("DROP VIEW v", "DROP VIEW v"), UnorderedElementsAre("", "MR-SQL-0010"));
  EXPECT_EQ(last_message_, "view \"v\" does not exist");
  run(view);
  EXPECT_THAT(at_once("DROP VIEW IF EXISTS v", "DROP VIEW IF EXISTS v"), UnorderedElementsAre("", ""));
  run(view);
  EXPECT_THAT(at_once("DROP VIEW v",
                      "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT count(*) AS n, k FROM s GROUP BY k"),
              UnorderedElementsAre("", ""));
  EXPECT_THAT(sql("SELECT * FROM v").error, "");
  close();
}

TEST_F(Sessions, LateEventsDoNotGoRound) {
  const auto view = [](const std::string& name, const std::string& from, const std::string& to) {
    return "CREATE MATERIALIZED VIEW " + name + " AS SELECT window_start, count(*) AS n FROM TUMBLE(" + from +
           ", at, INTERVAL '1 hour') GROUP BY window_start LATE DATA TO " + to;
  };
  EXPECT_THAT(at_once(view("v", "s", "t"), view("w", "t", "s")), UnorderedElementsAre("", "MR-SQL-0045"));
  close();
}

TEST_F(Sessions, AStreamIsNotDroppedUnderAQueryThatIsMade) {
  EXPECT_THAT(at_once("CREATE MATERIALIZED VIEW v AS SELECT k FROM s", "DROP STREAM s"),
              UnorderedElementsAre("", "MR-SQL-0017"));
  EXPECT_THAT(at_once("DROP STREAM t", "CREATE MATERIALIZED VIEW w AS SELECT k FROM t"),
              UnorderedElementsAre("", "MR-SQL-0010"));
  close();
}

// The reader's answer is the view's rows, or that it is gone; never nothing.
TEST_F(Sessions, AViewIsDroppedUnderItsReader) {
  run("CREATE MATERIALIZED VIEW v AS SELECT at, count(*) AS n FROM s GROUP BY at");
  for (const char* read : {"SELECT * FROM v", "SUBSCRIBE TO v"}) {
    run("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT at, count(*) AS n FROM s GROUP BY at");
    std::vector<std::string> ended;
    std::unique_ptr<engine::Subscription> subscription;
    for (const char* text : {"DROP VIEW v", read}) {
      node_->sql().execute(
          tenant_, text,
          [&](gateway::StatementResult result) { subscription = std::move(result.subscription); },
          [&](const Status& status) { ended.push_back(status.ok() ? "" : status.error().id); });
    }
    run_until([&] { return ended.size() == 2; });
    settle();
    EXPECT_THAT(ended, testing::Each(testing::AnyOf("", "MR-STEP-0020"))) << read;
    if (subscription) {
      const auto end = subscription->pull(10, [](std::string_view, std::string_view) {});
      EXPECT_EQ(end.ok() ? "" : end.error().id, "MR-STEP-0020");
    }
  }
  close();
}

}  // namespace
}  // namespace millrace::node
