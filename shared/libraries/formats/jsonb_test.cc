#include "formats/jsonb.h"

#include <gtest/gtest.h>

#include "base/buffer.h"
#include "base/random.h"
#include "formats/json.h"
#include "formats/text_types.h"

namespace millrace::formats {
namespace {

std::string canonical(std::string_view text) {
  const auto parsed = parse_jsonb(text);
  return parsed.ok() ? *parsed : std::string(parsed.error().id);
}

TEST(Jsonb, IsOneTextAValue) {
  EXPECT_EQ(canonical(R"( {"bb":1,"a":[true ,false,null],"a" : {}, "c":"x"} )"),
            R"({"a": {}, "c": "x", "bb": 1})");
  EXPECT_EQ(canonical("[]"), "[]");
  EXPECT_EQ(canonical("[ 1,[2 ,{}] ]"), "[1, [2, {}]]");
  EXPECT_EQ(canonical(R"("\u0041\n\"\u00e9\/\u0001")"), "\"A\\n\\\"é/\\u0001\"");
  EXPECT_EQ(canonical(R"({"\u0061":1,"a":2})"), R"({"a": 2})");
}

TEST(Jsonb, NumbersArePlainDigits) {
  const std::pair<const char*, const char*> kNumbers[] = {{"0", "0"},
                                                          {"-0", "0"},
                                                          {"-0.0", "0"},
                                                          {"1.50", "1.5"},
                                                          {"100", "100"},
                                                          {"1e2", "100"},
                                                          {"1E+2", "100"},
                                                          {"12.5e1", "125"},
                                                          {"1.25e1", "12.5"},
                                                          {"1e-3", "0.001"},
                                                          {"-1.20e-2", "-0.012"},
                                                          {"9007199254740993", "9007199254740993"}};
  for (const auto& [from, to] : kNumbers) EXPECT_EQ(canonical(from), to);
  EXPECT_EQ(canonical("1e999").size(), 1'000u);
  EXPECT_EQ(canonical("1e1000"), "MR-EVT-0102");
  EXPECT_EQ(canonical("1e-1001"), "MR-EVT-0102");
  EXPECT_EQ(canonical("0e99999999999999999999"), "0");
}

TEST(Jsonb, RefusesWhatIsNoJson) {
  for (const char* bad : {"", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1 2", "tru", "\"a", "'a'",
                          "[1 2]", "{a:1}", "\"\x01\"", "\"\xff\"", "nul", "-"}) {
    EXPECT_EQ(canonical(bad), "MR-EVT-0101") << bad;
  }
  EXPECT_EQ(canonical(R"("\u0000")"), "MR-EVT-0102");
  EXPECT_EQ(canonical(std::string(300, '[') + std::string(300, ']')), "MR-EVT-0101");
  EXPECT_EQ(canonical(std::string(200, '[') + std::string(200, ']')).size(), 400u);
}

TEST(Jsonb, AValueIsFoundByNameAndNumber) {
  const std::string object = canonical(R"({"a":{"b":[1,"]}",{"c":null}]},"x\"y":2})");
  EXPECT_EQ(jsonb_member(object, "x\"y"), "2");
  EXPECT_EQ(jsonb_member(object, "b"), std::nullopt);
  const std::string_view inner = *jsonb_member(*jsonb_member(object, "a"), "b");
  EXPECT_EQ(jsonb_element(inner, 1), "\"]}\"");
  EXPECT_EQ(jsonb_element(inner, -1), R"({"c": null})");
  EXPECT_EQ(jsonb_element(inner, 3), std::nullopt);
  EXPECT_EQ(jsonb_element(inner, -4), std::nullopt);
}

