// Bad input: each is answered in bounded time, and says what is wrong.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

#include "avro/codec.h"

namespace millrace::avro {
namespace {

std::string refused(const std::string& text) {
  const auto schema = AvroSchema::parse(text);
  return schema.ok() ? "a schema" : schema.error().id;
}

std::shared_ptr<const AvroSchema> parsed(const std::string& text) {
  auto schema = AvroSchema::parse(text);
  EXPECT_TRUE(schema.ok()) << (schema.ok() ? "" : schema.error().to_string());
  return *schema;
}

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(AvroSchema, AMillionSymbolsAreRefused) {
  std::string symbols = "\"A0\"";
  for (int i = 1; i < 1'000'000; ++i) symbols += ",\"A" + std::to_string(i) + "\"";
  EXPECT_EQ(refused(R"({"type":"enum","name":"E","symbols":[)" + symbols + "]}"), "MR-AVRO-0002");
  const std::string fewer = symbols.substr(0, symbols.rfind(',', 1'048'500));
  EXPECT_EQ(refused(R"({"type":"enum","name":"E","symbols":[)" + fewer + "]}"), "MR-AVRO-0002");
}

TEST(AvroSchema, DeepTextsAreRefused) {
  EXPECT_EQ(refused(repeated("[", 100'000)), "MR-AVRO-0002");
  EXPECT_EQ(refused(repeated(R"({"type":"array","items":)", 40'000)), "MR-AVRO-0002");
  const auto arrays = [](int n) {
    return repeated(R"({"type":"array","items":)", n) + "\"int\"" + repeated("}", n);
  };
  EXPECT_EQ(refused(arrays(149)), "a schema");
  EXPECT_EQ(refused(arrays(150)), "MR-AVRO-0002");
}

TEST(AvroSchema, TextsThatAreNotUtf8AreRefused) {
  EXPECT_EQ(refused("\"\xC3\x28\""), "MR-AVRO-0001");
  EXPECT_EQ(refused("\"a\tb\""), "MR-AVRO-0001");
}

TEST(AvroSchema, ADefaultOfMuchWorkIsRefused) {
  std::string text = R"({"type":"record","name":"R0","fields":[]})";
  for (int i = 1; i < 30; ++i)
    text = fmt::format(R"({{"type":"record","name":"R{}","fields":[{{"name":"a","type":{},"default":{{}}}},)"
                       R"({{"name":"b","type":"R{}","default":{{}}}}]}})",
                       i, text, i - 1);
  EXPECT_EQ(refused(text), "MR-AVRO-0002");
}

// A{i} has an A{i - 1}, within as many arrays as may be written.
std::string chained(int i) {
  const int arrays = 146;
  return fmt::format(R"({{"type":"record","name":"A{}","fields":[{{"name":"x","type":{}"{}"{}}}]}})", i,
                     repeated(R"({"type":"array","items":)", i == 0 ? 0 : arrays),
                     i == 0 ? "int" : fmt::format("A{}", i - 1), repeated("}", i == 0 ? 0 : arrays));
}

TEST(AvroSchema, TypesThatLeadToEachOtherByNameAreBoundedInDepth) {
  std::string types = chained(0);
  for (int i = 1; i < 200; ++i) types += "," + chained(i);
  const schema::NamedSchema reference{"types", "[" + types + "]"};
  const auto outcome = [&](std::string_view type) {
    const auto schema = AvroSchema::parse(
        fmt::format(R"({{"type":"record","name":"Z","fields":[{{"name":"z","type":"{}"}}]}})", type),
        std::span(&reference, 1));
    return schema.ok() ? "a schema" : schema.error().id;
  };
  EXPECT_EQ(outcome("A199"), "MR-AVRO-0002");
  EXPECT_EQ(outcome("A2"), "MR-AVRO-0002");
  EXPECT_EQ(outcome("A0"), "a schema");
}

TEST(AvroSchema, DefaultsShareTheWorkOfTheirText) {
  std::string fields;
  for (int i = 0; i < 15; ++i)
    fields += fmt::format(
        R"({{"name":"r{}","type":{{"type":"record","name":"R{}","fields":[{}]}},"default":{{}}}},)", i, i,
        i == 0 ? R"({"name":"a","type":"int","default":1})"
               : fmt::format(R"({{"name":"a","type":"R{0}","default":{{}}}},)"
                             R"({{"name":"b","type":"R{0}","default":{{}}}})",
                             i - 1));
  for (int i = 0; i < 5'000; ++i)
    fields += fmt::format(R"({{"name":"f{}","type":"R14","default":{{}}}},)", i);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(refused(R"({"type":"record","name":"Z","fields":[)" + fields + R"({"name":"z","type":"int"}]})"),
            "MR-AVRO-0002");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// Each type is met twice by the one around it.
std::string doubling(int levels, std::string_view innermost) {
  std::string text =
      fmt::format(R"({{"type":"record","name":"R0","fields":[{{"name":"a","type":"{}"}}]}})", innermost);
  for (int i = 1; i < levels; ++i)
    text = fmt::format(
        R"({{"type":"record","name":"R{}","fields":[{{"name":"a","type":{}}},{{"name":"b","type":"R{}"}}]}})",
        i, text, i - 1);
  return text;
}

TEST(AvroCompatibility, RecordsThatMeetTwiceAreComparedOnce) {
  const auto a = parsed(doubling(60, "int")), b = parsed(doubling(60, "string"));
  EXPECT_TRUE(a->what_hinders_reading(*a)->empty());
  EXPECT_EQ(a->what_hinders_reading(*b)->size(), 1000u);
}

std::string wide_union(int branches, std::string_view field) {
  std::string text = "[";
  for (int i = 0; i < branches; ++i)
    text += fmt::format(R"({}{{"type":"record","name":"R{}","fields":[{{"name":"{}","type":"int"}}]}})",
                        i == 0 ? "" : ",", i, field);
  return text + "]";
}

TEST(AvroCompatibility, WorkIsBounded) {
  const auto a = parsed(wide_union(600, "a")), b = parsed(wide_union(600, "b"));
  const auto found = a->what_hinders_reading(*b);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().id, "MR-AVRO-0009");
}

TEST(AvroCompatibility, ManySymbolsAreWork) {
  std::string symbols, enums;
  for (int i = 0; i < 190; ++i) symbols += fmt::format(R"({}"S{}")", i == 0 ? "" : ",", i);
  for (int i = 0; i < 480; ++i)
    enums += fmt::format(R"({}{{"type":"enum","name":"E{}","symbols":[{}]}})", i == 0 ? "" : ",", i, symbols);
  const auto schema = parsed("[" + enums + "]");
  EXPECT_EQ(schema->what_hinders_reading(*schema).error().id, "MR-AVRO-0009");
}

TEST(AvroCompatibility, AThousandFieldsAreComparedFast) {
  std::string fields;
  for (int i = 0; i < 1000; ++i)
    fields +=
        fmt::format(R"({}{{"name":"f{}","type":["null","string"],"default":null}})", i == 0 ? "" : ",", i);
  const auto schema = parsed(R"({"type":"record","name":"Wide","fields":[)" + fields + "]}");
  EXPECT_TRUE(schema->what_hinders_reading(*schema)->empty());
}

// Records in each other by their names alone: what a text defines one after the other, data have in each other.
std::shared_ptr<const AvroSchema> long_chain(std::string_view prefix) {
  const int records = 250;
  std::string fields;
  for (int i = 0; i < records; ++i)
    fields += fmt::format(R"({{"name":"{}{}","type":["null",{}],"default":null}},)", prefix, i, chained(i));
  return parsed(R"({"type":"record","name":"Z","fields":[)" + fields +
                fmt::format(R"({{"name":"last","type":"A{}"}}]}})", records - 1));
}

TEST(AvroCompatibility, ChainsOfTypesAreFollowedWithoutRecursion) {
  const auto writer = long_chain("w"), reader = long_chain("r");
  EXPECT_TRUE(reader->what_hinders_reading(*writer)->empty());
  EXPECT_TRUE(Resolution::make(writer, reader).ok());
}

TEST(AvroCompatibility, FindingsOfLongPathsTakeLittleRoom) {
  std::string fields, arrays;
  for (int i = 0; i < 1'000; ++i)
    fields += fmt::format(R"({}{{"name":"f{}","type":"int"}})", i == 0 ? "" : ",", i);
  for (int i = 0; i < 10'000; ++i)
    arrays += fmt::format(R"(,{{"name":"a{}","type":{{"type":"array","items":"R"}}}})", i);
  const auto text = [&](std::string_view own) {
    return fmt::format(
        R"({{"type":"record","name":"Z","fields":[{{"name":"r","type":{{"type":"record","name":"R","fields":[{}]}}}}{}]}})",
        own, arrays);
  };
  const auto reader = parsed(text(fields)), writer = parsed(text(""));
  EXPECT_EQ(reader->what_hinders_reading(*writer)->size(), 1'000u);
}

// What a record without fields lacks of `fields`, by as many such records.
std::string found_between(std::string_view fields, int writers) {
  std::string text = "[";
  for (int i = 0; i < writers; ++i)
    text += fmt::format(R"({}{{"type":"record","name":"W{}","fields":[]}})", i == 0 ? "" : ",", i);
  const auto reader = parsed(fmt::format(R"({{"type":"record","name":"R","fields":[{}]}})", fields));
  const auto found = reader->what_hinders_reading(*parsed(text + "]"));
  return found.ok() ? std::to_string(found->size()) : found.error().id;
}

TEST(AvroCompatibility, FindingsThatTellLongNamesAreWork) {
  const auto field = [](size_t bytes) {
    return fmt::format(R"({{"name":"{}","type":"int"}})", std::string(bytes, 'f'));
  };
  EXPECT_EQ(found_between(field(100), 200), "400");
  EXPECT_EQ(found_between(field(500'000), 200), "MR-AVRO-0009");
}

TEST(AvroCompatibility, ManyFindingsAreWork) {
  std::string fields = R"({"name":"f","type":"int"})";
  for (int i = 1; i < 1'000; ++i) fields += fmt::format(R"(,{{"name":"f{}","type":"int"}})", i);
  EXPECT_EQ(found_between(fields, 100), "1000");
  EXPECT_EQ(found_between(fields, 1'000), "MR-AVRO-0009");
}

std::string unread(const std::string& schema, std::string_view datum) {
  const auto type = parsed(schema);
  const auto json = to_json(**Resolution::make(type, type), datum, JsonForm::kPlain);
  return json.ok() ? "read" : json.error().id;
}

TEST(AvroDatum, DepthIsBounded) {
  const std::string list = R"({"type":"record","name":"L","fields":[{"name":"n","type":["null","L"]}]})";
  EXPECT_EQ(unread(list, std::string(50, 2) + '\0'), "read");
  EXPECT_EQ(unread(list, std::string(100'000, 2) + '\0'), "MR-AVRO-0012");
  const auto type = parsed(list);
  EXPECT_EQ(
      from_json(*type, repeated(R"({"n":)", 300) + "null" + repeated("}", 300), JsonForm::kPlain).error().id,
      "MR-AVRO-0012");
}

TEST(AvroDatum, ValuesOfNoBytesAreBounded) {
  std::string fields = R"({"name":"f0","type":"null"})";
  for (int i = 1; i < 1000; ++i) fields += fmt::format(R"(,{{"name":"f{}","type":"null"}})", i);
  const std::string wide =
      R"({"type":"array","items":{"type":"record","name":"R","fields":[)" + fields + "]}}";
  EXPECT_EQ(unread(wide, std::string_view("\xfe\xff\xff\x07\x00", 5)), "MR-AVRO-0012");
}

TEST(AvroDatum, JsonOfLongDefaultsIsBounded) {
  const auto writer = parsed(R"({"type":"array","items":{"type":"record","name":"R","fields":[]}})");
  const auto reader = parsed(fmt::format(
      R"({{"type":"array","items":{{"type":"record","name":"R","fields":[{{"name":"f","type":"string",)"
      R"("default":"{}"}}]}}}})",
      std::string(100'000, 'x')));
  const auto json =
      to_json(**Resolution::make(writer, reader), std::string_view("\xfe\xff\x07\x00", 4), JsonForm::kPlain);
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.error().id, "MR-AVRO-0012");
}

// Each record may be the other's, and what is innermost fits neither.
TEST(AvroDatum, UnionsThatNearlyFitAreBounded) {
  const auto type = parsed(
      R"({"type":"record","name":"A","fields":[{"name":"x","type":["null","A",{"type":"record","name":"B","fields":[)"
      R"({"name":"x","type":["null","A","B"]}]}]}]})");
  const std::string json = repeated(R"({"x":)", 60) + "1" + repeated("}", 60);
  EXPECT_EQ(from_json(*type, json, JsonForm::kPlain).error().id, "MR-AVRO-0012");
}

TEST(AvroDatum, ResolutionsOfWideUnionsAreBounded) {
  const auto schema = parsed(wide_union(600, "a")), large = parsed(wide_union(5000, "a"));
  EXPECT_TRUE(Resolution::make(schema, schema).ok());
  EXPECT_EQ(Resolution::make(large, large).error().id, "MR-AVRO-0009");
}

TEST(AvroDatum, DecimalsOfManyZerosAreRefused) {
  const auto decimal = [](std::string_view precision, std::string_view scale) {
    return parsed(fmt::format(R"({{"type":"bytes","logicalType":"decimal","precision":{},"scale":{}}})",
                              precision, scale));
  };
  EXPECT_EQ(from_json(*decimal("2000000000", "2000000000"), "1", JsonForm::kPlain).error().id,
            "MR-AVRO-0010");
  EXPECT_EQ(from_json(*decimal("1001", "1000"), "1", JsonForm::kPlain).error().id, "MR-AVRO-0010");
  EXPECT_TRUE(from_json(*decimal("1001", "900"), "1", JsonForm::kPlain).ok());
  const auto large = parsed(
      R"({"type":"fixed","name":"F","size":2147483647,"logicalType":"decimal","precision":2147483647})");
  EXPECT_EQ(from_json(*large, "1", JsonForm::kPlain).error().id, "MR-AVRO-0010");
}

// Each record has the one before twice, by defaults; the innermost text is long.
TEST(AvroDatum, WhatDefaultsWriteIsBounded) {
  std::string fields = fmt::format(
      R"({{"name":"r0","type":{{"type":"record","name":"R0","fields":[{{"name":"a","type":"string","default":"{}"}}]}},"default":{{}}}})",
      std::string(200'000, 'x'));
  for (int i = 1; i < 16; ++i)
    fields += fmt::format(
        R"(,{{"name":"r{0}","type":{{"type":"record","name":"R{0}","fields":[{{"name":"a","type":"R{1}","default":{{}}}},)"
        R"({{"name":"b","type":"R{1}","default":{{}}}}]}},"default":{{}}}})",
        i, i - 1);
  const auto schema = parsed(R"({"type":"record","name":"Z","fields":[)" + fields + "]}");
  EXPECT_EQ(from_json(*schema, "{}", JsonForm::kPlain).error().id, "MR-AVRO-0012");
  const auto empty = parsed(R"({"type":"record","name":"Z","fields":[]})");
  EXPECT_EQ(Resolution::make(empty, schema).error().id, "MR-AVRO-0009");
}

TEST(AvroDatum, TheWorkOfDefaultsIsBounded) {
  std::string fields = R"({"name":"a","type":{"type":"record","name":"R0","fields":[]}})";
  for (int i = 1; i < 15; ++i)
    fields += fmt::format(
        R"(,{{"name":"r{0}","type":{{"type":"record","name":"R{0}","fields":[{{"name":"a","type":"R{1}","default":{{}}}},)"
        R"({{"name":"b","type":"R{1}","default":{{}}}}]}}}})",
        i, i - 1);
  const std::string types = R"({"type":"record","name":"Z","fields":[)" + fields + "]}";
  std::string names, records;
  for (int i = 0; i < 2'000; ++i) {
    names += fmt::format(R"({}"W{}")", i == 0 ? "" : ",", i);
    records += fmt::format(R"({}{{"type":"record","name":"W{}","fields":[]}})", i == 0 ? "" : ",", i);
  }
  const auto writer = parsed("[" + records + "]");
  const auto reader = parsed(fmt::format(
      R"([{},{{"type":"record","name":"R","aliases":[{}],"fields":[{{"name":"f","type":"R14","default":{{}}}}]}}])",
      types, names));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Resolution::make(writer, reader).error().id, "MR-AVRO-0009");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// One default, for each of the writer's records.
TEST(AvroDatum, DefaultsOfAResolutionAreBounded) {
  std::string aliases, records;
  for (int i = 0; i < 200; ++i) {
    aliases += fmt::format(R"({}"R{}")", i == 0 ? "" : ",", i);
    records += fmt::format(R"({}{{"type":"record","name":"R{}","fields":[]}})", i == 0 ? "" : ",", i);
  }
  const auto writer = parsed("[" + records + "]");
  const auto reader = parsed(fmt::format(
      R"({{"type":"record","name":"R","aliases":[{}],"fields":[{{"name":"f","type":"string","default":"{}"}}]}})",
      aliases, std::string(500'000, 'x')));
  EXPECT_EQ(Resolution::make(writer, reader).error().id, "MR-AVRO-0009");
}

}  // namespace
}  // namespace millrace::avro
