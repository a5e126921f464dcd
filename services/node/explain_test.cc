// EXPLAIN and EXPLAIN ANALYZE of what runs: the counts are those of the events that came in.
#include <gmock/gmock.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

TEST_F(NodeTest, ExplainAnalyzeCountsWhatTheStepsOfAQueryDid) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT 6 / n AS q, count(*) AS c FROM s WHERE n < 3 GROUP BY q");
  push("s", 0, 5);
  settle();
  const auto answer = sql("EXPLAIN ANALYZE v");
  EXPECT_EQ(answer.error, "");
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Decode: 5 events in 1 batches, 0 undecodable")));
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Filter, late check: 2 filtered, 0 late")));
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Aggregate: 3 rows in 1 batches, 1 failed")));
  EXPECT_THAT(answer.rows, Contains(HasSubstr("1 records written")));  // the dead letter
  EXPECT_THAT(answer.rows, Contains(HasSubstr("; keeps 2 groups in ")));
  close();
}

// Each operator says what it keeps itself; together it is the query's state.
TEST_F(NodeTest, ExplainAnalyzeTellsTheStateOfEachOperator) {
  open();
  run("CREATE STREAM s (n BIGINT PRIMARY KEY, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT n % 2 AS odd, count(DISTINCT text) AS c FROM s GROUP BY odd");
  run("CREATE MATERIALIZED VIEW r AS SELECT n, text FROM s");
  run("CREATE STREAM t (n BIGINT, text TEXT)");
  run("CREATE STREAM d WITH (changelog = 'retract') AS SELECT n, count(*) AS c FROM t GROUP BY n");
  push("s", 0, 5);
  push("s", 0, 3);
  push("t", 0, 4);
  settle();
  const auto grouped = sql("EXPLAIN ANALYZE v");
  EXPECT_THAT(grouped.rows, Contains(HasSubstr("Retract: 11 changes; keeps 5 last rows in ")));
  EXPECT_THAT(grouped.rows,
              Contains(AllOf(HasSubstr("Aggregate: 11 rows in 2 batches, 0 failed; "),
                             HasSubstr("; keeps 2 groups in "), HasSubstr(", 2 values of DISTINCT in "))));
  EXPECT_THAT(sql("EXPLAIN ANALYZE r").rows,
              Contains(AllOf(HasSubstr("Output: 8 rows in 2 batches"), HasSubstr("; keeps 5 rows in "))));
  EXPECT_THAT(sql("EXPLAIN ANALYZE d").rows,
              Contains(HasSubstr("Changes: keeps 4 groups as they were told in ")));
  close();
}

TEST_F(NodeTest, WhatFailsAndIsNullIsCounted) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v WITH (on_error = 'null') AS SELECT 6 / n AS q, count(*) AS c FROM s "
      "WHERE 6 / (n - 4) < 2 GROUP BY q");
  push("s", 0, 5);
  settle();
  const auto answer = sql("EXPLAIN ANALYZE v");
  EXPECT_THAT(answer.rows,
              Contains(HasSubstr("v (up to date at once; from the oldest kept event; what fails is NULL)")));
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Filter, late check: 1 filtered")));
  EXPECT_THAT(answer.rows,
              Contains(HasSubstr(" 0 failed, 2 NULL")));               // of the WHERE and of the group key
  EXPECT_THAT(answer.rows, Contains(HasSubstr("0 records written")));  // no dead letter
  EXPECT_THAT(node_->metrics(), HasSubstr("\nmillrace_null_on_error_total 2\n"));
  close();
}

TEST_F(NodeTest, ExplainAnalyzeOfASelectRunsIt) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  push("s", 0, 5);
  const auto answer = sql("EXPLAIN ANALYZE SELECT n FROM s WHERE n > 1");
  EXPECT_EQ(answer.error, "");
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Read: 5 rows")));
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Filter, sort, output: 3 rows")));
  EXPECT_EQ(sql("EXPLAIN ANALYZE SELECT 1 / (n - 3) AS q FROM s").error, "MR-SQL-0101");
  close();
}

TEST_F(NodeTest, ExplainCountsWithSeveralWorkers) {
  options_.workers = 2;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT) WITH (partitions = 4)");
  run("CREATE STREAM d AS SELECT n FROM s WHERE n >= 1");
  for (int n = 0; n < 8; ++n) push("s", n, n + 1);
  settle();
  const auto answer = sql("EXPLAIN ANALYZE STREAM d");
  EXPECT_THAT(answer.rows, Contains(HasSubstr("Decode: 8 events")));
  EXPECT_THAT(answer.rows, Contains(HasSubstr("7 records written")));
  close();
}

}  // namespace
}  // namespace millrace::node
