#include "node/schema_columns.h"

#include <gtest/gtest.h>

#include "avro/avro_schema.h"
#include "json-schema/json_schema.h"

namespace millrace::node {
namespace {

std::string of(const schema::SchemaFormat& format, std::string_view text) {
  const auto schema = format.parse(text, {});
  if (!schema.ok()) return schema.error().to_string();
  const auto columns = columns_of(**schema);
  return columns.ok() ? *columns : columns.error().id;
}

std::string of_json(std::string_view text) {
  return of(json_schema::kFormat, text);
}
std::string of_avro(std::string_view text) {
  return of(avro::avro_format(), text);
}

TEST(SchemaColumns, OfJsonSchemaHaveTheTypeThatIsLeft) {
  EXPECT_EQ(of_json(R"({"properties": {"id": {"type": "integer"}, "p": {"type": ["number", "null"]},
                        "ok": {"type": "boolean"}, "s": {"type": "string"}}})"),
            R"(id BIGINT, p DOUBLE PRECISION, ok BOOLEAN, s TEXT)");
  EXPECT_EQ(of_json(R"({"properties": {"at": {"type": "string", "format": "date-time"},
                        "day": {"type": "string", "format": "date"}, "u": {"type": "string", "format": "uuid"},
                        "mail": {"type": "string", "format": "email"}}})"),
            R"(at TIMESTAMPTZ, day DATE, u UUID, mail TEXT)");
}

TEST(SchemaColumns, DecimalsBeyondNumericAreOpen) {
  const auto of_decimal = [](std::string_view precision) {
    return of_avro(
        std::string(
            R"({"type":"record","name":"R","fields":[{"name":"d","type":{"type":"bytes","logicalType":)") +
        R"("decimal","scale":2,"precision":)" + std::string(precision) + "}}]}");
  };
  EXPECT_EQ(of_decimal("1000"), "d NUMERIC(1000, 2)");
  EXPECT_EQ(of_decimal("1001"), "d JSONB");
  EXPECT_EQ(of_decimal("2147483647"), "d JSONB");
}

TEST(SchemaColumns, OfJsonSchemaAreOpenWhereItIsOpen) {
  EXPECT_EQ(
      of_json(
          R"({"properties": {"a": true, "b": {}, "c": {"type": ["string", "integer"]}, "d": {"type": "object"},
                        "e": {"type": "array"}, "f": {"type": "array", "items": {}}}})"),
      R"(a JSONB, b JSONB, c JSONB, d JSONB, e JSONB, f JSONB)");
}

TEST(SchemaColumns, OfJsonSchemaNestAndFollowReferences) {
  EXPECT_EQ(of_json(R"({"$ref": "#/definitions/order", "definitions": {
                        "order": {"type": "object", "properties": {"lines": {"type": "array", "items": {"$ref": "#/definitions/line"}}}},
                        "line": {"type": "object", "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}}}}})"),
            R"(lines ROW<sku TEXT, n BIGINT>[])");
  EXPECT_EQ(
      of_json(
          R"({"properties": {"grid": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}}})"),
      R"(grid JSONB)");
}

TEST(SchemaColumns, OfJsonSchemaEndWhereItRefersToItself) {
  const std::string columns =
      of_json(R"({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}})");
  EXPECT_TRUE(columns.starts_with(R"(next ROW<next ROW<)")) << columns;
  EXPECT_LT(columns.size(), 400u);
}

TEST(SchemaColumns, OfAvroAreItsFields) {
  EXPECT_EQ(of_avro(R"({"type": "record", "name": "r", "fields": [
              {"name": "a", "type": "int"}, {"name": "b", "type": ["null", "long"]}, {"name": "c", "type": "float"},
              {"name": "d", "type": "bytes"}, {"name": "e", "type": {"type": "enum", "name": "e", "symbols": ["X"]}},
              {"name": "f", "type": {"type": "array", "items": "string"}}, {"name": "g", "type": {"type": "map", "values": "int"}},
              {"name": "h", "type": {"type": "record", "name": "h", "fields": [{"name": "x", "type": "double"}]}},
              {"name": "i", "type": ["int", "string"]}]})"),
            R"(a INTEGER, b BIGINT, c REAL, d BYTEA, e TEXT, f TEXT[], g JSONB, )"
            R"(h ROW<x DOUBLE PRECISION>, i JSONB)");
  EXPECT_EQ(of_avro(R"({"type": "record", "name": "r", "fields": [
              {"name": "a", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
              {"name": "b", "type": {"type": "long", "logicalType": "timestamp-micros"}},
              {"name": "c", "type": {"type": "int", "logicalType": "date"}},
              {"name": "d", "type": {"type": "string", "logicalType": "uuid"}}]})"),
            R"(a NUMERIC(9, 2), b TIMESTAMPTZ, c DATE, d UUID)");
}

TEST(SchemaColumns, AreQuotedWhereSqlNeedsIt) {
  EXPECT_EQ(
      of_json(
          R"({"properties": {"order": {"type": "string"}, "userId": {"type": "string"}, "a b": {"type": "string"}}})"),
      R"("order" TEXT, "userId" TEXT, "a b" TEXT)");
}

TEST(SchemaColumns, AreNoneWhereNoNamesAre) {
  EXPECT_EQ(of_json("true"), "MR-SCH-0002");
  EXPECT_EQ(of_json(R"({"type": "string"})"), "MR-SCH-0002");
  EXPECT_EQ(of_avro(R"("string")"), "MR-SCH-0002");
}

}  // namespace
}  // namespace millrace::node
