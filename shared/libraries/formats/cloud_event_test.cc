#include "formats/cloud_event.h"

#include <gtest/gtest.h>

#include "base/buffer.h"

namespace millrace::formats {
namespace {

// "" or the code it is refused with.
std::string read(const std::string& event) {
  const Buffer padded = Buffer::copy(event);
  CloudEventReader reader;
  const auto id = reader.read(padded.view());
  return id.ok() ? "" : id.error().id;
}

std::string with(const std::string& members) {
  return R"({"specversion":"1.0","id":"1","source":"/a","type":"t")" + members + "}";
}

std::string binary(const CloudEventAttributes& attributes, const std::string& type, const std::string& data,
                   const Schema& columns = {}) {
  const Buffer padded = Buffer::copy(data);
  const auto made = to_cloud_event(attributes, type, padded.view(), columns);
  return made.ok() ? *made : made.error().id;
}

TEST(CloudEvent, RequiredAttributes) {
  EXPECT_EQ(read(with("")), "");
  EXPECT_EQ(read(R"({"id":"1","source":"/a","type":"t"})"), "MR-CE-0002");
  EXPECT_EQ(read(R"({"specversion":"1.0","source":"/a","type":"t"})"), "MR-CE-0002");
  EXPECT_EQ(read(R"({"specversion":"1.0","id":"1","type":"t"})"), "MR-CE-0002");
  EXPECT_EQ(read(R"({"specversion":"1.0","id":"1","source":"/a","type":null})"), "MR-CE-0002");
  EXPECT_EQ(read(R"({"specversion":"1.0","id":"","source":"/a","type":"t"})"), "MR-CE-0004");
  EXPECT_EQ(read(R"({"specversion":"1.0","id":1,"source":"/a","type":"t"})"), "MR-CE-0004");
  EXPECT_EQ(read(R"({"specversion":"0.3","id":"1","source":"/a","type":"t"})"), "MR-CE-0005");
  EXPECT_EQ(read("{}"), "MR-CE-0002");
}

TEST(CloudEvent, TheIdIsUnescaped) {
  const Buffer event =
      Buffer::copy(R"( { "specversion" : "1.0", "\u0069d":"a\u0062","source":"\/x","type":"t" } )");
  CloudEventReader reader;
  const auto id = reader.read(event.view());
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->id, "ab");
  EXPECT_EQ(id->source, "/x");
}

TEST(CloudEvent, Names) {
  EXPECT_EQ(read(with(R"(,"traceparent":"00","n1":7,"b":true,"none":null)")), "");
  for (const char* name : {"", "Trace", "a-b", "a_b", "a b", "é", "data_base65", "\\u0000"})
    EXPECT_EQ(read(with(std::string(",\"") + name + "\":\"x\"")), "MR-CE-0003") << name;
  EXPECT_EQ(read(with(R"(,"id":"2")")), "MR-CE-0003");
  std::string many;
  for (int i = 0; i < 300; ++i) many += ",\"a" + std::to_string(i) + "\":1";
  EXPECT_EQ(read(with(many)), "MR-CE-0003");
}

TEST(CloudEvent, Values) {
  for (const char* good :
       {R"("subject":"s")", R"("time":"2026-01-01T10:00:00Z")",
        R"("time":"2026-01-01T10:00:00.123456789+02:00")", R"("datacontenttype":"text/plain; charset=utf-8")",
        R"("dataschema":"https://a.b/c#d")", R"("x":"")", R"("x":-2147483648)", R"("x":"ü")"})
    EXPECT_EQ(read(with(std::string(",") + good)), "") << good;
  for (const char* bad :
       {R"("subject":"")", R"("time":"2026-01-01 10:00:00Z")", R"("time":"noon")", R"("time":1767261600000)",
        R"("datacontenttype":"json")", R"("datacontenttype":"a/b c")", R"("dataschema":"/relative")",
        R"("dataschema":"")", R"("x":2147483648)", R"("x":1.5)", R"("x":{})", R"("x":[1])", R"("x":"a\nb")",
        R"("x":"\u0085")"})
    EXPECT_EQ(read(with(std::string(",") + bad)), "MR-CE-0004") << bad;
  for (const char* source : {"", "a b", "%zz", "ü", "a\\\\b", "%2"})
    EXPECT_EQ(read(std::string(R"({"specversion":"1.0","id":"1","type":"t","source":")") + source + "\"}"),
              "MR-CE-0004")
        << source;
}

TEST(CloudEvent, Data) {
  for (const char* good :
       {R"("data":{"id":7,"Data":[1]})", R"("data":"text")", R"("data":null,"data_base64":"AA==")",
        R"("data_base64":"")", R"("data_base64":"AAEC")", R"("data_base64":null,"data":1)"})
    EXPECT_EQ(read(with(std::string(",") + good)), "") << good;
  for (const char* bad : {R"("data":1,"data_base64":"AA==")", R"("data_base64":"AA=")",
                          R"("data_base64":"A===")", R"("data_base64":"A-_=")", R"("data_base64":7)"})
    EXPECT_EQ(read(with(std::string(",") + bad)), "MR-CE-0006") << bad;
}

TEST(CloudEvent, Binary) {
  const CloudEventAttributes attributes = {{"specversion", "1.0"}, {"id", "a\"b"}};
  const std::string head = R"({"specversion":"1.0","id":"a\"b")";
  EXPECT_EQ(binary(attributes, "application/json", R"( {"n":1} )"),
            head + R"(,"datacontenttype":"application/json","data": {"n":1} })");
  EXPECT_EQ(binary(attributes, "", "7"), head + R"(,"data":7})");
  EXPECT_EQ(binary(attributes, "", ""), head + "}");
  EXPECT_EQ(binary(attributes, "Application/Geo+JSON; a=b", "[]"),
            head + R"(,"datacontenttype":"Application/Geo+JSON; a=b","data":[]})");
  EXPECT_EQ(binary(attributes, "text/plain", "a\n"),
            head + R"(,"datacontenttype":"text/plain","data":"a\n"})");
  EXPECT_EQ(binary(attributes, "Text/Plain", "a"), head + R"(,"datacontenttype":"Text/Plain","data":"a"})");
  EXPECT_EQ(binary(attributes, "text/plain", "\xff"),
            head + R"(,"datacontenttype":"text/plain","data_base64":"/w=="})");
  EXPECT_EQ(binary(attributes, "image/png", std::string("\0\1\2\3", 4)),
            head + R"(,"datacontenttype":"image/png","data_base64":"AAECAw=="})");
}

TEST(CloudEvent, TheBodyCannotBecomeAttributes) {
  const CloudEventAttributes attributes = {{"id", "1"}};
  for (const char* body : {R"(1,"id":"2")", R"({}})", "1 2", " ", "\"", "nul"})
    EXPECT_EQ(binary(attributes, "application/json", body), "MR-CE-0006") << body;
  EXPECT_EQ(binary({{"data", "1"}}, "", ""), "MR-CE-0003");
  EXPECT_EQ(binary({{"a-b", "1"}}, "", ""), "MR-CE-0003");
}

TEST(CloudEvent, ColumnsGiveHeadersTheirTypes) {
  Schema columns = {{"ce_n", Type::kBigint}, {"ce_b", Type::kBoolean}, {"ce_t", Type::kText}};
  for (ColumnDef& column : columns) column.path = cloud_event_path(column.name);
  EXPECT_EQ(binary({{"n", "7"}, {"b", "true"}, {"t", "8"}, {"other", "9"}}, "", "", columns),
            R"({"n":7,"b":true,"t":"8","other":"9"})");
  EXPECT_EQ(binary({{"n", "07"}, {"b", "yes"}}, "", "", columns), R"({"n":"07","b":"yes"})");
}

TEST(CloudEvent, Paths) {
  using Path = std::vector<std::string>;
  EXPECT_EQ(cloud_event_path("amount"), (Path{"data", "amount"}));
  EXPECT_EQ(cloud_event_path("ce_source"), (Path{"source"}));
  EXPECT_EQ(cloud_event_path("ce_data"), (Path{"data"}));
  EXPECT_EQ(cloud_event_path("ce_data_base64"), (Path{"data_base64"}));
  EXPECT_EQ(cloud_event_path("ce_My"), (Path{"data", "ce_My"}));
  EXPECT_EQ(cloud_event_path("ce_"), (Path{"data", "ce_"}));
}

}  // namespace
}  // namespace millrace::formats
