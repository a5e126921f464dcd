#include <gmock/gmock.h>
#include <google/protobuf/stubs/common.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {
namespace {

using schema::NamedSchema;
using testing::HasSubstr;

schema::SchemaPtr parsed(std::string_view text, std::vector<NamedSchema> references = {}) {
  auto out = kFormat.parse(text, references);
  EXPECT_TRUE(out.ok()) << out.error().to_string();
  return out.ok() ? *out : nullptr;
}

Error failure(std::string_view text, std::vector<NamedSchema> references = {}) {
  const auto out = kFormat.parse(text, references);
  EXPECT_FALSE(out.ok());
  return out.ok() ? Error{} : out.error();
}

std::string times(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// A statement a number: what is before its name's number, and behind it. Numbers from 20,001: some before are the library's own.
std::string numbered(std::string_view before, std::string_view between, int count) {
  std::string out;
  for (int i = 20'001; i <= 20'000 + count; ++i)
    out.append(before).append(std::to_string(i)).append(between).append(std::to_string(i)) += ";";
  return out;
}

constexpr std::string_view kOrder = R"(
  // An order.
  syntax="proto3"; package shop;
  import "google/protobuf/timestamp.proto"; import public "other.proto";
  option java_package = "com.shop"; option java_multiple_files=true;
  message Order { reserved 7, 9 to 11; reserved "old";
    option deprecated = false;
    string id = 1 [json_name="ID", deprecated = true]; optional int64 n = 3; repeated Line lines = 2;
    map<string, Line.Kind> kinds = 4;
    oneof paid { double cash = 5; com.Card card = 6; }
    google.protobuf.Timestamp at = 8;
    message Line { enum Kind { NONE = 0; BIG = -1 [deprecated=true]; } Kind kind = 1; }
    message Empty {}
  }
  service Shop { rpc Buy (Order) returns (stream Order); rpc Look (Order) returns (Order) { option deprecated = true; } }
)";
const std::vector<NamedSchema> kOther = {
    {"other.proto", "syntax = 'proto3'; package com; message Card { string no = 1; }"}};

TEST(ProtobufSchema, IsPrintedInOneLayout) {
  EXPECT_EQ(parsed(kOrder, kOther)->text(), R"(syntax = "proto3";
package shop;

import "google/protobuf/timestamp.proto";
import public "other.proto";

option java_package = "com.shop";
option java_multiple_files = true;

message Order {
  reserved 7;
  reserved 9 to 11;
  reserved "old";

  option deprecated = false;

  string id = 1 [
    deprecated = true,
    json_name = "ID"
  ];
  optional int64 n = 3;
  repeated Line lines = 2;
  map<string, Line.Kind> kinds = 4;
  google.protobuf.Timestamp at = 8;

  oneof paid {
    double cash = 5;
    com.Card card = 6;
  }

  message Line {
    Kind kind = 1;

    enum Kind {
      NONE = 0;
      BIG = -1 [deprecated = true];
    }
  }
  message Empty {}
}

service Shop {
  rpc Buy (Order) returns (stream Order);
  rpc Look (Order) returns (Order) {
    option deprecated = true;
  };
}
)");
}

TEST(ProtobufSchema, ItsTextIsTheTextOfItsText) {
  constexpr std::string_view kOld = R"(package old;
    message M { required string a = 1 [default="x\"y"]; optional bytes b = 2 [default="\001z"];
      optional E e = 3 [default = ON]; repeated group G = 4 { optional int32 x = 1; } extensions 100 to 199, 500 to max;
      extend N { optional int32 more = 100; } }
    message N { extensions 100; }
    enum E { option allow_alias = true; OFF = 0; ON = 1; YES = 1; reserved 3 to 5; })";
  for (const auto& [text, references] :
       {std::pair(kOrder, kOther), std::pair(kOld, std::vector<NamedSchema>{})}) {
    const auto schema = parsed(text, references);
    EXPECT_EQ(parsed(schema->text(), references)->text(), schema->text());
    EXPECT_EQ(parsed(schema->normalized(), references)->normalized(), schema->normalized());
    EXPECT_EQ(parsed(schema->text(), references)->normalized(), schema->normalized());
    const std::string serialized = schema->formatted("serialized").value();
    EXPECT_EQ(parsed(serialized, references)->normalized(), schema->normalized())
        << parsed(serialized, references)->text();
  }
}

