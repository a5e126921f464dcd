// When those who watch or read a view are told of what has happened: no sooner, and no later.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using testing::ElementsAre;

// What a subscriber hears, as one text.
std::string heard(engine::Subscription& from) {
  std::string out;
  while (*from.pull(100, [&](std::string_view row, std::string_view) { (out += row) += ' '; }) > 0) {
  }
  return out;
}

TEST_F(NodeTest, RowsByPrimaryKeyAreToldInOrder) {
  open();
  run("CREATE STREAM accounts (id BIGINT PRIMARY KEY, owner TEXT, n BIGINT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT owner, id AS account FROM accounts WHERE n > 0");
  auto answer = sql("SUBSCRIBE TO v");
  turns(50);
  run("INSERT INTO accounts VALUES (1, 'a', 1, NULL), (2, 'b', 0, NULL), (1, 'c', 1, NULL), (1, NULL, NULL, "
      "'delete'), "
      "(3, 'd', 3, 'upsert')");
  settle();
  EXPECT_EQ(heard(*answer.subscription),
            R"({"_op":"upsert","owner":"a","account":1} {"_op":"upsert","owner":"c","account":1} )"
            R"({"_op":"delete","account":1} {"_op":"upsert","owner":"d","account":3} )");
  run("INSERT INTO accounts VALUES (3, 'd', -3, NULL), (3, NULL, NULL, 'delete'), (9, NULL, NULL, 'delete')");
  settle();
  EXPECT_EQ(heard(*answer.subscription), R"({"_op":"delete","account":3} )");
  answer.subscription.reset();
  close();
}

TEST_F(NodeTest, AGroupWithoutRowsIsToldAsDeleted) {
  open();
  run("CREATE STREAM accounts (id BIGINT PRIMARY KEY, owner TEXT, n BIGINT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT owner AS who, sum(n) AS total FROM accounts GROUP BY owner");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c, sum(n) AS total FROM accounts");
  run("INSERT INTO accounts VALUES (1, 'a', 1)");
  auto groups = sql("SUBSCRIBE TO v");
  auto all = sql("SUBSCRIBE TO w");
  turns(50);
  EXPECT_EQ(heard(*groups.subscription), R"({"_op":"upsert","who":"a","total":1} )");
  EXPECT_EQ(heard(*all.subscription), R"({"_op":"upsert","c":1,"total":1} )");
  run("INSERT INTO accounts VALUES (1, 'b', 2)");
  settle();
  EXPECT_EQ(heard(*groups.subscription),
            R"({"_op":"delete","who":"a"} {"_op":"upsert","who":"b","total":2} )");
  EXPECT_EQ(heard(*all.subscription), R"({"_op":"upsert","c":1,"total":2} )");
  run("INSERT INTO accounts (id, _op) VALUES (1, 'delete')");
  settle();
  EXPECT_EQ(heard(*groups.subscription), R"({"_op":"delete","who":"b"} )");
  EXPECT_EQ(heard(*all.subscription), R"({"_op":"upsert","c":0,"total":null} )");
  groups.subscription.reset();
  all.subscription.reset();
  close();
}

TEST_F(NodeTest, GroupsOfSetsAreNamedByTheirSetAndTheTotalStays) {
  open();
  run("CREATE STREAM accounts (id BIGINT PRIMARY KEY, owner TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT owner, grouping(owner) AS g, count(*) AS c FROM accounts GROUP "
      "BY "
      "ROLLUP(owner)");
  auto answer = sql("SUBSCRIBE TO v");
  run("INSERT INTO accounts VALUES (1, NULL, NULL)");
  settle();
  heard(*answer.subscription);
  run("INSERT INTO accounts (id, _op) VALUES (1, 'delete')");
  settle();
  EXPECT_EQ(heard(*answer.subscription),
            R"({"_op":"delete","owner":null,"g":0} {"_op":"upsert","owner":null,"g":1,"c":0} )");
  answer.subscription.reset();
  close();
}

