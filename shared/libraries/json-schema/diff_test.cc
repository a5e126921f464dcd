#include "json-schema/diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace millrace::json_schema {
namespace {

DocumentPtr document(std::string_view text, std::vector<schema::NamedSchema> references = {}) {
  auto out = Document::parse(text, references);
  EXPECT_TRUE(out.ok()) << out.error().to_string();
  return *out;
}

template <typename Work>
double milliseconds_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// An object of `fields` properties, each of which is one of the `references` files.
std::string large(int fields, int references) {
  std::string out = R"({"type":"object","additionalProperties":false,"properties":{)";
  for (int i = 0; i < fields; ++i) {
    out += fmt::format(R"({}"f{}":{{"$ref":"r{}.json"}})", i == 0 ? "" : ",", i, i % references);
  }
  return out + "}}";
}

std::vector<schema::NamedSchema> referred(int references, std::string_view type) {
  std::vector<schema::NamedSchema> out;
  for (int i = 0; i < references; ++i) {
    std::string text = R"({"type":"object","properties":{)";
    for (int k = 0; k < 20; ++k)
      text += fmt::format(R"({}"p{}":{{"type":"{}"}})", k == 0 ? "" : ",", k, type);
    out.push_back({fmt::format("r{}.json", i), text + "}}"});
  }
  return out;
}

TEST(Diff, TheLargestRealisticSchemasTakeMilliseconds) {
  const auto writer = document(large(1'000, 50), referred(50, "integer"));
  const auto reader = document(large(1'000, 50), referred(50, "number"));
  const double taken = milliseconds_of([&] { EXPECT_TRUE(diff(*reader, *writer)->empty()); });
  std::printf("1,000 fields, 50 references: %.2f ms\n", taken);
  EXPECT_LT(taken, 500);  // aim 50; the sanitizers are slower
  EXPECT_EQ(diff(*writer, *reader)->size(), 50u * 20u);
}

TEST(Diff, ASchemaIsCompatibleWithItself) {
  const auto one = document(large(10, 2), referred(2, "integer")),
             other = document(large(10, 2), referred(2, "integer"));
  EXPECT_TRUE(differences(*one, *one)->empty());
  EXPECT_TRUE(differences(*one, *other)->empty());
}

// Each level has two branches that both lead on to the next: 2^n ways.
TEST(Diff, BranchesThatShareSchemasAreComparedOnce) {
  for (const char* keyword : {"oneOf", "anyOf", "allOf"}) {
    std::string text = R"({"$ref":"#/definitions/d0","definitions":{)";
    for (int i = 0; i < 60; ++i) {
      text += fmt::format(
          R"("d{}":{{"{}":[{{"$ref":"#/definitions/d{}"}},{{"type":"array","items":{{"$ref":"#/definitions/d{}"}}}}]}},)",
          i, keyword, i + 1, i + 1);
    }
    const auto writer = document(text + R"("d60":{"type":"integer"}}})"),
               reader = document(text + R"("d60":{"type":"string"}}})");
    EXPECT_LT(milliseconds_of([&] { EXPECT_FALSE(diff(*reader, *writer)->empty()); }), 2'000) << keyword;
  }
}

TEST(Diff, WorkIsBounded) {
  std::string text = R"({"oneOf":[)";
  for (int i = 0; i < 4'000; ++i)
    text += fmt::format(R"({}{{"type":"object","properties":{{"a{}":{{}}}}}})", i == 0 ? "" : ",", i);
  const auto writer = document(text + "]}"), reader = document(text + R"(,{"type":"null"}]})");
  const double taken = milliseconds_of([&] {
    const auto found = diff(*reader, *writer);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().id, "MR-JSCH-0009");
  });
  EXPECT_LT(taken, 5'000);
}

// Each pair of branches has what is costly to read; each is compared with each.
TEST(Diff, WhatEachPairReadsIsWork) {
  std::string names = "\"a\"", values = "0";
  for (int i = 1; i < 3'000; ++i) names += fmt::format(",\"n{}\"", i), values += fmt::format(",{}", i);
  const std::string numbers = "[" + values + "]";
  const std::vector<std::string> costly = {
      fmt::format(R"("type":"object","required":[{}])", names),
      fmt::format(R"("type":"object","dependentRequired":{{"a":[{}]}})", names),
      fmt::format(R"("type":"integer","default":{})", numbers),
      fmt::format(R"("enum":{})", numbers),
      fmt::format(R"("enum":[{}])", numbers),
  };
  for (const std::string& keywords : costly) {
    std::string text = R"({"$schema":"https://json-schema.org/draft/2020-12/schema","oneOf":[)";
    for (int i = 0; i < 140; ++i)
      text += fmt::format(R"({}{{"title":"{}",{}}})", i == 0 ? "" : ",", i, keywords);
    const auto writer = document(text + "]}"), reader = document(text + R"(,{"type":"null"}]})");
    const double taken = milliseconds_of([&] {
      const auto found = diff(*reader, *writer);
      EXPECT_EQ(found.ok() ? "compared" : found.error().id, "MR-JSCH-0009") << keywords.substr(0, 30);
    });
    EXPECT_LT(taken, 5'000) << keywords.substr(0, 30);
  }
}

// An object in an object of a long name; so many properties of the inner one have another type.
std::string below_a_long_name(size_t bytes, int properties, std::string_view type) {
  std::string inner;
  for (int i = 0; i < properties; ++i)
    inner += fmt::format(R"({}"p{}":{{"type":"{}"}})", i == 0 ? "" : ",", i, type);
  return fmt::format(R"({{"type":"object","properties":{{"{}":{{"type":"object","properties":{{{}}}}}}}}})",
                     std::string(bytes, 'n'), inner);
}

TEST(Diff, LongNamesInManyFindingsAreWork) {
  const auto outcome = [](size_t bytes, int properties) {
    const auto found = diff(*document(below_a_long_name(bytes, properties, "string")),
                            *document(below_a_long_name(bytes, properties, "integer")));
    return found.ok() ? std::to_string(found->size()) : found.error().id;
  };
  EXPECT_EQ(outcome(100, 1'000), "1000");
  EXPECT_EQ(outcome(100'000, 1'000), "MR-JSCH-0009");
}

// Each asks for the next by a long name, and each is compared with each: their numbers have no common divisor.
TEST(Diff, LongNamesInManyPairsAreWork) {
  const auto ring = [](int schemas) {
    std::string text = R"({"$ref":"#/definitions/d0","definitions":{)";
    for (int i = 0; i < schemas; ++i)
      text +=
          fmt::format(R"({}"d{}":{{"type":"object","properties":{{"{}":{{"$ref":"#/definitions/d{}"}}}}}})",
                      i == 0 ? "" : ",", i, std::string(2'000, 'n'), (i + 1) % schemas);
    return text + "}}";
  };
  const auto found = diff(*document(ring(250)), *document(ring(251)));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().id, "MR-JSCH-0009");
}

TEST(Diff, LongChainsOfReferencesAreFollowedWithoutRecursion) {
  std::string text = R"({"$ref":"#/definitions/d0","definitions":{)";
  for (int i = 0; i < 5'000; ++i) text += fmt::format(R"("d{}":{{"$ref":"#/definitions/d{}"}},)", i, i + 1);
  const auto writer = document(text + R"("d5000":{"type":"integer"}}})"),
             reader = document(text + R"("d5000":{"type":"string"}}})");
  EXPECT_EQ(diff(*reader, *writer)->size(), 1u);
  std::string nested = R"({"$ref":"#/definitions/d0","definitions":{)";
  for (int i = 0; i < 5'000; ++i)
    nested += fmt::format(R"("d{}":{{"items":{{"$ref":"#/definitions/d{}"}}}},)", i, i + 1);
  const auto old = document(nested + R"("d5000":{"type":"integer"}}})"),
             now = document(nested + R"("d5000":{"type":"string"}}})");
  EXPECT_EQ(diff(*now, *old)->size(), 1u);
}

}  // namespace
}  // namespace millrace::json_schema
