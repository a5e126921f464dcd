#include "node/schema_columns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

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
  EXPECT_EQ(of_json(R"({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}})"),
            "next JSONB, n BIGINT");
  EXPECT_EQ(
      of_json(
          R"({"properties": {"tree": {"$ref": "#/definitions/tree"}}, "definitions": {"tree": {"type": "object",
                        "properties": {"children": {"type": "array", "items": {"$ref": "#/definitions/tree"}},
                                       "leaf": {"$ref": "#/definitions/leaf"}, "other": {"$ref": "#/definitions/leaf"}}},
                        "leaf": {"type": "object", "properties": {"n": {"type": "integer"}}}}})"),
      "tree ROW<children JSONB, leaf ROW<n BIGINT>, other ROW<n BIGINT>>");
}

// {"a0": type, "a1": type, …}
std::string members(size_t n, const std::string& type) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += fmt::format("{}\"a{}\": {}", i == 0 ? "" : ", ", i, type);
  return "{" + out + "}";
}

std::string object(const std::string& properties) {
  return R"({"type": "object", "properties": )" + properties + "}";
}

TEST(SchemaColumns, OfTenReferencesToItselfAreTen) {
  const std::string columns = of_json(object(members(10, R"({"$ref": "#"})")));
  EXPECT_TRUE(columns.starts_with("a0 JSONB, a1 JSONB")) << columns.substr(0, 100);
  EXPECT_LT(columns.size(), 200u);
}

// Ten rows in each of ten rows, and so on: what is written out is bounded.
TEST(SchemaColumns, OfTypesThatMultiplyAreBounded) {
  std::string definitions = R"("d9": {"type": "integer"})";
  for (int i = 0; i < 9; ++i) {
    const std::string next = fmt::format(R"({{"$ref": "#/definitions/d{}"}})", i + 1);
    definitions += fmt::format(R"(, "d{}": {})", i, object(members(10, next)));
  }
  const std::string columns =
      of_json(R"({"$ref": "#/definitions/d0", "definitions": {)" + definitions + "}}");
  EXPECT_TRUE(columns.starts_with("a0 ROW<a0 ROW<")) << columns.substr(0, 100);
  EXPECT_TRUE(columns.ends_with("a9 JSONB"));
  EXPECT_LE(std::count(columns.begin(), columns.end(), 'a'), 6'400);
}

TEST(SchemaColumns, AreOpenWhereARowWouldBeTooLarge) {
  const std::string number = R"({"type": "integer"})";
  const auto in_a = [&](const std::string& type) { return of_json(object(R"({"a": )" + type + "}")); };
  EXPECT_TRUE(in_a(object(members(100, number))).starts_with("a ROW<a0 BIGINT"));
  EXPECT_EQ(in_a(object(members(101, number))), "a JSONB");
  // 15 + 15 * 100 fields are fewer than 1,600, 16 + 16 * 100 are more.
  EXPECT_TRUE(in_a(object(members(15, object(members(100, number))))).starts_with("a ROW<a0 ROW<a0 BIGINT"));
  EXPECT_EQ(in_a(object(members(16, object(members(100, number))))), "a JSONB");
  EXPECT_EQ(in_a(object(R"({")" + std::string(64, 'x') + R"(": {"type": "integer"}})")), "a JSONB");
}

TEST(SchemaColumns, AreNoneWhereTheyAreTooMany) {
  EXPECT_TRUE(of_json(object(members(1'600, "{}"))).ends_with("a1599 JSONB"));
  EXPECT_EQ(of_json(object(members(1'601, "{}"))), "MR-SCH-0002");
  EXPECT_EQ(of_json(object(members(20'000, "{}"))), "MR-SCH-0002");
}

TEST(SchemaColumns, OfAvroEndWhereARecordIsInsideItself) {
  EXPECT_EQ(of_avro(R"({"type": "record", "name": "a", "fields": [
              {"name": "n", "type": "int"},
              {"name": "b", "type": {"type": "record", "name": "b", "fields": [
                {"name": "a", "type": ["null", "a"]}, {"name": "bs", "type": {"type": "array", "items": "b"}},
                {"name": "x", "type": "string"}]}},
              {"name": "more", "type": "b"}]})"),
            "n INTEGER, b ROW<a JSONB, bs JSONB, x TEXT>, more ROW<a JSONB, bs JSONB, x TEXT>");
}

TEST(SchemaColumns, OfADecimalAreOpenBeyondItsBound) {
  const auto of_decimal = [](int digits) {
    return of_avro(fmt::format(R"({{"type": "record", "name": "r", "fields": [
              {{"name": "a", "type": {{"type": "bytes", "logicalType": "decimal", "precision": {}}}}}]}})",
                               digits));
  };
  EXPECT_EQ(of_decimal(1'000), "a NUMERIC(1000, 0)");
  EXPECT_EQ(of_decimal(1'001), "a JSONB");
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
  EXPECT_EQ(of_json(R"({"type": "object", "properties": {}})"), "MR-SCH-0002");
  EXPECT_EQ(of_avro(R"("string")"), "MR-SCH-0002");
}

}  // namespace
}  // namespace millrace::node
