#include "node/csv_events.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "node/csv_reader.h"

namespace millrace::cli {
namespace {

// "line:field|field" a record; quoted fields in brackets.
std::string all(CsvReader& reader, std::string& out) {
  while (true) {
    const auto record = reader.next();
    if (!record.ok()) return record.error().id + " " + record.error().message;
    if (!*record) return "";
    out += fmt::format("{}:", (*record)->line);
    for (const auto& field : (*record)->fields)
      out += field.quoted ? "[" + field.text + "]," : field.text + ",";
    out += ";";
  }
}

// The same however the text is cut.
std::string read(const std::string& text) {
  std::string expected;
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    CsvReader reader;
    std::string out, failure;
    for (size_t at = 0; at < text.size() && failure.empty(); at += piece) {
      reader.add(std::string_view(text).substr(at, piece));
      failure = all(reader, out);
    }
    reader.end();
    if (failure.empty()) failure = all(reader, out);
    out += failure;
    if (piece == 1) expected = out;
    EXPECT_EQ(out, expected) << "in pieces of " << piece;
  }
  return expected;
}

TEST(CsvReader, Records) {
  EXPECT_EQ(read("a,b\n1,2\n"), "1:a,b,;2:1,2,;");
  EXPECT_EQ(read("a,b\r\n1,2"), "1:a,b,;2:1,2,;");
  EXPECT_EQ(read("a,,\n,\n"), "1:a,,,;2:,,;");
  EXPECT_EQ(read("\n\r\na\n\n\nb\n"), "3:a,;6:b,;");
  EXPECT_EQ(read("\"a,b\",\"\",\"x\"\"y\",\"\"\"\"\n"), "1:[a,b],[],[x\"y],[\"],;");
  EXPECT_EQ(read("\"two\r\nlines\",1\nnext,2\n"), "1:[two\r\nlines],1,;3:next,2,;");
  EXPECT_EQ(read("\"end\""), "1:[end],;");
  EXPECT_EQ(read(" a , \xC3\xBC\n"), "1: a , \xC3\xBC,;");
}

TEST(CsvReader, Mistakes) {
  EXPECT_EQ(read("a\n\"open\nb\n"), "1:a,;MR-CLI-0030 line 2: a quote is not closed");
  EXPECT_EQ(read("a\nx\"y\n"),
            "1:a,;MR-CLI-0030 line 2: a quote or a carriage return stands inside a field without quotes");
  EXPECT_EQ(read("\"a\"b\n"), "MR-CLI-0030 line 1: something stands behind a field in quotes");
  EXPECT_EQ(read("a\rb\n"),
            "MR-CLI-0030 line 1: a quote or a carriage return stands inside a field without quotes");
  CsvReader reader;
  reader.add("\"" + std::string(CsvReader::kMaxRecord + 1, 'x'));
  EXPECT_FALSE(reader.next().ok());
}

const std::vector<StreamColumn> kColumns = {
    {"id", "bigint"},      {"b", "boolean"}, {"d", "double precision"},
    {"n", "numeric(5,2)"}, {"t", "text"},    {"at", "timestamp with time zone"},
    {"a", "integer[]"},    {"j", "jsonb"}};

std::string event(const std::vector<std::string>& header, const std::vector<CsvField>& fields) {
  CsvRecord names;
  for (const auto& name : header) names.fields.push_back({name, false});
  const auto events = CsvEvents::of_header(names, kColumns);
  if (!events.ok()) return events.error().id + " " + events.error().message + ": " + events.error().hint;
  std::string out;
  const Status done = events->append({fields, 7}, out);
  return done.ok() ? out : done.error().id + " " + done.error().message;
}

TEST(CsvEvents, FieldsByTheirColumnsTypes) {
  EXPECT_EQ(event({"id", "b", "d", "n"}, {{"12"}, {"true"}, {"-1.5e3"}, {"0.10"}}),
            "{\"id\":12,\"b\":true,\"d\":-1.5e3,\"n\":0.10}\n");
  EXPECT_EQ(event({"t", "at"}, {{"12"}, {"2024-01-01T00:00:00Z"}}),
            "{\"t\":\"12\",\"at\":\"2024-01-01T00:00:00Z\"}\n");
  EXPECT_EQ(event({"t"}, {{"a\"b\\c\n\x01", true}}), "{\"t\":\"a\\\"b\\\\c\\u000a\\u0001\"}\n");
  EXPECT_EQ(event({"a", "j"}, {{"[1,2]"}, {"{\"x\":null}"}}), "{\"a\":[1,2],\"j\":{\"x\":null}}\n");
  EXPECT_EQ(event({"j"}, {{std::string("1.9\0x", 5)}}), "{\"j\":\"1.9\\u0000x\"}\n");
  EXPECT_EQ(event({"id", "t", "b"}, {{""}, {"", true}, {""}}), "{\"t\":\"\"}\n")
      << "empty is NULL, \"\" is a text";
  EXPECT_EQ(event({"id"}, {{""}}), "{}\n");
  EXPECT_EQ(event({"id", "b", "j"}, {{"x"}, {"yes"}, {"{"}}), "{\"id\":\"x\",\"b\":\"yes\",\"j\":\"{\"}\n");
}

TEST(CsvEvents, Mistakes) {
  EXPECT_EQ(event({"id", "tt"}, {}),
            "MR-CLI-0031 the stream has no column \"tt\": did you mean \"at\" or \"t\"?");
  EXPECT_EQ(event({"id", "id"}, {}), "MR-CLI-0031 the first line names \"id\" twice: ");
  EXPECT_EQ(event({"id", "t"}, {{"1"}}), "MR-CLI-0030 line 7: 1 fields, the first line has 2");
}

}  // namespace
}  // namespace millrace::cli
