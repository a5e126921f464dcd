// PlanOptions: plans that are not optimized are other plans of the same answers.
#include <gmock/gmock.h>

#include "engine/select.h"
#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

using testing::HasSubstr;
using testing::Not;

class PlanOptions : public ::testing::Test {
 protected:
  std::string plan(const TestCatalog& catalog, const std::string& sql) {
    return catalog.get<Explain>("EXPLAIN " + sql).text;
  }
  TestCatalog optimized_{kTestStreams};
  TestCatalog plain_{kTestStreams, {.optimize = false}};
};

TEST_F(PlanOptions, ConstantsAreFoldedOrNot) {
  const std::string sql = "SELECT id FROM orders WHERE id > 2 + 3 AND customer = lower('A' || 'B')";
  EXPECT_THAT(plan(optimized_, sql), HasSubstr("(id > 5) AND (customer = 'ab')"));
  EXPECT_THAT(plan(plain_, sql),
              HasSubstr("(id > CAST((2 + 3) AS bigint)) AND (customer = lower('A' || 'B'))"));
}

TEST_F(PlanOptions, AnInnerQueryIsPartOfTheOuterOneOrRunsOnItsOwn) {
  const std::string sql = "SELECT a FROM (SELECT id + 1 AS a FROM orders) i WHERE a > 1";
  const std::string merged = plan(optimized_, sql);
  const std::string apart = plan(plain_, sql);
  EXPECT_EQ(merged.find("Select", 1), std::string::npos) << merged;
  EXPECT_NE(apart.find("Select", 1), std::string::npos) << apart;
}

TEST_F(PlanOptions, AQueryReadsItsColumnsOrAll) {
  const std::string sql = "CREATE MATERIALIZED VIEW v AS SELECT id FROM orders";
  EXPECT_EQ(optimized_.get<CreateQuery>(sql).plan.read_columns.size(), 1u);
  const auto& all = plain_.get<CreateQuery>(sql).plan;
  EXPECT_EQ(all.read_columns.size(), all.source->columns.size());
  EXPECT_FALSE(all.options.optimize);
}

// What a parameter has to be does not follow from the options.
TEST_F(PlanOptions, WhatHasToBeConstantIs) {
  for (const char* sql :
       {"SELECT approx_percentile(id, 0.5) AS p FROM orders",
        "SELECT string_agg(customer, ', ') AS l FROM orders", "SELECT id FROM orders LIMIT 1 + 1"})
    EXPECT_EQ(plain_.id_of(sql), "ok") << sql;
}

// A defect of folding would show: both evaluate the same expression, each in its own way.
TEST_F(PlanOptions, BothWaysGiveOneAnswer) {
  Batch one;
  one.rows = 1;
  for (const char* sql :
       {"SELECT 7 / 2 AS x", "SELECT 1.5::numeric * 2 AS x", "SELECT 3 IN (1, 2, NULL) AS x",
        "SELECT CASE WHEN 'a' < 'b' THEN 'abc' LIKE 'a%' END AS x", "SELECT NULL + 1 AS x",
        "SELECT regexp_replace('abcabc', 'b.', 'X', 'g') AS x", "SELECT ARRAY[1, 2][2] AS x"}) {
    const auto folded = engine::run_select(optimized_.get<Select>(sql).plan, one);
    const auto computed = engine::run_select(plain_.get<Select>(sql).plan, one);
    ASSERT_TRUE(folded.ok() && computed.ok()) << sql;
    EXPECT_EQ(folded->columns[0].scalar(0), computed->columns[0].scalar(0)) << sql;
  }
}

}  // namespace
}  // namespace millrace::sql
