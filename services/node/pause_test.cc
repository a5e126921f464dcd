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

}  // namespace
}  // namespace millrace::node