// The worker that has read the rows closes their windows a frame before the other one hears of it: who subscribes
// between the two is not told of them later.
TEST_F(NodeTest, WhoSubscribesHearsOfWindowsThatOneWorkerAloneHasClosed) {
  options_.workers = 2;
  open();
  run("CREATE STREAM s (n TIMESTAMPTZ, text TEXT, WATERMARK FOR n AS n)");
  run("CREATE MATERIALIZED VIEW v AS SELECT date_part('milliseconds', window_start) AS at, count(*) AS c "
      "FROM TUMBLE(s, n, INTERVAL '10 milliseconds') GROUP BY window_start EMIT ON WINDOW CLOSE");
  push("s", 0, 5);
  std::string expected;
  for (int round = 0; round < 6; ++round) {
    const int at = round * 10;
    send("s", at + 5, at + 15);
    turns(round);  // some of them end between the two
    auto answer = sql("SUBSCRIBE TO v");
    turns(50);
    expected += fmt::format(R"({{"at":{},"c":10}} )", at);
    EXPECT_EQ(heard(*answer.subscription), expected);
  }
  close();
}

TEST_F(NodeTest, EmitEveryTellsOfAGroupOnceAnInterval) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT n % 2 AS k, count(*) AS c FROM s GROUP BY 1 EMIT EVERY INTERVAL "
      "'10 seconds'");
  push("s", 0, 4);
  auto answer = sql("SUBSCRIBE TO v");
  turns(50);
  EXPECT_EQ(heard(*answer.subscription), R"({"_op":"upsert","k":0,"c":2} {"_op":"upsert","k":1,"c":2} )");
  push("s", 0, 1);  // the first change is told at once
  settle();
  EXPECT_EQ(heard(*answer.subscription), R"({"_op":"upsert","k":0,"c":3} )");
  for (int i = 0; i < 5; ++i) push("s", 0, 2);
  clock_.advance_us(5'000'000);
  push("s", 2, 3);
  settle();
  EXPECT_EQ(heard(*answer.subscription), "");
  EXPECT_THAT(sql("SELECT c FROM v WHERE k = 0").rows, ElementsAre(R"({"c":9})"));
  clock_.advance_us(6'000'000);  // and nothing comes: time alone brings it
  turns(100);
  settle();
  EXPECT_EQ(heard(*answer.subscription), R"({"_op":"upsert","k":0,"c":9} {"_op":"upsert","k":1,"c":7} )");
  clock_.advance_us(60'000'000);
  turns(100);
  EXPECT_EQ(heard(*answer.subscription), "");
  answer.subscription.reset();
  close();
}

// Each row is in 60 windows: changes of 2,000 groups are more than may wait.
TEST_F(NodeTest, EmitEveryTellsAtOnceOfMoreThanMayWait) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT, at TIMESTAMPTZ)");
  run("CREATE MATERIALIZED VIEW v AS SELECT n, window_start, count(*) AS c FROM HOP(s, PROCTIME(), INTERVAL "
      "'1 "
      "second', INTERVAL '1 minute') GROUP BY n, window_start EMIT EVERY INTERVAL '1 hour'");
  auto answer = sql("SUBSCRIBE TO v");
  push("s", 0, 1);
  settle();
  EXPECT_NE(heard(*answer.subscription), "");
  push("s", 0, 10);
  settle();
  EXPECT_EQ(heard(*answer.subscription), "");
  push("s", 0, 2'000);
  settle();
  EXPECT_NE(heard(*answer.subscription), "");
  answer.subscription.reset();
  close();
}