// Whatever is in a string, its text can be kept as JSON, and is read again as the same string.
TEST(ProtobufSchema, StringsOfAnyBytesArePrintedAsCleanText) {
  for (const char* bytes :
       {R"(\xff)", R"(x\0y)", R"(\0018)", R"(\x7f\x1b)", R"(\xc3\xa9)", R"(\xed\xa0\x80)", R"(\xe2\x82x)"}) {
    const std::string string = "\"" + std::string(bytes) + "\"";
    const auto schema =
        parsed("syntax = 'proto2'; option java_package = " + string + "; message M { reserved " + string +
               "; optional string a = 1 [default = " + string + ", json_name = " + string +
               "]; optional bytes b = 2 [default = " + string + "]; }");
    ASSERT_NE(schema, nullptr) << bytes;
    for (const std::string& text : {schema->text(), schema->normalized()}) {
      EXPECT_TRUE(google::protobuf::internal::IsStructurallyValidUTF8(text)) << bytes;
      EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char c) { return c != '\n' && (c & 0xE0) == 0; }))
          << text;
      EXPECT_EQ(parsed(text)->text(), text);
    }
  }
}

TEST(ProtobufSchema, NamesOfFilesArePrintedAsStrings) {
  const std::vector<NamedSchema> odd = {{"a\"b\\c.proto", "syntax = 'proto3'; message A {}"}};
  const auto schema = parsed(R"(syntax = "proto3"; import "a\"b\\c.proto"; message M { A a = 1; })", odd);
  EXPECT_EQ(parsed(schema->text(), odd)->text(), schema->text());
}

TEST(ProtobufSchema, NormalizedTextsOfTheSameMeaningAreTheSame) {
  const auto one = parsed(
      R"(syntax = "proto3"; package p; import "google/protobuf/any.proto"; import "confluent/meta.proto";
    option java_package = "a"; option deprecated = true;
    message M { N n = 2; string s = 1; oneof o { int32 b = 5; int32 a = 4; } oneof q { int32 c = 3; } message N {} })");
  const auto other = parsed(
      R"(syntax = "proto3"; package p; import "confluent/meta.proto"; import "google/protobuf/any.proto";
    option deprecated = true; option java_package = "a";
    message M { string s = 1; .p.M.N n = 2; oneof q { int32 c = 3; } oneof o { int32 a = 4; int32 b = 5; } message N {} })");
  EXPECT_NE(one->text(), other->text());
  EXPECT_EQ(one->normalized(), other->normalized());
  EXPECT_THAT(one->normalized(), HasSubstr(".p.M.N n = 2;"));
}

TEST(ProtobufSchema, CustomOptionsAreKeptUnlessAskedOtherwise) {
  const auto schema = parsed(R"(syntax = "proto3"; import "confluent/meta.proto";
    message M { option (confluent.message_meta).doc = "an M";
                int32 a = 1 [(confluent.field_meta) = { tags: "PII", doc: "it" }]; })");
  EXPECT_THAT(schema->text(), HasSubstr("option (confluent.message_meta).doc = \"an M\";"));
  EXPECT_THAT(schema->text(), HasSubstr("(confluent.field_meta) = {"));
  EXPECT_EQ(schema->formatted("ignore_extensions").value(),
            "syntax = \"proto3\";\n\nimport \"confluent/meta.proto\";\n\nmessage M {\n  int32 a = 1;\n}\n");
  const auto again = parsed(schema->formatted("serialized").value());
  EXPECT_THAT(again->text(), HasSubstr("PII"));
}

