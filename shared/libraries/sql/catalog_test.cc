#include "sql/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

using metadata::Definition;
using metadata::DefinitionKind;

constexpr std::string_view kQueries = R"(
  CREATE MATERIALIZED VIEW by_place AS SELECT place, count(*) AS n FROM earthquakes GROUP BY place;
  CREATE STREAM strong AS SELECT id, time, net FROM earthquakes WHERE mag >= 4.5;
  CREATE MATERIALIZED VIEW strong_by_net AS SELECT net, count(*) AS n FROM strong GROUP BY net;
)";

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() { made_.define(kQueries); }
  const Catalog& catalog() const { return made_.catalog(); }
  std::vector<std::string> names(const std::vector<const Catalog::Entry*>& entries) const {
    std::vector<std::string> out;
    for (const auto* entry : entries) out.push_back(entry->definition.name);
    return out;
  }
  TestCatalog made_{kTestStreams};
};

using Names = std::vector<std::string>;

TEST_F(CatalogTest, IdsFollowFromNumbers) {
  const auto* quakes = catalog().find(TenantId(1), "earthquakes");
  ASSERT_NE(quakes, nullptr);
  EXPECT_EQ(quakes->stream->id, StreamId(2 * 4));
  const auto* view = catalog().find(TenantId(1), "by_place");
  EXPECT_EQ(view->query->id, QueryId(4));
  EXPECT_EQ(view->query->repartition_topic->id, StreamId(4 * 4 + 1));
  EXPECT_EQ(view->stream, nullptr);
  const auto* strong = catalog().find(TenantId(1), "strong");
  EXPECT_EQ(strong->stream->id, StreamId(5 * 4));
  EXPECT_EQ(strong->query->output_stream, strong->stream);
  EXPECT_EQ(strong->query->source, quakes->stream);
  EXPECT_EQ(catalog().find(TenantId(1), "strong_by_net")->query->source, strong->stream);
  EXPECT_EQ(catalog().stream(StreamId(17))->kind, engine::StreamKind::kRepartition);
  EXPECT_EQ(catalog().stream(StreamId(20)), strong->stream);
  EXPECT_EQ(catalog().stream(StreamId(99)), nullptr);
  EXPECT_EQ(definition_of(StreamId(17)), DefinitionId(4));
  EXPECT_EQ(catalog().find(DefinitionId(5)), strong);
}

TEST_F(CatalogTest, ATenantHasItsDeadLetters) {
  const auto letters = catalog().dead_letters(TenantId(1));
  ASSERT_NE(letters, nullptr);
  EXPECT_EQ(letters->id, StreamId(4));
  EXPECT_EQ(letters->kind, engine::StreamKind::kDeadLetters);
  EXPECT_EQ(letters->partitions, 1);
  EXPECT_EQ(letters->columns.size(), 10u);
  EXPECT_EQ(letters->columns[6].name, "offset");
  EXPECT_EQ(catalog().dead_letters(TenantId(2)), nullptr);
  EXPECT_EQ(*catalog().tenant_name(TenantId(1)), "default");
  EXPECT_EQ(catalog().tenant("default"), TenantId(1));
  EXPECT_EQ(catalog().tenant("other"), std::nullopt);
}

TEST_F(CatalogTest, ListsByNumber) {
  EXPECT_EQ(names(catalog().entries(TenantId(1))),
            (Names{"earthquakes", "orders", "by_place", "strong", "strong_by_net"}));
  EXPECT_EQ(names(catalog().all()),
            (Names{"default", "earthquakes", "orders", "by_place", "strong", "strong_by_net"}));
  EXPECT_EQ(names(catalog().readers(DefinitionId(2))), (Names{"by_place", "strong"}));
  EXPECT_EQ(names(catalog().readers(DefinitionId(5))), (Names{"strong_by_net"}));
}

TEST_F(CatalogTest, AnotherTenantsNamesDoNotExist) {
  Definition other;
  other.kind = DefinitionKind::kTenant;
  other.name = "other";
  made_.add(other);
  const TenantId tenant(7);
  EXPECT_EQ(catalog().tenant("other"), tenant);
  EXPECT_EQ(catalog().find(tenant, "earthquakes"), nullptr);
  for (const char* sql : {"SELECT * FROM earthquakes", "DROP STREAM earthquakes", "SUBSCRIBE TO by_place",
                          "SHOW COLUMNS FROM orders", "CREATE STREAM s AS SELECT id FROM earthquakes"}) {
    auto bound = bind(*parse(sql)->front(), catalog(), tenant);
    ASSERT_FALSE(bound.ok()) << sql;
    EXPECT_EQ(bound.error().code, Code::kNotFound) << sql;
    EXPECT_EQ(bound.error().hint.find("earthquakes"), std::string::npos)
        << "a hint must not tell another tenant's names";
  }
  EXPECT_TRUE(bind(*parse("CREATE STREAM earthquakes (a TEXT)")->front(), catalog(), tenant).ok());
}

