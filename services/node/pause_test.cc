// PAUSE beyond what the corpus shows: what SHOW tells, and a start with another number of workers.
#include <gmock/gmock.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(NodeTest, ShowQueriesTellsThatAQueryIsPausedAndHowFarItLags) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  run("PAUSE v");
  push("s", 0, 5);
  clock_.advance_us(30'000'000);
  settle();
  const auto shown = sql("SHOW QUERIES");
  EXPECT_THAT(shown.rows, ElementsAre(HasSubstr(R"("state":"paused","lag_seconds":30.)")));
  run("RESUME v");
  settle();
  EXPECT_THAT(sql("SHOW QUERIES").rows, ElementsAre(HasSubstr(R"("state":"running","lag_seconds":0)")));
  EXPECT_THAT(sql("SELECT * FROM v").rows, ElementsAre(R"({"c":5})"));
  close();
}

TEST_F(NodeTest, AChangeOfTheNumberOfWorkersKeepsAQueryPaused) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT) WITH (partitions = 4)");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  push("s", 0, 5);
  run("PAUSE v");
  push("s", 5, 9);
  close();
  options_.workers = 3;
  open();
  push("s", 9, 12);
  settle();
  // The change takes all queries to its cut; from there on it stands still again.
  EXPECT_THAT(sql("SELECT * FROM v").rows, ElementsAre(R"({"c":9})"));
  run("RESUME v");
  EXPECT_THAT(sql("SELECT * FROM v").rows, ElementsAre(R"({"c":12})"));
  close();
}

// What a subscriber hears, as one text.
std::string heard(engine::Subscription& from) {
  std::string out;
  while (*from.pull(100, [&](std::string_view row, const std::string&) { (out += row) += ' '; }) > 0) {
  }
  return out;
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

}  // namespace
}  // namespace millrace::node
