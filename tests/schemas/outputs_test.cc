// tests/schemas/outputs/*.test: what columns and rows are as Avro and Protobuf.
//
// `reader` is columns as CREATE STREAM declares them, `writer` rows, an event in JSON each; said are both schemas, and each
// row as the formats' own codecs read it. MILLRACE_REWRITE=1 writes what is said now.
#include <fmt/format.h>

#include "avro/container_writer.h"
#include "base/bytes.h"
#include "tests/schemas/cases.h"
#include "tests/schemas/written_rows.h"

namespace millrace::schema_outputs {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

std::string said_of(const schema_cases::Case& c) {
  const Schema columns = columns_in(c.reader.text);
  const auto events = lines_of(c.writer.text);
  const auto rows = rows_of(columns, events);
  AvroRows avro(columns);
  ProtobufRows protobuf(columns);
  std::string out = fmt::format("{}\n\n{}", avro.text, protobuf.text);
  for (size_t i = 0; i < events.size(); ++i)
    out += fmt::format("\navro     {}\nprotobuf {}\n", avro.json(*rows, i), protobuf.json(*rows, i));
  return out;
}

TEST(Outputs, AreWhatTheFilesExpect) {
  const std::string all = schema_cases::run_folder(MILLRACE_CASES, said_of);
  EXPECT_GT(all.size(), 1'000u);
}

// SELECT names columns as it likes; CREATE STREAM does not.
TEST(Outputs, HaveNamesThatTheFormatsTake) {
  const Schema columns{
      {.name = "?column?", .type = Type::kJsonb}, {.name = "count", .type = Type::kBigint},
      {.name = "count", .type = Type::kBigint},   {.name = "unit_price", .type = Type::kText},
      {.name = "unitPrice", .type = Type::kText}, {.name = "q\"\n", .type = Type::kText}};
  AvroRows avro(columns);
  ProtobufRows protobuf(columns);
  EXPECT_EQ(
      avro.text,
      R"({"type":"record","name":"s","fields":[)"
      R"({"name":"_column_","type":["null","string"],"doc":"column \"?column?\", jsonb","default":null},)"
      R"({"name":"count","type":["null","long"],"default":null},)"
      R"({"name":"count_2","type":["null","long"],"doc":"column \"count\"","default":null},)"
      R"({"name":"unit_price","type":["null","string"],"default":null},)"
      R"({"name":"unitPrice","type":["null","string"],"default":null},)"
      R"({"name":"q__","type":["null","string"],"doc":"column \"q\"\n\"","default":null}]})");
  EXPECT_EQ(
      protobuf.text,
      "syntax = \"proto3\";\n\nmessage S {\n  optional string _column_ = 1;\n  optional int64 count = 2;\n"
      "  optional int64 count_2 = 3;\n  optional string unit_price = 4;\n  optional string unitPrice_2 = 5;\n"
      "  optional string q__ = 6;\n}\n");
}

TEST(Outputs, AreNamedAsTheFormatsLet) {
  const Schema columns{{.name = "a", .type = Type::kText}};
  EXPECT_NE(avro::record_schema(columns, "string").find(R"("name":"string_2")"), std::string::npos);
  EXPECT_NE(protobuf::message_file(columns, "orders_by_city").find("message OrdersByCity {"),
            std::string::npos);
}

TEST(Outputs, LeaveOutTheNumbersThatProtobufKeeps) {
  EXPECT_EQ(protobuf::field_number(0), 1u);
  EXPECT_EQ(protobuf::field_number(18'998), 18'999u);
  EXPECT_EQ(protobuf::field_number(18'999), 20'000u);
}

// The file's parts, and its rows by the reader of columns.
TEST(Outputs, AreAFile) {
  const Schema columns{{.name = "a", .type = Type::kBigint}, {.name = "b", .type = Type::kText}};
  std::vector<std::string> events;
  for (int i = 0; i < 100; ++i) events.push_back(fmt::format(R"({{"a":{},"b":"text {}"}})", i, i));
  const auto rows = rows_of(columns, events);
  avro::ContainerWriter writer(columns, "row");
  std::string file;
  writer.begin(file);
  size_t next = 0, blocks = 0;
  for (; next < events.size(); ++blocks) next = writer.append(file, rows->columns, next, events.size(), 300);
  EXPECT_GT(blocks, 3u);
  const size_t whole = file.size();
  EXPECT_EQ(writer.append(file, rows->columns, next, events.size(), 300), next);
  EXPECT_EQ(file.size(), whole) << "a block has rows";

  ByteReader in(file);
  EXPECT_EQ(in.take(4), std::string_view("Obj\x01"));
  EXPECT_EQ(in.signed_varint(), 2);
  const auto text = [&] { return std::string(in.take(static_cast<size_t>(in.signed_varint()))); };
  EXPECT_EQ(text(), "avro.schema");
  const auto schema = *avro::AvroSchema::parse(text());
  EXPECT_EQ(text(), "avro.codec");
  EXPECT_EQ(text(), "null");
  EXPECT_EQ(in.signed_varint(), 0);
  const std::string mark(in.take(16));
  AvroRows expected(columns);
  size_t row = 0;
  while (!in.done()) {
    const int64_t count = in.signed_varint();
    std::string block = text(), again;
    for (int64_t i = 0; i < count; ++i) again += expected.bytes(*rows, row++);
    EXPECT_EQ(block, again);
    ASSERT_EQ(in.take(16), mark);
  }
  EXPECT_EQ(row, events.size());
}

// A column that is added, or taken away, stops no reader.
TEST(Outputs, AreReadWithTheSchemaOfFewerOrMoreColumns) {
  const Schema few{{.name = "a", .type = Type::kText}, {.name = "b", .type = Type::kDate}};
  Schema more = few;
  more.push_back({.name = "c", .type = Type::kNumeric, .length = 10, .scale = 2});
  const std::vector<schema::SchemaPtr> avro{AvroRows(few).schema, AvroRows(more).schema},
      protobuf{ProtobufRows(few).schema, ProtobufRows(more).schema};
  for (const auto& pair : {avro, protobuf}) {
    EXPECT_TRUE(pair[0]->what_hinders_reading(*pair[1])->empty());
    EXPECT_TRUE(pair[1]->what_hinders_reading(*pair[0])->empty());
  }
}

}  // namespace
}  // namespace millrace::schema_outputs
