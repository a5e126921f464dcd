#include "json-schema/json_schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>

#include "json-schema/internal/number.h"
#include "json-schema/validator.h"

namespace millrace::json_schema {
namespace {

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string code_of(std::string_view text, std::string_view event = "null") {
  const auto document = Document::parse(text, {});
  if (!document.ok()) return document.error().id;
  const auto validator = Validator::compile(*document);
  if (!validator.ok()) return validator.error().id;
  EventParser parser;
  const auto parsed = parser.parse(event);
  if (!parsed.ok()) return parsed.error().id;
  const Status verdict = validator->check(*parsed);
  return verdict.ok() ? "" : verdict.error().id;
}

TEST(JsonSchemaText, IsCompactAndKeepsTheOrder) {
  const auto schema =
      JsonSchema::parse("{ \"type\" : \"object\",\n \"a\\u00e9\\/\": [1.0, 1e2, \"\\u001f\\n\"] }", {});
  ASSERT_TRUE(schema.ok()) << schema.error().to_string();
  EXPECT_EQ((*schema)->text(), "{\"type\":\"object\",\"a\u00e9/\":[1.0,1e2,\"\\u001F\\n\"]}");
  EXPECT_EQ((*schema)->normalized(), "{\"a\u00e9/\":[1.0,1e2,\"\\u001F\\n\"],\"type\":\"object\"}");
}

TEST(JsonSchemaText, LastOfMembersWithOneNameCounts) {
  const auto schema = JsonSchema::parse(R"({"b": 1, "a": 2, "b": 3})", {});
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ((*schema)->text(), R"({"b":3,"a":2})");
}

TEST(JsonSchemaText, MistakesHaveAPlace) {
  const auto parsed = parse_json("{\"a\": 1,\n  \"b\": 01}");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().id, "MR-JSCH-0001");
  EXPECT_EQ(parsed.error().span->line, 2u);
  for (const std::string_view bad : {"", "{", "[1,]", "{\"a\" 1}", "\"\\ud800\"", "\"\\x\"", "nul", "1 2",
                                     "-", "1.", "1e", "\"\n\"", "\"\xff\"", "{1:2}"}) {
    EXPECT_EQ(code_of(bad), "MR-JSCH-0001") << bad;
  }
}

TEST(JsonSchemaBounds, HoldForTexts) {
  EXPECT_EQ(code_of(repeated("[", 100'000)), "MR-JSCH-0002");
  EXPECT_EQ(code_of(repeated("{\"not\":", 100'000) + "{}" + repeated("}", 100'000)), "MR-JSCH-0002");
  EXPECT_EQ(code_of("{\"enum\":[" + repeated("1,", 1'000'000) + "1]}"), "MR-JSCH-0002");
  EXPECT_EQ(code_of("{\"description\":\"" + std::string(5 << 20, 'x') + "\"}"), "MR-JSCH-0002");
  EXPECT_EQ(code_of("{\"allOf\":[" + repeated("{},", kMostSubschemas) + "{}]}"), "MR-JSCH-0002");
}

TEST(JsonSchemaBounds, HoldForIdentifiersAndPatterns) {
  EXPECT_EQ(code_of("{\"$id\":\"http://a/" + std::string(kMostUriBytes, 'x') + "\"}"), "MR-JSCH-0002");
  std::string named = "{\"$id\":\"http://a/" + std::string(4'000, 'x') + "/\",\"$defs\":{";
  for (int i = 0; i < 10'000; ++i) named += fmt::format("\"{0}\":{{\"$id\":\"{0}\"}},", i);
  EXPECT_EQ(code_of(named + "\"a\":{}}}"), "MR-JSCH-0002");
  std::string many = "{\"patternProperties\":{";
  for (int i = 0; i < 600; ++i) many += fmt::format("\"^{}\":{{}},", i);
  EXPECT_EQ(code_of(many + "\"a\":{}}}"), "MR-JSCH-0006");
  const std::string long_text = "[" + repeated("\"" + std::string(1'000'000, 'a') + "\",", 20) + "1]";
  EXPECT_EQ(code_of(R"({"items": {"not": {"pattern": "b$"}, "allOf": [{"not": {"pattern": "^c"}},
                     {"not": {"pattern": "d$"}}, {"not": {"pattern": "e$"}}, {"not": {"pattern": "f$"}}]}})",
                    long_text),
            "MR-JSCH-0008");
}

TEST(JsonSchemaBounds, DeepEventsAreRefused) {
  EXPECT_EQ(code_of("{}", repeated("[", 100'000)), "MR-JSCH-0010");
  const std::string deep = repeated("[", 900) + repeated("]", 900);
  EXPECT_EQ(code_of(R"({"items": {"$ref": "#"}})", deep), "");
  EXPECT_EQ(code_of(R"({"items": {"allOf": [{"$ref": "#"}]}})", deep), "MR-JSCH-0008");
}

TEST(JsonSchemaBounds, ReferenceToItselfEnds) {
  EXPECT_EQ(code_of(R"({"$ref": "#"})"), "MR-JSCH-0008");
  EXPECT_EQ(
      code_of(
          R"({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"allOf": [{"$ref": "#"}]}}})"),
      "MR-JSCH-0008");
}

// Each schema names the next one twice: 2^40 ways to the last one.
std::string doubling(std::string_view how) {
  std::string text = fmt::format(R"({{"$ref": "#/definitions/s0", "definitions": {{)");
  for (int i = 0; i < 40; ++i) {
    const std::string next = fmt::format(R"({{"$ref": "#/definitions/s{}"}})", i + 1);
    text += fmt::format(R"("s{}": {{"{}": [{}, {}]}},)", i, how, next, next);
  }
  return text + R"("s40": {"type": "null"}}})";
}

// Each schema tries the next one twice, beside what is costly by itself.
std::string costly(std::string_view what) {
  std::string text =
      R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/s0", "$defs": {)";
  for (int i = 0; i < 40; ++i)
    text +=
        fmt::format(R"("s{0}": {{{1}, "anyOf": [{{"$ref": "#/$defs/s{2}"}}, {{"$ref": "#/$defs/s{2}"}}]}},)",
                    i, what, i + 1);
  return text + R"("s40": {"type": "null"}}})";
}

TEST(JsonSchemaBounds, WhatEachKeywordReadsIsWork) {
  const std::string text = "\"" + std::string(1'000'000, 'a') + "\"";
  std::string names, members, items = "[" + repeated("1,", 100'000) + "1]";
  for (int i = 0; i < 5'000; ++i) names += fmt::format("{}\"m{}\"", i == 0 ? "" : ",", i);
  for (int i = 0; i < 5'000; ++i) members += fmt::format("{}\"m{}\":1", i == 0 ? "" : ",", i);
  std::string words = "\"b\"";
  for (int i = 0; i < 100; ++i) words += fmt::format(",\"w{}\"", i);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("minLength": 900000)", text},
      {fmt::format(R"("not": {{"enum": [{}]}})", words), text},
      {R"("not": {"uniqueItems": true})", "[" + text + "," + text + "]"},
      {R"("items": true, "minItems": 1)", items},
      {R"("minProperties": 1)", "{" + members + "}"},
      {fmt::format(R"("required": [{}])", names), "{" + members + "}"},
      {R"("properties": {"m1": true}, "not": {"unevaluatedProperties": {"const": 2}})", "{" + members + "}"},
      {R"("not": {"unevaluatedItems": {"const": 2}})", items},
  };
  for (const auto& [keywords, event] : cases) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(code_of(costly(keywords), event), "MR-JSCH-0008") << keywords.substr(0, 40);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << keywords.substr(0, 40);
  }
}

TEST(JsonSchemaBounds, DoublingIsCutShort) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(doubling("allOf")), "");
  EXPECT_EQ(code_of(doubling("anyOf"), "1"), "MR-JSCH-0008");
  EXPECT_EQ(code_of(doubling("oneOf"), "1"), "MR-JSCH-0008");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(JsonSchemaBounds, ManyItemsAreComparedInTime) {
  std::string items = "[";
  for (int i = 0; i < 20'000; ++i) items += fmt::format("{{\"n\":{}}},", i);
  EXPECT_EQ(code_of(R"({"uniqueItems": true})", items + "0]"), "");
  EXPECT_EQ(code_of(R"({"uniqueItems": true})", items + "{\"n\": 7.0}]"), "MR-JSCH-0007");
}

TEST(JsonSchemaNumbers, AreComparedByValue) {
  EXPECT_TRUE(is_multiple(*decimal_of("4.02"), *decimal_of("0.01")));
  EXPECT_TRUE(is_multiple(*decimal_of("1e300"), *decimal_of("1e-300")));
  EXPECT_FALSE(is_multiple(*decimal_of("0.00751"), *decimal_of("0.0001")));
  EXPECT_FALSE(is_multiple(*decimal_of("1e-300"), *decimal_of("1")));
  EXPECT_TRUE(is_multiple(*decimal_of("12345678901234567890.0"), *decimal_of("10")));
  EXPECT_EQ(number_of("9223372036854775809"), number_of("9223372036854775808") + 1);
  EXPECT_EQ(
      code_of(R"({"type": "integer", "minimum": 18446744073709551616})", "123456789012345678901234567890"),
      "");
  EXPECT_EQ(code_of(R"({"maximum": 9007199254740992})", "9007199254740993"), "MR-JSCH-0007");
  const std::string beside_large = R"({"a": 1234567890123456789, "n": -123456789012345678901234567890})";
  EXPECT_EQ(code_of(R"({"properties": {"a": {"maximum": 1234567890123456788}}})", beside_large),
            "MR-JSCH-0007");
  EXPECT_EQ(code_of(R"({"properties": {"a": {"const": 1234567890123456789}}})", beside_large), "");
  EXPECT_EQ(
      code_of(
          "{\"$schema\": \"http://json-schema.org/draft-04/schema#\", \"items\": {\"type\": \"integer\"}}",
          "[-9223372036854775808, 18446744073709551615, -9223372036854775809, 18446744073709551616]"),
      "");
  EXPECT_EQ(
      code_of("{}", R"({"text": "12345678901234567890123 \" 1", "n": -123456789012345678901234567890})"), "");
}

TEST(JsonSchemaValidator, TellsAllFailuresUpToABound) {
  const auto document = Document::parse(R"({"items": {"type": "string"}})", {});
  const auto validator = Validator::compile(*document);
  EventParser parser;
  const auto event = parser.parse("[1, \"a\", 2, 3]");
  const auto all = validator->failures(*event, 10);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[1].instance_path, "/2");
  EXPECT_EQ((*all)[1].schema_path, "/items/type");
  EXPECT_EQ(validator->failures(*event, 2)->size(), 2u);
}

TEST(JsonSchemaReferences, MetaschemasAreBuiltIn) {
  for (const std::string_view uri :
       {"http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema"}) {
    const std::string schema = fmt::format(R"({{"$schema": "{}", "$ref": "{}"}})", uri, uri);
    EXPECT_EQ(code_of(schema, R"({"properties": {"a": {"type": "string"}}})"), "") << uri;
    EXPECT_EQ(code_of(schema, R"({"properties": {"a": {"type": "text"}}})"), "MR-JSCH-0007") << uri;
  }
}

}  // namespace
}  // namespace millrace::json_schema
