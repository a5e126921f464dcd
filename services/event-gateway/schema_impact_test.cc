// What a new version would break, on catalogs made of statements.
#include "event-gateway/schema_impact.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::gateway {
namespace {

using metadata::DefinitionKind;

const SchemaColumns kBefore = {{"id", "BIGINT", {}},
                               {"price", "DOUBLE PRECISION", {}},
                               {"at", "TIMESTAMPTZ", {}},
                               {"more", "JSONB", {}},
                               {"place", "ROW<city TEXT>", {{"city", "TEXT", {}}}},
                               {"lines", "ROW<n BIGINT>[]", {{"n", "BIGINT", {}}}},
                               {"shop", "ROW<town TEXT>", {{"town", "TEXT", {}}}}};

class SchemaImpact : public testing::Test {
 protected:
  SchemaImpact() {
    define(DefinitionKind::kTenant, "default", "");
    define(
        DefinitionKind::kStream, "orders",
        "CREATE STREAM orders (id BIGINT, price DOUBLE PRECISION, at TIMESTAMPTZ, more JSONB, place ROW<city "
        "TEXT>, lines ROW<n BIGINT>[], town TEXT PATH '$.shop.town', own TEXT, WATERMARK FOR at AS at) WITH "
        "(schema = 'o', schema_version = 1, schema_id = 7)");
    define(DefinitionKind::kView, "totals",
           "CREATE MATERIALIZED VIEW totals AS SELECT id, sum(price) AS total FROM orders GROUP BY id");
    define(DefinitionKind::kView, "ids",
           "CREATE MATERIALIZED VIEW ids AS SELECT id, count(*) AS n FROM orders GROUP BY id");
    define(DefinitionKind::kDerivedStream, "dear",
           "CREATE STREAM dear AS SELECT id, at FROM orders WHERE price > 10");
    define(DefinitionKind::kView, "dear_ids",
           "CREATE MATERIALIZED VIEW dear_ids AS SELECT id, count(*) AS n FROM dear GROUP BY id");
    define(DefinitionKind::kView, "every",
           "CREATE MATERIALIZED VIEW every AS SELECT id FROM orders UNION ALL SELECT id FROM dear");
  }
  void define(DefinitionKind kind, const std::string& name, const std::string& sql) {
    const auto changed = catalog_->with({.id = metadata::DefinitionId(++number_),
                                         .tenant = TenantId(1),
                                         .kind = kind,
                                         .name = name,
                                         .sql = sql,
                                         .activated_at = Cut(1)});
    ASSERT_TRUE(changed.ok()) << changed.error().to_string();
    catalog_ = *changed;
  }
  // A line for each object: its name, what it reads, and the columns.
  std::string broken(const SchemaColumns& after, int32_t id = 7, const char* stream = "orders") {
    std::string out;
    for (const auto& one :
         broken_by(*catalog_, {catalog_->find(TenantId(1), stream)}, {{id, kBefore}}, after)) {
      out += std::string(one.kind) + " " + one.name + (one.reads.empty() ? "" : " of " + one.reads) + ":";
      for (const auto& column : one.columns)
        out +=
            " " + column.name + " " + column.was + "->" + (column.becomes.empty() ? "gone" : column.becomes);
      out += "\n";
    }
    return out;
  }
  static SchemaColumns changed(size_t column, SchemaColumn to) {
    SchemaColumns out = kBefore;
    out[column] = std::move(to);
    return out;
  }

