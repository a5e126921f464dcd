#include "sql/schema_text.h"

#include <gtest/gtest.h>

#include "sql/ast.h"

namespace millrace::sql {
namespace {

std::string kept(std::string_view text, std::string columns = "") {
  const auto statements = parse(text);
  EXPECT_TRUE(statements.ok()) << statements.error().to_string();
  return *with_schema_version(*statements->back(), 3, columns);
}

TEST(SchemaText, HasTheVersion) {
  EXPECT_EQ(kept("SELECT 1;\n CREATE STREAM s (id BIGINT) WITH (partitions = 2, schema = 'a-value')"),
            "CREATE STREAM s (id BIGINT) WITH (partitions = 2, schema = 'a-value', schema_version = 3)");
}

TEST(SchemaText, HasTheColumnsThatAreLeftToTheSchema) {
  EXPECT_EQ(
      kept("CREATE STREAM IF NOT EXISTS \"s\" WITH (schema = 'a', key = 'id')", "id BIGINT"),
      "CREATE STREAM IF NOT EXISTS \"s\" (id BIGINT) WITH (schema = 'a', schema_version = 3, key = 'id')");
  EXPECT_EQ(
      kept("CREATE STREAM s (WATERMARK FOR at AS at) WITH (schema = 'a')", "at TIMESTAMPTZ"),
      "CREATE STREAM s (at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (schema = 'a', schema_version = 3)");
}

}  // namespace
}  // namespace millrace::sql