TEST(ProtobufSchema, AMistakeHasItsPlace) {
  const Error syntax = failure("syntax = \"proto3\";\nmessage M {\n  string = 1;\n}");
  EXPECT_EQ(syntax.id, "MR-PROTO-0001");
  EXPECT_EQ(syntax.span->line, 3u);
  const Error meaning = failure("syntax = \"proto3\";\nmessage M {\n  Nothing a = 1;\n}");
  EXPECT_THAT(meaning.message, HasSubstr("\"Nothing\" is not defined"));
  EXPECT_EQ(std::pair(meaning.span->line, meaning.span->column), std::pair(3u, 3u));
  const Error twice = failure("syntax = \"proto3\";\nmessage M {\n  int32 a = 1;\n  int32 b = 1;\n}");
  EXPECT_EQ(twice.span->line, 4u);
  const Error reference = failure("import \"r.proto\";", {{"r.proto", "massage M {}"}});
  EXPECT_THAT(reference.message, HasSubstr("in the reference \"r.proto\""));
  for (const char* empty : {"", " \n", ";", "// nothing", "message M {} \x05"})
    EXPECT_EQ(failure(empty).id, "MR-PROTO-0001");
  EXPECT_EQ(failure("AAAA").id, "MR-PROTO-0004");
}

TEST(ProtobufSchema, NothingIsFetched) {
  for (const char* name :
       {"other.proto", "file:///etc/passwd", "http://example.com/a.proto", "../../a.proto"}) {
    const Error error = failure(std::string("syntax = 'proto3'; import '") + name + "';");
    EXPECT_EQ(error.id, "MR-PROTO-0003");
    EXPECT_THAT(error.message, HasSubstr(name));
  }
}

TEST(ProtobufSchema, FilesThatImportEachOtherOrThemselvesAreRefused) {
  EXPECT_EQ(
      failure("import 'a.proto';", {{"a.proto", "import 'b.proto';"}, {"b.proto", "import 'a.proto';"}}).id,
      "MR-PROTO-0003");
  EXPECT_EQ(failure("import 'default';").id, "MR-PROTO-0003");
}