  sql::CatalogPtr catalog_ = sql::Catalog::empty();
  uint32_t number_ = 0;
};

TEST_F(SchemaImpact, NothingWhereAllIsThere) {
  SchemaColumns after = kBefore;
  std::reverse(after.begin(), after.end());
  after.push_back({"new", "TEXT", {}});
  EXPECT_EQ(broken(after), "");
}

TEST_F(SchemaImpact, WhoReadsAColumnThatChanges) {
  const std::string readers =
      "view totals of orders: price DOUBLE PRECISION->%\nderived stream dear of orders: price DOUBLE "
      "PRECISION->%\nview dear_ids of dear:\nview every of dear:\n";
  const auto with = [&](const std::string& becomes) {
    std::string out = "stream orders: price DOUBLE PRECISION->%\n" + readers;
    for (size_t at = out.find('%'); at != std::string::npos; at = out.find('%')) out.replace(at, 1, becomes);
    return out;
  };
  EXPECT_EQ(broken(changed(1, {"price", "TEXT", {}})), with("TEXT"));
  EXPECT_EQ(broken(changed(1, {"cost", "DOUBLE PRECISION", {}})), with("gone"));
  EXPECT_EQ(broken(changed(1, {"price", "JSONB", {}})), with("JSONB"));
}

TEST_F(SchemaImpact, AQueryThatReadsBothIsNamedOnceForEach) {
  const std::string all = broken(changed(0, {"id", "TEXT", {}}));
  EXPECT_NE(all.find("view ids of orders: id BIGINT->TEXT\n"), std::string::npos) << all;
  EXPECT_NE(all.find("view every of orders: id BIGINT->TEXT\n"), std::string::npos) << all;
  EXPECT_NE(all.find("view dear_ids of dear:\n"), std::string::npos) << all;
  EXPECT_NE(all.find("view every of dear:\n"), std::string::npos) << all;
}

// It reads another stream's columns.
TEST_F(SchemaImpact, WhoGivesItsLateEventsIsNotNamed) {
  const std::string columns = "(id BIGINT, at TIMESTAMPTZ, WATERMARK FOR at AS at)";
  define(DefinitionKind::kStream, "late",
         "CREATE STREAM late " + columns + " WITH (schema = 'o', schema_version = 1, schema_id = 7)");
  define(DefinitionKind::kStream, "early", "CREATE STREAM early " + columns);
  define(DefinitionKind::kView, "hours",
         "CREATE MATERIALIZED VIEW hours AS SELECT window_start, max(id) AS id FROM TUMBLE(early, at, "
         "INTERVAL '1 hour') GROUP BY window_start LATE DATA TO late");
  EXPECT_EQ(broken(changed(0, {"id", "TEXT", {}}), 7, "late"), "stream late: id BIGINT->TEXT\n");
}

TEST_F(SchemaImpact, RowsMayGainFields) {
  EXPECT_EQ(
      broken(changed(4, {"place", "ROW<zip TEXT, city TEXT>", {{"zip", "TEXT", {}}, {"city", "TEXT", {}}}})),
      "");
  EXPECT_EQ(
      broken(changed(5, {"lines", "ROW<n BIGINT, m TEXT>[]", {{"n", "BIGINT", {}}, {"m", "TEXT", {}}}})), "");
  EXPECT_EQ(broken(changed(4, {"place", "ROW<zip TEXT>", {{"zip", "TEXT", {}}}})),
            "stream orders: place ROW<city TEXT>->ROW<zip TEXT>\n");
  EXPECT_EQ(broken(changed(6, {"shop", "ROW<city TEXT>", {{"city", "TEXT", {}}}})),
            "stream orders: town TEXT->gone\n");
  EXPECT_EQ(broken(changed(5, {"lines", "ROW<n BIGINT>", {{"n", "BIGINT", {}}}})),
            "stream orders: lines ROW<n BIGINT>[]->ROW<n BIGINT>\n");
}

// The view from before the column counts the op behind one column, which is the added one's place now.
TEST_F(SchemaImpact, AQueryDoesNotReadColumnsThatWereAddedLater) {
  define(DefinitionKind::kStream, "prices",
         "CREATE STREAM prices (id BIGINT PRIMARY KEY, price DOUBLE PRECISION) WITH (schema = 'o', "
         "schema_version = 1, schema_id = 7, column_history = '1:9')");
  define(DefinitionKind::kView, "before", "CREATE MATERIALIZED VIEW before AS SELECT * FROM prices");
  define(DefinitionKind::kView, "later", "CREATE MATERIALIZED VIEW later AS SELECT * FROM prices");
  EXPECT_EQ(
      broken(changed(1, {"price", "TEXT", {}}), 7, "prices"),
      "stream prices: price DOUBLE PRECISION->TEXT\nview later of prices: price DOUBLE PRECISION->TEXT\n");
}

TEST_F(SchemaImpact, WhatWasOpenStays) {
  EXPECT_EQ(broken(changed(3, {"more", "TEXT", {}})), "");
}

TEST_F(SchemaImpact, AVersionThatIsNotKnownDoesNotCount) {
  EXPECT_EQ(broken({}, 8), "");
}

}  // namespace
}  // namespace millrace::gateway
