#include <gtest/gtest.h>

#include "event/decimal.h"
#include "sql/ast.h"
#include "sql/bind_expression.h"
#include "sql/lexer.h"
#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

using engine::AggregateKind;
using engine::Op;
using engine::QueryPlan;

std::string repeat(std::string_view what, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += what;
  return out;
}

class BindTest : public ::testing::Test {
 protected:
  QueryPlan plan(std::string_view sql) { return catalog_.get<CreateQuery>(sql).plan; }
  TestCatalog catalog_{kTestStreams};
};

TEST_F(BindTest, StreamOptions) {
  const auto bound = catalog_.get<CreateStream>(
      "CREATE STREAM IF NOT EXISTS flights (at TIMESTAMPTZ, origin TEXT, WATERMARK FOR at AS at - INTERVAL "
      "'1 hour') "
      "WITH (format = json, key = origin, partitions = 256, idle_timeout = 'forever', retention = '7 days', "
      "retention_bytes = '2 GiB', timestamp_unit = 'ms')");
  const auto& s = bound.stream;
  EXPECT_TRUE(bound.if_not_exists);
  EXPECT_EQ(s.id, StreamId());
  EXPECT_EQ(s.tenant, TenantId(1));
  EXPECT_EQ(s.kind, engine::StreamKind::kDeclared);
  EXPECT_EQ(s.key_column, 1);
  EXPECT_EQ(s.watermark_column, 0);
  EXPECT_EQ(s.disorder_us, 3'600'000'000);
  EXPECT_EQ(s.partitions, 256);
  EXPECT_EQ(s.idle_timeout_us, 0);
  EXPECT_EQ(s.retention_us, 7 * 86'400'000'000);
  EXPECT_EQ(s.retention_bytes, int64_t{2} << 30);
  const auto plain =
      catalog_.get<CreateStream>("CREATE STREAM s (at TIMESTAMPTZ, WATERMARK FOR at AS at)").stream;
  EXPECT_EQ(plain.disorder_us, 0);
  EXPECT_EQ(plain.partitions, 1);
  EXPECT_EQ(plain.key_column, -1);
  EXPECT_EQ(plain.idle_timeout_us, 60'000'000);
}

class ParameterTest : public BindTest {
 protected:
  // "" or the error.
  std::string bind(std::string_view text, const Parameters& parameters) {
    const auto statements = parse(text, parameters);
    if (!statements.ok()) return said(statements.error());
    for (const auto& one : *statements) {
      const auto bound = sql::bind(*one, catalog_.catalog(), TenantId(1));
      if (!bound.ok()) return said(bound.error());
    }
    return "";
  }
  static std::string said(const Error& e) {
    return e.id + ": " + e.message + (e.span ? " at " + std::to_string(e.span->column) : "");
  }
};

TEST_F(ParameterTest, ATypeIsTheContextsOrACasts) {
  EXPECT_EQ(bind("SELECT * FROM earthquakes WHERE mag > $1 AND net = $2 AND time < $3 LIMIT $4",
                 {"2.5", "us", "2026-01-01T00:00:00Z", "10"}),
            "");
  EXPECT_EQ(
      bind("SELECT $1::INTEGER + 1, $2::TEXT[], $1 FROM earthquakes WHERE net = ANY($2)", {"7", "{a,b}"}),
      "");
  EXPECT_EQ(bind("SELECT * FROM earthquakes WHERE net = $1", {std::nullopt}), "");
  EXPECT_EQ(
      bind("EXPLAIN SELECT * FROM earthquakes WHERE net = $1; INSERT INTO earthquakes (net) VALUES ($2)",
           {"a", "'; DROP STREAM earthquakes; --"}),
      "");
}

TEST_F(ParameterTest, ErrorsNameTheParameter) {
  EXPECT_EQ(bind("SELECT * FROM earthquakes WHERE mag > $1", {"high"}),
            "MR-SQL-0022: parameter $1: invalid input syntax for type double precision: \"high\" at 39");
  EXPECT_EQ(bind("SELECT 1; SELECT * FROM earthquakes LIMIT $1", {"-1"}),
            "MR-SQL-0051: parameter $1: LIMIT takes a whole number that is not negative at 43");
  EXPECT_EQ(bind("SELECT $2", {"a"}), "MR-SQL-0006: parameter $2 has no value at 8");
  EXPECT_EQ(bind("SELECT $0", {"a"}), "MR-SQL-0006: parameter $0 has no value at 8");
  EXPECT_EQ(bind("SELECT $99999999999999999999", {"a"}),
            "MR-SQL-0006: parameter $99999999999999999999 has no value at 8");
  EXPECT_EQ(bind("SELECT $1", {"a", "b"}), "MR-SQL-0006: there are 2 parameters, but no $2 in the text");
}

// As if they were written out: a long value in many places is a long text.
TEST_F(ParameterTest, ValuesAreBoundedAsTheTextIs) {
  const std::string half(kMaxTextBytes / 2, 'x');
  EXPECT_EQ(bind("SELECT * FROM earthquakes WHERE net = $1 OR net = $1", {half}), "");
  EXPECT_EQ(
      bind("SELECT * FROM earthquakes WHERE net = $1 OR net = $1 OR net = $2", {half, "y"}),
      "MR-SQL-0004: there are more than 1048576 bytes of parameters, counted wherever one stands at 63");
}

TEST_F(ParameterTest, DefinitionsHaveNone) {
  for (const char* text : {"CREATE MATERIALIZED VIEW v AS SELECT net FROM earthquakes WHERE net = $1",
                           "CREATE STREAM s AS SELECT net FROM earthquakes WHERE net = $1",
                           "EXPLAIN CREATE STREAM s AS SELECT net FROM earthquakes WHERE net = $1"}) {
    EXPECT_TRUE(bind(text, {"us"}).starts_with("MR-SQL-0005: only SELECT and INSERT take parameters"))
        << text;
  }
}

TEST_F(BindTest, WindowedViewByTheKey) {
  const QueryPlan p = plan(
      "CREATE MATERIALIZED VIEW v AS SELECT window_start, net, count(*) AS quakes, max(mag) AS strongest "
      "FROM TUMBLE(earthquakes, time, INTERVAL '1 hour', INTERVAL '-15 minutes') WHERE depth_km > 1 "
      "GROUP BY window_start, net EMIT ON WINDOW CLOSE");
  EXPECT_EQ(p.shape, QueryPlan::Shape::kAggregate);
  EXPECT_EQ(p.read_columns, (std::vector<int>{1, 2, 4, 5}));
  EXPECT_EQ(p.window_key, 0);
  EXPECT_EQ(p.window.size_us, 3'600'000'000);
  EXPECT_TRUE(p.emit_on_close);
  EXPECT_FALSE(p.repartition);
  EXPECT_EQ(p.repartition_topic, nullptr);
  ASSERT_EQ(p.group_keys.size(), 2u);
  EXPECT_EQ(p.group_keys[0].expr->op, Op::kTumbleStart);
  EXPECT_EQ(p.group_keys[0].expr->window_offset_us, 45 * 60'000'000LL);  // brought into [0, size)
  EXPECT_EQ(p.group_keys[0].expr->args[0]->column, 0);                   // counts in read_columns
  EXPECT_EQ(p.group_keys[1].expr->column, 2);
  ASSERT_EQ(p.aggregates.size(), 2u);
  EXPECT_EQ(p.aggregates[0].kind, AggregateKind::kCountStar);
  EXPECT_EQ(p.aggregates[1].argument->column, 1);
  EXPECT_EQ(p.filter->args[0]->column, 3);
  ASSERT_EQ(p.outputs.size(), 4u);
  EXPECT_EQ(p.outputs[3].expr->column, 3);  // over (keys…, aggregates…)
  const Schema schema = p.output_schema();
  EXPECT_EQ(schema[0].type, Type::kTimestamptz);
  EXPECT_EQ(schema[2].type, Type::kBigint);
  EXPECT_EQ(schema[3].name, "strongest");
}

TEST_F(BindTest, RepartitionUnlessTheKeyIsAGroup) {
  EXPECT_TRUE(
      plan("CREATE MATERIALIZED VIEW v AS SELECT place, count(*) AS n FROM earthquakes GROUP BY place")
          .repartition);
  EXPECT_TRUE(plan("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM earthquakes").repartition);
  EXPECT_TRUE(
      plan("CREATE MATERIALIZED VIEW v AS SELECT net || 'x' AS k, count(*) AS n FROM earthquakes GROUP BY 1")
          .repartition);
  EXPECT_FALSE(
      plan("CREATE MATERIALIZED VIEW v AS SELECT net, place, count(*) AS n FROM earthquakes GROUP BY 2, 1")
          .repartition);
  EXPECT_FALSE(
      plan("CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY customer")
          .repartition);
  const QueryPlan p =
      plan("CREATE MATERIALIZED VIEW v AS SELECT place, count(*) AS n FROM earthquakes GROUP BY place");
  ASSERT_NE(p.repartition_topic, nullptr);
  EXPECT_EQ(p.repartition_topic->kind, engine::StreamKind::kRepartition);
  EXPECT_EQ(p.repartition_topic->partitions, 4);
}

TEST_F(BindTest, OneCallOnceAndAverageIsNumeric) {
  const QueryPlan p = plan(
      "CREATE MATERIALIZED VIEW v AS SELECT sum(items) AS a, sum(items) + 1 AS b, avg(items) AS c, "
      "count(items) AS d, min(customer) AS e, sum(amount) AS f FROM orders");
  ASSERT_EQ(p.aggregates.size(), 5u);
  EXPECT_EQ(p.aggregates[0].type, Type::kBigint);
  EXPECT_EQ(p.aggregates[1].kind, AggregateKind::kAvg);
  EXPECT_EQ(p.aggregates[1].argument->type, Type::kBigint);  // summed exactly
  EXPECT_EQ(p.aggregates[1].type, Type::kNumeric);
  EXPECT_EQ(p.aggregates[2].type, Type::kBigint);
  EXPECT_EQ(p.aggregates[3].type, Type::kText);
  EXPECT_EQ(p.aggregates[4].type, Type::kDouble);
}

TEST_F(BindTest, DerivedStreamKeepsKeyAndWatermark) {
  const auto kept = catalog_.get<CreateQuery>(
      "CREATE STREAM s WITH (retention = '1 day') AS SELECT time AS at, net AS n, mag * 2 AS m FROM "
      "earthquakes");
  EXPECT_EQ(kept.plan.shape, QueryPlan::Shape::kStream);
  EXPECT_EQ(kept.output.kind, engine::StreamKind::kDerived);
  EXPECT_EQ(kept.output.watermark_column, 0);
  EXPECT_EQ(kept.output.disorder_us, 600'000'000);
  EXPECT_EQ(kept.output.key_column, 1);
  EXPECT_EQ(kept.output.partitions, 4);
  EXPECT_EQ(kept.output.retention_us, 86'400'000'000);
  EXPECT_EQ(kept.output.columns[2].type, Type::kDouble);
  ASSERT_NE(kept.plan.output_stream, nullptr);
  const auto lost = catalog_.get<CreateQuery>(
      "CREATE STREAM s AS SELECT time + INTERVAL '1 hour' AS time, net || '' AS net FROM earthquakes");
  EXPECT_EQ(lost.output.watermark_column, -1);
  EXPECT_EQ(lost.output.key_column, -1);
  EXPECT_EQ(lost.output.partitions, 4);
}

TEST_F(BindTest, SelectCountsOverRowThenOutputs) {
  const auto s = catalog_
                     .get<Select>(
                         "SELECT customer, items * 2 AS twice FROM orders o WHERE o.paid ORDER BY twice "
                         "DESC, items, 1 LIMIT 2 + 3 OFFSET 1")
                     .plan;
  ASSERT_NE(s.stream, nullptr);
  EXPECT_EQ(s.filter->column, 4);
  ASSERT_EQ(s.order_by.size(), 3u);
  EXPECT_EQ(s.order_by[0].expr->column, 6 + 1);
  EXPECT_TRUE(s.order_by[0].descending);
  EXPECT_TRUE(s.order_by[0].nulls_first);  // NULLs are largest
  EXPECT_EQ(s.order_by[1].expr->column, 3);
  EXPECT_FALSE(s.order_by[1].nulls_first);
  EXPECT_EQ(s.order_by[2].expr->column, 6 + 0);
  EXPECT_EQ(s.limit, 5);
  EXPECT_EQ(s.offset, 1);
  EXPECT_EQ(catalog_.get<Select>("SELECT 1 AS a LIMIT ALL").plan.limit, std::nullopt);
  EXPECT_EQ(catalog_.get<Select>("SELECT 1 AS a LIMIT NULL").plan.limit, std::nullopt);
  EXPECT_NE(catalog_.get<Select>("SELECT * FROM dead_letters").plan.dead_letters, nullptr);
}

TEST_F(BindTest, StarWritesTheWindowOut) {
  const auto s =
      catalog_.get<Select>("SELECT *, id + 1 AS next FROM TUMBLE(orders, at, INTERVAL '1 hour')").plan;
  ASSERT_EQ(s.outputs.size(), 9u);
  EXPECT_EQ(s.outputs[6].name, "window_start");
  EXPECT_EQ(s.outputs[7].expr->op, Op::kTumbleEnd);
}

TEST_F(BindTest, StartOptions) {
  EXPECT_EQ(plan("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders").start, QueryPlan::Start::kOldest);
  EXPECT_EQ(plan("CREATE MATERIALIZED VIEW v WITH (start = now) AS SELECT id FROM orders").start,
            QueryPlan::Start::kNow);
  const QueryPlan p = plan("CREATE STREAM v WITH (start = '2001-01-01T00:00:00Z') AS SELECT id FROM orders");
  EXPECT_EQ(p.start, QueryPlan::Start::kTime);
  EXPECT_EQ(p.start_time.value, 978'307'200'000'000);
}

TEST_F(BindTest, FoldsConstantsOfEveryType) {
  const auto s =
      catalog_
          .get<Select>(
              "SELECT 7 / 2 AS a, 7 / 2.0 AS b, 'x' || 1 AS c, NOT true AS d, CAST('5' AS bigint) AS e, "
              "coalesce(NULL, 3) AS f, CASE WHEN 1 > 2 THEN 1 ELSE 2 END AS g, NULL AS h, 1 IN (2, NULL) AS "
              "i")
          .plan;
  const auto literal = [&](size_t i) {
    EXPECT_EQ(s.outputs[i].expr->op, Op::kLiteral) << i;
    return s.outputs[i].expr->literal;
  };
  EXPECT_EQ(literal(0), Scalar(int64_t{3}));
  EXPECT_EQ(literal(1), Scalar(decimal_bytes(*read_decimal("3.5"))));
  EXPECT_EQ(literal(2), Scalar(std::string("x1")));
  EXPECT_EQ(literal(3), Scalar(false));
  EXPECT_EQ(literal(4), Scalar(int64_t{5}));
  EXPECT_EQ(literal(5), Scalar(int64_t{3}));
  EXPECT_EQ(literal(6), Scalar(int64_t{2}));
  EXPECT_EQ(literal(7), Scalar());
  EXPECT_EQ(s.outputs[7].expr->type, Type::kText);
  EXPECT_EQ(literal(8), Scalar());
  EXPECT_EQ(s.outputs[8].expr->type, Type::kBoolean);
}

TEST_F(BindTest, OtherStatements) {
  EXPECT_EQ(catalog_.get<Subscribe>("SUBSCRIBE TO orders").stream->name, "orders");
  EXPECT_EQ(catalog_.get<Drop>("DROP STREAM orders").definition.value, 3u);
  EXPECT_EQ(catalog_.get<Drop>("DROP VIEW IF EXISTS nothing").definition.value, 0u);
  EXPECT_EQ(catalog_.get<Show>("SHOW STREAMS").what, Show::What::kStreams);
  EXPECT_EQ(catalog_.get<Show>("SHOW MATERIALIZED VIEWS").what, Show::What::kViews);
  EXPECT_EQ(catalog_.get<Show>("SHOW QUERIES").what, Show::What::kQueries);
  EXPECT_EQ(catalog_.get<Show>("SHOW FUNCTIONS").what, Show::What::kFunctions);
  EXPECT_EQ(catalog_.get<Show>("SHOW COLUMNS FROM orders").name, "orders");
  EXPECT_EQ(catalog_.get<Show>("DESCRIBE orders").what, Show::What::kColumns);
}

TEST_F(BindTest, LongChainsBindAndExplain) {
  for (const std::string& condition :
       {"paid" + repeat(" AND items > 3", ast::kMaxList - 1),
        "paid" + repeat(" OR NOT paid", ast::kMaxList - 1),
        "items IN (1" + repeat(", items", ast::kMaxList - 1) + ")",
        "items" + repeat(" + items", 990) + " > 0", "customer" + repeat(" || customer", 990) + " = 'x'",
        "CASE" + repeat(" WHEN paid THEN true", 4'000) + " END"}) {
    const auto bound =
        catalog_.bind_one("EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT id FROM orders WHERE " + condition);
    ASSERT_TRUE(bound.ok()) << condition.substr(0, 40) << ": " << bound.error().to_string();
    EXPECT_GT(std::get<Explain>(*bound).text.size(), 1000u);
    EXPECT_NE(plan("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders WHERE " + condition).identity(), 0u);
  }
}

// Parts that BETWEEN and CASE repeat are counted as written out: 2^n of them are refused, not walked.
TEST_F(BindTest, RefusesWhatGrowsWithoutBound) {
  std::string between = "items";
  for (int i = 0; i < 60; ++i) between = "(" + between + " BETWEEN 1 AND 5)::text::bigint";
  EXPECT_EQ(catalog_.id_of("SELECT " + between + " AS x FROM orders"), "MR-SQL-0004");
  std::string choice = "items";
  for (int i = 0; i < 60; ++i) choice = "CASE " + choice + " WHEN 1 THEN 2 WHEN 3 THEN 4 ELSE items END";
  EXPECT_EQ(catalog_.id_of("SELECT " + choice + " AS x FROM orders"), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT paid" + repeat(" AND items IN (1, 2, 3, 4, items, 6, 7, 8)", 9'000) +
                           " AS x FROM orders"),
            "MR-SQL-0004");
}

// name0 AS (first), name1 AS (next over name0), …
std::string chain(size_t length, std::string_view first, std::string_view before, std::string_view after) {
  std::string out = "WITH c0 AS (" + std::string(first) + ")";
  for (size_t i = 1; i < length; ++i) {
    out += ", c" + std::to_string(i) + " AS (" + std::string(before) + "c" + std::to_string(i - 1) +
           std::string(after) + ")";
  }
  return out + " SELECT * FROM c" + std::to_string(length - 1);
}

TEST_F(BindTest, BindsAThousandCtes) {
  const std::string plain =
      chain(1'000, "SELECT id, items FROM orders", "SELECT id, items FROM ", " WHERE items > 1");
  EXPECT_EQ(catalog_.id_of(plain), "ok");
  EXPECT_EQ(catalog_.id_of("CREATE STREAM d AS " +
                           chain(500, "SELECT id FROM orders", "SELECT id + 1 AS id FROM ", "")),
            "ok");
  const std::string grouped = chain(1'000, "SELECT id FROM orders", "SELECT count(*) AS id FROM ", "");
  EXPECT_EQ(catalog_.id_of(grouped), "MR-SQL-0004");  // a thousand runs, one over the other
  EXPECT_EQ(catalog_.id_of(chain(100, "SELECT id FROM orders", "SELECT count(*) AS id FROM ", "")), "ok");
}

// What doubles with every step is computed apart where it can be, and else refused: never written out.
TEST_F(BindTest, InlinesNothingThatGrowsWithoutBound) {
  const std::string sums = chain(1'000, "SELECT id FROM orders", "SELECT id + id AS id FROM ", "");
  EXPECT_EQ(catalog_.id_of(sums), "ok");
  EXPECT_EQ(catalog_.id_of("EXPLAIN " + sums), "ok");
  EXPECT_EQ(catalog_.id_of("CREATE STREAM d AS " + sums), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("CREATE MATERIALIZED VIEW d AS " + sums), "MR-SQL-0004");
  std::string twice = "WITH c0 AS (SELECT id FROM orders)";
  for (int i = 1; i < 90; ++i) {
    const std::string before = "c" + std::to_string(i - 1);
    twice += ", c" + std::to_string(i) + " AS (SELECT * FROM " + before + " UNION ALL SELECT * FROM " +
             before + ")";
  }
  EXPECT_EQ(catalog_.id_of(twice + " SELECT * FROM c89"), "ok");
  EXPECT_EQ(catalog_.id_of("EXPLAIN " + twice + " SELECT * FROM c89"), "ok");
}

TEST_F(BindTest, BoundsWhatAStatementReads) {
  EXPECT_EQ(catalog_.id_of("SELECT id FROM orders" + repeat(" UNION ALL SELECT id FROM orders", 99)), "ok");
  EXPECT_EQ(catalog_.id_of("SELECT id FROM orders" + repeat(" UNION ALL SELECT id FROM orders", 100)),
            "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("WITH o AS (SELECT id FROM orders LIMIT 5) SELECT id FROM o" +
                           repeat(" UNION ALL SELECT id FROM o", 100)),
            "ok");
}

TEST_F(BindTest, BoundsLikePatterns) {
  const std::string text = repeat("a", 300'000);
  EXPECT_EQ(catalog_.id_of("SELECT '" + text + "' LIKE '%" + repeat("a", 100'000) + "b' AS x"),
            "MR-SQL-0004");
  EXPECT_EQ(catalog_.get<Select>("SELECT '" + text + "' LIKE '%ab' AS x").plan.outputs[0].expr->op,
            Op::kLike);
  EXPECT_EQ(catalog_.get<Select>("SELECT 'xaab' LIKE '%ab' AS x").plan.outputs[0].expr->literal,
            Scalar(true));
}

TEST_F(BindTest, IdentityFollowsWhatDecidesTheAnswers) {
  const std::string base =
      "CREATE MATERIALIZED VIEW v AS SELECT customer, sum(items) AS n FROM orders WHERE items > 5 GROUP BY "
      "customer";
  const uint64_t identity = plan(base).identity();
  EXPECT_EQ(plan("CREATE  MATERIALIZED VIEW v AS SELECT customer, sum(items) AS n FROM orders WHERE items > "
                 "2 + 3 GROUP BY 1")
                .identity(),
            identity);
  for (const char* other : {"CREATE MATERIALIZED VIEW v AS SELECT customer, sum(items) AS n FROM orders "
                            "WHERE items > 6 GROUP BY customer",
                            "CREATE MATERIALIZED VIEW v AS SELECT customer, max(items) AS n FROM orders "
                            "WHERE items > 5 GROUP BY customer",
                            "CREATE MATERIALIZED VIEW v AS SELECT customer, sum(items) AS n FROM orders "
                            "WHERE items > 5.0 GROUP BY customer",
                            "CREATE MATERIALIZED VIEW v WITH (start = now) AS SELECT customer, sum(items) AS "
                            "n FROM orders WHERE items > 5 GROUP BY customer"}) {
    EXPECT_NE(plan(other).identity(), identity) << other;
  }
}

TEST_F(BindTest, WhatAViewShowsOfItsGroupsIsNotPartOfWhatItsStepsDo) {
  const auto before =
      plan("CREATE MATERIALIZED VIEW v AS SELECT customer, sum(items) AS n FROM orders GROUP BY customer");
  const auto after = plan(
      "CREATE MATERIALIZED VIEW v AS SELECT sum(items) + 1 AS m FROM orders GROUP BY customer HAVING "
      "sum(items) > 2");
  EXPECT_EQ(before.identity(), after.identity());
  EXPECT_NE(before.shown_identity(), after.shown_identity());
  EXPECT_NE(plan("CREATE MATERIALIZED VIEW v AS SELECT customer FROM orders").identity(),
            plan("CREATE MATERIALIZED VIEW v AS SELECT customer AS c FROM orders").identity());
}

}  // namespace
}  // namespace millrace::sql