TEST(Jsonb, AStringsTextIsItsCharacters) {
  std::string text;
  append_jsonb_text(text, canonical(R"("\b\f\n\r\t\u0001\"\\\/é")"));
  EXPECT_EQ(text, "\b\f\n\r\t\x01\"\\/é");
}

// What is canonical stays as it is, and random bytes never pass for something.
TEST(Jsonb, RandomTextsAreStable) {
  Random random(7);
  constexpr std::string_view kPieces[] = {"{",        "}", "[",     "]",   ",",    ":",    "\"a\"",
                                          "\"b\\n\"", "1", "-2.50", "1e3", "null", "true", " "};
  size_t valid = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (size_t i = random.below(9); i > 0; --i) text += kPieces[random.below(14)];
    const auto parsed = parse_jsonb(text);
    if (!parsed.ok()) continue;
    ++valid;
    ASSERT_EQ(canonical(*parsed), *parsed) << text;
    JsonValidator validator({{"j", Type::kJsonb}}, 0);
    const std::string event = R"({"j":)" + text + "}";
    const auto key = validator.validate(Buffer::copy(event).view());
    ASSERT_TRUE(key.ok()) << text;
    ASSERT_EQ(key->value_or("null"), *parsed) << text;
  }
  EXPECT_GT(valid, 1'000u);
}

TEST(Jsonb, ContainsWhatIsThere) {
  const auto holds = [](std::string_view outer, std::string_view inner) {
    return jsonb_contains(*parse_jsonb(outer), *parse_jsonb(inner));
  };
  EXPECT_TRUE(holds(R"({"b":1,"a":{"x":1,"y":[1,2]},"cc":3})", R"({"cc":3,"a":{"y":[2]}})"));
  EXPECT_TRUE(holds(R"({"a":1})", "{}"));
  EXPECT_FALSE(holds(R"({"b":1,"cc":3})", R"({"a":1})"));
  EXPECT_FALSE(holds(R"({"b":1,"cc":3})", R"({"b":1,"d":1})"));
  EXPECT_FALSE(holds(R"({"a":{"x":1}})", R"({"a":{"x":2}})"));
  EXPECT_FALSE(holds(R"({"a":[1]})", R"({"a":{}})"));
  EXPECT_TRUE(holds(R"([3,1,"x",[1,2],{"a":1,"b":2}])", R"(["x",1,1,[2],{"b":2},3])"));
  EXPECT_FALSE(holds("[1,2]", "[1,[2]]"));
  EXPECT_FALSE(holds("[[1],[2]]", "[[1,2]]"));
  EXPECT_TRUE(holds("[1,2]", "1"));
  EXPECT_FALSE(holds("[[1],2]", R"("1")"));
  EXPECT_FALSE(holds("1", "[1]"));
}

TEST(TextTypes, UuidsAndBytes) {
  const auto text = [](Type type, std::string_view from) {
    const auto parsed = parse_text(type, from);
    if (!parsed.ok()) return std::string(parsed.error().id);
    std::string out;
    append_text(out, type, *parsed);
    return out;
  };
  const std::string uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  for (const char* form : {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
                           "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"}) {
    EXPECT_EQ(text(Type::kUuid, form), uuid);
  }
  for (const char* bad : {"", "a0eebc999c0b4ef8bb6d6bb9bd380a1", "a0eebc999c0b4ef8bb6d6bb9bd380a111",
                          "-a0eebc999c0b4ef8bb6d6bb9bd380a11", "g0eebc999c0b4ef8bb6d6bb9bd380a11",
                          "a0eebc999c0b4ef8bb6d6bb9bd380a11-", "{}"}) {
    EXPECT_EQ(text(Type::kUuid, bad), "MR-EVT-0101") << bad;
  }
  EXPECT_EQ(text(Type::kBytea, "\\x01 aB"), "\\x01ab");
  EXPECT_EQ(text(Type::kBytea, "a\\\\b\\001\\377"), "\\x615c6201ff");
  for (const char* bad : {"\\x1", "\\xg0", "\\", "\\400", "\\09", "\\x0 1"}) {
    EXPECT_EQ(text(Type::kBytea, bad), "MR-EVT-0101") << bad;
  }
}

}  // namespace
}  // namespace millrace::formats
