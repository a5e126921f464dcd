#include "protobuf/message_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {
namespace {

using testing::HasSubstr;

MessageCodec codec(std::string_view text, std::vector<int32_t> indexes = {0}) {
  auto schema = kFormat.parse(text, {});
  EXPECT_TRUE(schema.ok()) << schema.error().to_string();
  auto out = MessageCodec::of(*schema, indexes);
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}

constexpr std::string_view kAll = R"(syntax = "proto3"; package p;
  import "google/protobuf/any.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
  message All { string s = 1; int64 n = 2; bytes b = 3; repeated int32 r = 4; map<string, double> m = 5; E e = 6;
    optional int32 o = 7; All inner = 8; google.protobuf.Any any = 9; google.protobuf.Timestamp at = 10;
    google.protobuf.Struct free = 11; oneof x { bool yes = 12; string text_value = 13; } }
  enum E { A = 0; B = 1; })";

// A message whose field `number` is `inner`.
std::string around(int number, const std::string& inner) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  size_t size = inner.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  return out + static_cast<char>(size) + inner;
}

std::string nested(int depth, const std::string& before) {
  std::string out;
  for (int i = 0; i < depth; ++i) out = before.empty() ? around(8, out) : around(9, before + around(2, out));
  return out;
}

TEST(MessageCodec, JsonComesBackAsItWas) {
  const auto all = codec(kAll);
  constexpr std::string_view kJson =
      R"({"s":"ä","n":"9007199254740993","b":"AAE=","r":[1,-2],"m":{"k":0.5},"e":"B",)"
      R"("inner":{"s":"","n":"0","b":"","r":[],"m":{},"e":"A"},)"
      R"("any":{"@type":"type.googleapis.com/p.All","s":"in","n":"0","b":"","r":[],"m":{},"e":"A"},)"
      R"("free":{"a":[1,null]},"o":0,"at":"2024-01-02T03:04:05.678Z","text_value":""})";
  const auto bytes = all.from_json(kJson);
  ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
  EXPECT_EQ(all.to_json(*bytes).value(), kJson);
}

