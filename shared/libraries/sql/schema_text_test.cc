#include "sql/schema_text.h"

#include <gtest/gtest.h>

#include "sql/ast.h"
#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

std::string kept(std::string_view text, std::string columns = "") {
  const auto statements = parse(text);
  EXPECT_TRUE(statements.ok()) << statements.error().to_string();
  return with_schema(*statements->back(), {.subject = "a", .version = 3, .id = 7}, columns)->text;
}

TEST(SchemaText, HasTheNumbers) {
  EXPECT_EQ(kept("SELECT 1;\n CREATE STREAM s (id BIGINT) WITH (partitions = 2, schema = 'a-value')"),
            "CREATE STREAM s (id BIGINT) WITH (partitions = 2, schema = 'a-value', schema_version = 3, "
            "schema_id = 7)");
}

TEST(SchemaText, OfAQueryHasTheNumbers) {
  EXPECT_EQ(
      kept("CREATE MATERIALIZED VIEW v WITH (schema = 'v-value', format = 'avro') AS SELECT id FROM s"),
      "CREATE MATERIALIZED VIEW v WITH (schema = 'v-value', schema_version = 3, schema_id = 7, format = "
      "'avro') AS SELECT id FROM s");
}

TEST(SchemaText, OfAQueryIsBoundAsItsEncoding) {
  const TestCatalog catalog("CREATE STREAM s (id BIGINT)");
  const auto encoded = [&](const std::string& statement) {
    return catalog.get<CreateQuery>(statement + " AS SELECT id FROM s").plan.encoded;
  };
  using engine::RowEncoding;
  EXPECT_EQ(encoded("CREATE MATERIALIZED VIEW v"), engine::EncodedOutput{});
  EXPECT_EQ(encoded("CREATE STREAM d WITH (format = 'json')"), engine::EncodedOutput{});
  EXPECT_EQ(encoded("CREATE MATERIALIZED VIEW v WITH (schema = 'a', schema_version = 3, schema_id = 7, "
                    "format = 'avro')"),
            (engine::EncodedOutput{RowEncoding::kAvro, {"a", 3, 7}}));
  EXPECT_EQ(encoded("CREATE STREAM d WITH (format = 'protobuf', schema = 'a')"),
            (engine::EncodedOutput{RowEncoding::kProtobuf, {"a", 0, 0}}));
}

// It decides no answer: a view keeps its state with another one, and one that is the same is left alone.
TEST(SchemaText, OfAQueryMayBeReplaced) {
  TestCatalog catalog("CREATE STREAM s (id BIGINT)");
  catalog.define(
      "CREATE MATERIALIZED VIEW v WITH (schema = 'a', schema_version = 3, schema_id = 7, format = 'avro') AS "
      "SELECT id, count(*) AS n FROM s GROUP BY id");
  const auto replaced = [&](const std::string& options) {
    const auto made = catalog.get<CreateQuery>("CREATE OR REPLACE MATERIALIZED VIEW v " + options +
                                               " AS SELECT id, count(*) AS n FROM s GROUP BY id");
    return made.same.value != 0 ? "the same" : made.replaced.value != 0 ? "replaced" : "new";
  };
  EXPECT_EQ(replaced("WITH (schema = 'a', format = 'avro')"), std::string("the same"));
  EXPECT_EQ(replaced("WITH (schema = 'b', format = 'avro')"), std::string("replaced"));
  EXPECT_EQ(replaced("WITH (schema = 'a', format = 'protobuf')"), std::string("replaced"));
  EXPECT_EQ(replaced(""), std::string("replaced"));
}

TEST(SchemaText, HasTheColumnsThatAreLeftToTheSchema) {
  EXPECT_EQ(kept("CREATE STREAM IF NOT EXISTS \"s\" WITH (schema = 'a', key = 'id')", "id BIGINT"),
            "CREATE STREAM IF NOT EXISTS \"s\" (id BIGINT) WITH (schema = 'a', schema_version = 3, schema_id "
            "= 7, key = 'id')");
  EXPECT_EQ(kept("CREATE STREAM s (WATERMARK FOR at AS at) WITH (schema = 'a')", "at TIMESTAMPTZ"),
            "CREATE STREAM s (at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (schema = 'a', schema_version = "
            "3, schema_id = 7)");
}

TEST(SchemaText, KeepsNumbersThatAreWritten) {
  EXPECT_EQ(kept("CREATE STREAM s WITH (schema = 'a', schema_version = 3)", "id BIGINT"),
            "CREATE STREAM s (id BIGINT) WITH (schema = 'a', schema_id = 7, schema_version = 3)");
  const std::string whole =
      "CREATE STREAM s (id BIGINT) WITH (schema_id = 7, schema_version = 3, schema = 'a')";
  EXPECT_EQ(kept(whole), whole);
}

// What the second reading finds stands where the user has written it.
TEST(SchemaText, ErrorsAreOfWhatWasWritten) {
  const std::string sent =
      "SELECT 1;\n CREATE STREAM s (\n WATERMARK FOR att AS at) WITH (schema = 'a', key = 'né')";
  const auto statements = parse(sent);
  const Statement& statement = *statements->back();
  const auto text =
      with_schema(statement, {.subject = "a", .version = 3, .id = 7}, std::string("at TIMESTAMPTZ"));
  const auto at = [&](std::string_view word) {
    Error failure = error(Code::kInvalid, "X", "x");
    failure.span =
        SourceSpan{1, 1, static_cast<uint32_t>(text->text.find(word)), static_cast<uint32_t>(word.size())};
    return as_written(statement, *text, failure).span;
  };
  const auto mark = at("att");
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(sent.substr(mark->offset, mark->length), "att");
  EXPECT_EQ(std::pair(mark->line, mark->column), std::pair(3u, 16u));
  const auto key = at("'né'");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(sent.substr(key->offset, key->length), "'né'");
  EXPECT_EQ(std::pair(key->line, key->column), std::pair(3u, 53u));
  EXPECT_FALSE(at("TIMESTAMPTZ").has_value());
  EXPECT_FALSE(at("schema_version").has_value());
  EXPECT_FALSE(at("schema_id").has_value());
}

}  // namespace
}  // namespace millrace::sql