TEST_F(CatalogTest, WithoutTakesAllOfADefinitionAway) {
  const CatalogPtr less = catalog().without(DefinitionId(4));
  EXPECT_EQ(less->find(TenantId(1), "by_place"), nullptr);
  EXPECT_EQ(less->find(DefinitionId(4)), nullptr);
  EXPECT_EQ(less->stream(StreamId(17)), nullptr);
  EXPECT_EQ(names(less->readers(DefinitionId(2))), (Names{"strong"}));
  EXPECT_NE(catalog().find(TenantId(1), "by_place"), nullptr);  // the old one is as it was
  EXPECT_EQ(less->without(DefinitionId(99))->all().size(), less->all().size());
}

TEST_F(CatalogTest, LoadIsWithForAll) {
  auto definitions = made_.definitions();
  std::reverse(definitions.begin(), definitions.end());
  const auto loaded = Catalog::load(definitions);
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
  EXPECT_EQ(names((*loaded)->all()), names(catalog().all()));
  for (const auto* entry : catalog().all()) {
    if (entry->query) {
      EXPECT_EQ((*loaded)->find(entry->definition.id)->query->identity(), entry->query->identity());
    }
  }
}

// A catalog of everything that ever was: each query keeps reading what its name meant then.
TEST_F(CatalogTest, ALaterDefinitionHidesAnEarlierOfItsName) {
  Definition again = *std::find_if(made_.definitions().begin(), made_.definitions().end(),
                                   [](const auto& d) { return d.name == "orders"; });
  again.sql = "CREATE STREAM orders (total DOUBLE PRECISION)";
  made_.add(again);
  EXPECT_EQ(catalog().find(TenantId(1), "orders")->definition.id, DefinitionId(7));
  EXPECT_EQ(catalog().stream(StreamId(12))->columns.size(), 6u);
  EXPECT_EQ(catalog().stream(StreamId(28))->columns.size(), 1u);
}

// A step record of before there were paths still fits, and one of another place does not.
TEST_F(CatalogTest, APathIsPartOfTheIdentity) {
  const auto identity = [](const std::string& column) {
    TestCatalog made("CREATE STREAM s (" + column + " );");
    made.define("CREATE STREAM d AS SELECT a FROM s;");
    const auto* derived = made.catalog().find(TenantId(1), "d");
    EXPECT_TRUE(derived->stream->columns[0].path.empty());
    return derived->query->identity();
  };
  const uint64_t plain = identity("a TEXT");
  EXPECT_EQ(identity("a TEXT PATH '$.a'"), plain);
  EXPECT_NE(identity("a TEXT PATH '$.b'"), plain);
  EXPECT_NE(identity("a TEXT PATH '$.b.c'"), identity("a TEXT PATH '$.b.d'"));
  EXPECT_NE(identity("a TEXT PATH '$.b.c'"), identity("a TEXT PATH '$.\"b.c\"'"));
}

TEST_F(CatalogTest, RefusesDefinitionsThatAreNot) {
  const auto refused = [&](Definition d) {
    const auto next = catalog().with(d);
    EXPECT_FALSE(next.ok()) << d.sql;
    if (!next.ok()) {
      EXPECT_EQ(next.error().id, "MR-SQL-0060");
      EXPECT_EQ(next.error().code, Code::kCorrupt);
    }
  };
  Definition d;
  d.id = DefinitionId(9);
  d.tenant = TenantId(1);
  d.name = "s";
  for (const char* sql :
       {"", "CREATE STREAM", "SELECT 1", "CREATE STREAM other (a TEXT)", "CREATE STREAM s (a TEXT); SELECT 1",
        "CREATE STREAM s AS SELECT id FROM nothing", "CREATE MATERIALIZED VIEW s AS SELECT id FROM orders"}) {
    d.sql = sql;
    refused(d);
  }
  d.sql = "CREATE STREAM s (a TEXT)";
  d.id = DefinitionId(0);
  refused(d);
  d.id = DefinitionId(3);  // there already
  refused(d);
  d.id = DefinitionId(UINT32_MAX);  // four times that is no stream's id
  refused(d);
  d.id = DefinitionId(9);
  EXPECT_TRUE(catalog().with(d).ok());
}

TEST(CatalogLoad, TakesThousands) {
  std::vector<Definition> definitions(1);
  definitions[0].id = DefinitionId(1);
  definitions[0].kind = DefinitionKind::kTenant;
  definitions[0].name = "default";
  for (uint32_t i = 2; i < 5000; ++i) {
    Definition d;
    d.id = DefinitionId(i);
    d.tenant = TenantId(1);
    d.name = "s" + std::to_string(i);
    d.sql = "CREATE STREAM " + d.name + " (id TEXT, at TIMESTAMPTZ)";
    definitions.push_back(d);
  }
  const auto catalog = Catalog::load(std::move(definitions));
  ASSERT_TRUE(catalog.ok());
  EXPECT_EQ((*catalog)->entries(TenantId(1)).size(), 4998u);
}

}  // namespace
}  // namespace millrace::sql