TEST(MessageCodec, PlainJson) {
  const auto all = codec(kAll);
  constexpr std::string_view kMapped =
      R"({"s":"ä\n","n":"-9007199254740993","b":"AAE=","r":[1,-2],"m":{"k":"NaN"},"e":7,)"
      R"("inner":{"s":"","n":"0","b":"","r":[],"m":{},"e":"B"},"any":{"@type":"type.googleapis.com/p.All","n":"5"},)"
      R"("free":{"a":[1,null]},"o":0,"at":"2024-01-02T03:04:05.678Z","text_value":""})";
  const auto bytes = all.from_json(kMapped);
  ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
  std::string plain = "x";
  const Status done = all.append_plain_json(plain, *bytes, 10'000);
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(plain,
            R"(x{"s":"ä\n","n":-9007199254740993,"b":"AAE=","r":[1,-2],"m":{"k":"NaN"},"e":7,"o":0,)"
            R"("inner":{"s":"","n":0,"b":"","r":[],"m":{},"e":"B"},)"
            R"("any":{"@type":"type.googleapis.com/p.All","s":"","n":"5","b":"","r":[],"m":{},"e":"A"},)"
            R"("at":"2024-01-02T03:04:05.678Z","free":{"a":[1,null]},"text_value":""})");
  std::string again = "x";
  ASSERT_TRUE(all.append_plain_json(again, all.from_json(plain.substr(1)).value(), 10'000).ok());
  EXPECT_EQ(again, plain) << "the mapping reads it";
  std::string cut;
  const Status over = all.append_plain_json(cut, *bytes, 20);
  EXPECT_EQ(over.error().id, "MR-PROTO-0007");
  EXPECT_LT(cut.size(), 60u);
}

TEST(MessageCodec, PlainJsonOfAValueOfNoKind) {
  const auto one = codec(
      "syntax = 'proto3'; import 'google/protobuf/struct.proto'; message M { google.protobuf.Value v = 1; "
      "int32 n = 2; }");
  std::string plain;
  ASSERT_TRUE(one.append_plain_json(plain, std::string_view("\x0a\0", 2), 100).ok());
  EXPECT_EQ(plain, R"({"v":null,"n":0})");
}

TEST(MessageCodec, PlainJsonOfAKeyThatComesTwice) {
  const auto one =
      codec("syntax = 'proto3'; message M { map<string, int32> m = 1; map<int32, int32> n = 2; }");
  std::string plain;
  const std::string_view bytes(
      "\x0a\x05\x0a\x01k\x10\x01\x0a\x05\x0a\x01l\x10\x02\x0a\x05\x0a\x01k\x10\x03\x12\x02\x08\x05\x12\x04"
      "\x08\x05\x10\x07",
      31);
  ASSERT_TRUE(one.append_plain_json(plain, bytes, 100).ok());
  EXPECT_EQ(plain, R"({"m":{"l":2,"k":3},"n":{"5":7}})");
}

TEST(MessageCodec, PlainJsonOfEveryType) {
  const auto all = codec(R"(syntax = "proto2"; message M { optional sint64 g = 1;
    repeated fixed64 f = 2; optional float x = 3; optional double y = 4; map<int64, bool> m = 5; repeated bytes b = 6;
    optional uint32 u = 7 [default = 9]; extensions 100 to 200; map<string, M> nested = 8; })");
  constexpr std::string_view kJson =
      R"({"g":-1,"f":[18446744073709551615],"x":0.1,"y":1e+300,"m":{"-5":true},"b":["","/w=="],"nested":{"":{}}})";
  const auto bytes = all.from_json(kJson);
  ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
  std::string plain;
  ASSERT_TRUE(all.append_plain_json(plain, *bytes, 10'000).ok());
  EXPECT_EQ(plain, R"({"g":-1,"f":[18446744073709551615],"x":0.1,"y":1e+300,"m":{"-5":true},"b":["","/w=="],)"
                   R"("nested":{"":{"f":[],"m":{},"b":[],"nested":{}}}})");
  EXPECT_EQ(all.from_json(plain).value(), *bytes);
  const auto group = codec("syntax = 'proto2'; message M { optional group G = 1 { optional bool a = 1; } }");
  plain.clear();
  ASSERT_TRUE(group.append_plain_json(plain, "\x0b\x08\x01\x0c", 100).ok());
  EXPECT_EQ(plain, R"({"g":{"a":true}})");
}

TEST(MessageCodec, MessagesAreFoundByIndexesAndByName) {
  constexpr std::string_view kText =
      "syntax = 'proto3'; package p; message A {} message B { map<int32, int32> m = 1; message C { int32 x = "
      "1; } }";
  const auto schema = kFormat.parse(kText, {}).value();
  EXPECT_EQ(MessageCodec::of(schema, std::vector<int32_t>{1, 0})->full_name(), "p.B.C");
  EXPECT_EQ(MessageCodec::of(schema, "p.B.C")->indexes(), (std::vector<int32_t>{1, 0}));
  for (const std::vector<int32_t>& indexes : {std::vector<int32_t>{}, {2}, {-1}, {1, 1}, {0, 0}}) {
    EXPECT_EQ(MessageCodec::of(schema, indexes).error().id, "MR-PROTO-0006");
  }
  EXPECT_EQ(MessageCodec::of(schema, "google.protobuf.FileOptions").error().id, "MR-PROTO-0006");
}

TEST(MessageCodec, PayloadsThatAreNoMessageAreRefused) {
  const auto all = codec(kAll);
  for (const std::string& bytes : {std::string("\x0A\x05"
                                               "abc"),
                                   std::string("\x0A\x01\xFF"), std::string("\x10") + std::string(11, '\xFF'),
                                   std::string("\x00\x01", 2), std::string("\x0F"), std::string("\x0C"),
                                   std::string("\x0B"), std::string("\x0A"), std::string("\x80"),
                                   std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")}) {
    const auto json = all.to_json(bytes);
    ASSERT_FALSE(json.ok()) << *json;
    EXPECT_EQ(json.error().id, "MR-PROTO-0007");
  }
}

TEST(MessageCodec, DepthIsBounded) {
  const auto all = codec(kAll);
  const std::string url = around(1, "type.googleapis.com/p.All");
  EXPECT_TRUE(all.to_json(nested(20, "")).ok());
  EXPECT_TRUE(all.to_json(nested(10, url)).ok());
  EXPECT_THAT(all.to_json(nested(3'000, "")).error().message, HasSubstr("nested"));
  EXPECT_THAT(all.to_json(nested(3'000, url)).error().message, HasSubstr("nested"));
  std::string unknown;  // groups within groups of field 20
  for (int i = 0; i < 100'000; ++i) unknown += "\xA3\x01";
  EXPECT_THAT(all.to_json(unknown).error().message, HasSubstr("nested"));
  std::string json = "{}";
  for (int i = 0; i < 20'000; ++i) json = "{\"inner\":" + json + "}";
  EXPECT_EQ(all.from_json(json).error().id, "MR-PROTO-0008");
}

TEST(MessageCodec, WhatUnfoldsToTooMuchIsRefused) {
  std::string text = "syntax = 'proto3'; message M { repeated N n = 1; } message N {";
  for (int i = 1; i <= 200; ++i) text += "string s" + std::to_string(i) + " = " + std::to_string(i) + ";";
  std::string bytes;
  for (int i = 0; i < 400'000; ++i) bytes += std::string("\x0A\x00", 2);
  const auto json = codec(text + "}").to_json(bytes);
  ASSERT_FALSE(json.ok());
  EXPECT_THAT(json.error().message, HasSubstr("unfolds"));
  EXPECT_FALSE(codec(text + "}").to_json(std::string(kMaxMessageBytes + 1, '\0')).ok());
}

TEST(MessageCodec, RequiredFieldsAreRequired) {
  const auto old = codec("message M { required int32 a = 1; optional M m = 2; }");
  EXPECT_THAT(old.to_json("").error().message, HasSubstr("missing: a"));
  EXPECT_EQ(old.from_json("{}").error().id, "MR-PROTO-0008");
  EXPECT_EQ(old.to_json(old.from_json(R"({"a":1})").value()).value(), R"({"a":1})");
}

TEST(MessageCodec, JsonThatIsNoMessageIsRefused) {
  const auto all = codec(kAll);
  for (const char* json :
       {"", "[]", "{", R"({"nothing":1})", R"({"n":"x"})", R"({"yes":true,"text_value":"a"})",
        R"({"any":{"@type":"type.googleapis.com/none.Such"}})", R"({"at":"yesterday"})"}) {
    const auto bytes = all.from_json(json);
    ASSERT_FALSE(bytes.ok()) << json;
    EXPECT_EQ(bytes.error().id, "MR-PROTO-0008");
  }
}

}  // namespace
}  // namespace millrace::protobuf