TEST(ProtobufSchema, TextsThatWouldTakeLongAreRefusedQuickly) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(failure(times("message M{", 100'000)).id, "MR-PROTO-0002");
  EXPECT_EQ(failure("message M { option (a) = " + times("{a:", 100'000)).id, "MR-PROTO-0002");
  EXPECT_EQ(failure("message M { optional group G = 1 " + times("{ optional group G = 1 ", 40'000)).id,
            "MR-PROTO-0002");
  EXPECT_EQ(failure("/*" + std::string(kMaxTextBytes, ' ') + "*/").id, "MR-PROTO-0002");
  EXPECT_EQ(failure(std::string(kMaxTextBytes + 4, 'A')).id, "MR-PROTO-0002");
  std::string values = "enum E {";
  for (int i = 0; i < 60'000; ++i) values += "A" + std::to_string(i) + "=" + std::to_string(i) + ";";
  EXPECT_EQ(failure(values + "}").id, "MR-PROTO-0002");
  std::string ranges = "message M {";
  for (int i = 0; i < 20'000; ++i) ranges += "reserved " + std::to_string(2 * i + 1) + ";";
  EXPECT_EQ(failure(ranges + "}").id, "MR-PROTO-0002");
  // The library writes a message's whole name before each of its fields'.
  const std::string fields = numbered("optional int32 f", " = ", 20'000);
  const std::string name(1'025, 'n');
  EXPECT_EQ(failure("package " + std::string(500'000, 'p') + "; message M {" + fields + "}").id,
            "MR-PROTO-0002");
  EXPECT_EQ(failure("message " + name + " {}").id, "MR-PROTO-0002");
  EXPECT_EQ(failure("message M { enum " + name + " { A = 0; } }").id, "MR-PROTO-0002");
  EXPECT_EQ(failure("package p; service " + name + " {}").id, "MR-PROTO-0002");
  EXPECT_EQ(failure("message M { oneof " + name + " { int32 a = 1; } }").id, "MR-PROTO-0002");
  EXPECT_EQ(failure("message M { optional int32 " + name + " = 1; }").id, "MR-PROTO-0002");
  EXPECT_EQ(failure("enum E { " + name + " = 0; }").id, "MR-PROTO-0002");
  EXPECT_EQ(failure("message M { extensions 1; } extend M { optional int32 " + name + " = 1; }").id,
            "MR-PROTO-0002");
  EXPECT_EQ(failure("message M {} service S { rpc " + name + " (M) returns (M); }").id, "MR-PROTO-0002");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(ProtobufSchema, ManyPartsAreTakenInAboutAsManySteps) {
  const auto start = std::chrono::steady_clock::now();
  std::string nested, groups, oneofs;
  for (int i = 20'001; i <= 36'000; ++i) nested += "message N" + std::to_string(i) + "{}";
  const auto named = parsed("message M {" + numbered("optional N36000 f", "=", 16'000) + nested + "}");
  for (int i = 20'001; i <= 32'000; ++i) {
    groups += "optional group G" + std::to_string(i) + "=" + std::to_string(i) + "{}";
    oneofs += "oneof o" + std::to_string(i) + "{int32 f" + std::to_string(i) + "=" + std::to_string(i) + ";}";
  }
  EXPECT_THAT(parsed("message M {" + groups + "}")->text(), HasSubstr("group G32000 = 32000 {}"));
  const auto many = parsed("syntax = 'proto3'; message M {" + oneofs + "}");
  const auto none = parsed("syntax = 'proto3'; message M {}");
  EXPECT_TRUE(none->what_hinders_reading(*many)->empty());
  const auto whole =
      parsed("syntax = 'proto3'; message M { oneof o {" + numbered("int32 f", "=", 40'000) + "} }");
  const auto last = parsed("syntax = 'proto3'; message M { int32 f60000 = 60000; }");
  EXPECT_TRUE(none->what_hinders_reading(*whole)->empty());
  EXPECT_EQ(last->what_hinders_reading(*whole)->size(), 39'999u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(ProtobufSchema, LongNamesInManyDifferencesAreWork) {
  const auto with_oneofs = [](const std::string& name, std::string_view type) {
    std::vector<NamedSchema> files;
    std::string text = "syntax = 'proto3';", fields;
    for (const std::string file : {"A", "B", "C"}) {
      const std::string members = numbered(type, "=", 25'000);
      files.push_back(
          {file, "syntax = 'proto3'; message " + file + " { oneof " + name + " {" + members + "} }"});
      text += "import '" + file + "';";
      fields += file + " f" + file + " = " + std::to_string(files.size()) + ";";
    }
    return parsed(text + "message M {" + fields + "}", files);
  };
  const auto outcome = [&](const std::string& name) {
    const auto found = with_oneofs(name, "int32 f")->what_hinders_reading(*with_oneofs(name, "string f"));
    return found.ok() ? std::to_string(found->size()) : found.error().id;
  };
  EXPECT_EQ(outcome("o"), "75003");
  EXPECT_EQ(outcome(std::string(1'000, 'o')), "MR-PROTO-0005");
}

TEST(ProtobufSchema, ADeepTextWithinTheBoundIsTaken) {
  const auto schema = parsed("syntax = 'proto3';" + times("message M {", kMaxDepth) + times("}", kMaxDepth));
  EXPECT_EQ(parsed(schema->text())->text(), schema->text());
  EXPECT_EQ(parsed(schema->formatted("serialized").value())->text(), schema->text());
}

}  // namespace
}  // namespace millrace::protobuf