// Steps of one request each; told are the groups as they are when nothing waits any more, or behind 50,000 events.
TEST_F(NodeTest, OfEventsThatHaveWaitedAGroupIsToldOnce) {
  options_.max_step_bytes = 1;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT n % 2 AS k, count(*) AS c FROM s GROUP BY 1");
  run("CREATE MATERIALIZED VIEW fives AS SELECT count(*) AS c FROM s WHERE n = 5");
  auto all = sql("SUBSCRIBE TO v");
  auto fives = sql("SUBSCRIBE TO fives");
  for (const char* const view : {"v", "fives"}) run(std::string("PAUSE ") + view);
  for (int i = 0; i < 10; ++i) push("s", 0, 6);
  push("s", 0, 2);
  for (const char* const view : {"v", "fives"}) run(std::string("RESUME ") + view);
  settle();
  EXPECT_EQ(heard(*all.subscription), R"({"_op":"upsert","k":0,"c":31} {"_op":"upsert","k":1,"c":31} )");
  EXPECT_EQ(heard(*fives.subscription), R"({"_op":"upsert","c":0} {"_op":"upsert","c":10} )");
  push("s", 5, 6);
  settle();
  EXPECT_EQ(heard(*all.subscription), R"({"_op":"upsert","k":1,"c":32} )");
  run("PAUSE v");
  for (int i = 0; i < 6; ++i) push("s", 0, 10'000);
  run("RESUME v");
  settle();
  EXPECT_EQ(heard(*all.subscription),
            R"({"_op":"upsert","k":0,"c":25031} {"_op":"upsert","k":1,"c":25032} )"
            R"({"_op":"upsert","k":0,"c":30031} {"_op":"upsert","k":1,"c":30032} )");
  all.subscription.reset();
  fives.subscription.reset();
  close();
}

// A window whose retention ends while its events are caught up is told before it goes.
TEST_F(NodeTest, OfEventsThatHaveWaitedWindowsThatGoAreTold) {
  options_.max_step_bytes = 1;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at)");
  run("CREATE MATERIALIZED VIEW v WITH (retention = '1 second') AS SELECT window_start, count(*) AS c "
      "FROM TUMBLE(s, at, INTERVAL '1 second') GROUP BY window_start");
  auto answer = sql("SUBSCRIBE TO v");
  run("PAUSE v");
  for (int i = 0; i < 9; ++i) {
    run(fmt::format("INSERT INTO s VALUES ({0}, '', TIMESTAMPTZ '2026-01-01 00:00:0{0}Z')", i));
  }
  run("RESUME v");
  settle();
  const std::string told = heard(*answer.subscription);
  EXPECT_EQ(std::ranges::count(told, '{'), 9) << told;
  answer.subscription.reset();
  close();
}

// The view's worker has the rows and the time at which their window closes in one step; the groups have them later.
TEST_F(NodeTest, AWindowOfProcessingTimeClosesWhenItsGroupsHaveAllRows) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT) WITH (key = 'n', partitions = 4)");
  run("CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS c FROM TUMBLE(s, PROCTIME(), INTERVAL "
      "'1 hour') "
      "GROUP BY window_start EMIT ON WINDOW CLOSE");
  auto answer = sql("SUBSCRIBE TO v");
  run("PAUSE v");
  push("s", 0, 100);
  clock_.advance_us(2 * 3'600'000'000LL);
  push("s", 100, 101);
  clock_.advance_us(2 * 3'600'000'000LL);
  push("s", 101, 102);
  run("RESUME v");
  turns(200);
  settle();
  const std::string rows = heard(*answer.subscription);
  EXPECT_THAT(rows, testing::HasSubstr("\"c\":100}"));
  EXPECT_THAT(rows, testing::HasSubstr("\"c\":1}"));
  answer.subscription.reset();
  close();
}

// Late events come into their stream by another query: a SELECT over it waits for that one.
TEST_F(NodeTest, ASelectWaitsForTheQueryThatGivesItsStreamLateEvents) {
  open();
  for (const char* name : {"s", "l"})
    run(std::string("CREATE STREAM ") + name + " (n TIMESTAMPTZ, text TEXT, WATERMARK FOR n AS n)");
  run("CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS c FROM TUMBLE(s, n, INTERVAL '1 "
      "second') "
      "GROUP BY window_start LATE DATA TO l");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM l");
  run("CREATE STREAM d AS SELECT text FROM l");
  run("CREATE MATERIALIZED VIEW x AS SELECT count(*) AS c FROM d");
  push("s", 60'000, 60'001);
  push("s", 0, 3);
  EXPECT_THAT(sql("SELECT c FROM w").rows, ElementsAre(R"({"c":3})"));
  push("s", 0, 2);
  EXPECT_THAT(sql("SELECT c FROM x").rows, ElementsAre(R"({"c":5})"));
  close();
}

}  // namespace
}  // namespace millrace::node
