// What stands in the columns is what the JSON of the same value says.
#include "avro/columns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "avro/codec.h"
#include "base/bytes.h"
#include "event/decimal.h"
#include "event/type.h"

namespace millrace::avro {
namespace {

std::shared_ptr<const AvroSchema> record(const std::string& fields) {
  auto schema = AvroSchema::parse(R"({"type":"record","name":"R","fields":[)" + fields + "]}");
  EXPECT_TRUE(schema.ok()) << (schema.ok() ? "" : schema.error().to_string());
  return *schema;
}

std::string shown(const Column& column, size_t row) {
  std::string out;
  if (column.is_null(row)) return "NULL";
  switch (physical(column.type)) {
    case Physical::kBoolean:
      return column.booleans[row] != 0 ? "true" : "false";
    case Physical::kInteger:
      append_integer_text(out, column.type, column.integers[row]);
      return out;
    case Physical::kDouble:
      append_double_text(out, column.type, column.doubles[row]);
      return out;
    case Physical::kInterval:
      append_interval(out, column.intervals[row]);
      return out;
    default:
      if (column.type == Type::kNumeric) return append_decimal(out, decimal_from(column.texts[row])), out;
      return std::string(column.texts[row]);
  }
}

struct Read {
  std::unique_ptr<ColumnReader> columns;  // which the rows view
  Batch batch;
  std::vector<RowError> errors;
  std::string row(size_t i) const {
    std::string out;
    for (const Column& column : batch.columns) out += (out.empty() ? "" : "|") + shown(column, i);
    return out;
  }
};

Read read(const std::shared_ptr<const AvroSchema>& writer, const std::shared_ptr<const AvroSchema>& reader,
          const std::vector<std::string_view>& values) {
  Read out;
  auto columns = ColumnReader::make(writer, reader, *columns_of(*reader));
  EXPECT_TRUE(columns.ok()) << (columns.ok() ? "" : columns.error().to_string());
  out.columns = std::move(*columns);
  out.columns->decode(values, out.batch, out.errors);
  return out;
}

TEST(AvroColumns, EachTypeHasItsColumn) {
  const auto schema = record(
      R"({"name":"a","type":"boolean"},{"name":"b","type":"int"},{"name":"c","type":"long"},{"name":"d","type":"float"},)"
      R"({"name":"e","type":"double"},{"name":"f","type":"string"},{"name":"g","type":"bytes"},)"
      R"({"name":"h","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"i","type":{"type":"int","logicalType":"date"}},)"
      R"({"name":"j","type":{"type":"int","logicalType":"time-millis"}},{"name":"k","type":{"type":"long","logicalType":"timestamp-millis"}},)"
      R"({"name":"l","type":{"type":"long","logicalType":"local-timestamp-micros"}},)"
      R"({"name":"m","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"n","type":{"type":"string","logicalType":"uuid"}},)"
      R"({"name":"o","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},{"name":"p","type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"}},)"
      R"({"name":"q","type":["null","string"]},{"name":"r","type":{"type":"array","items":"int"}},{"name":"s","type":["long","null"]})");
  const auto value = from_json(
      *schema,
      R"({"a":true,"b":-7,"c":123456789012,"d":0.5,"e":1e300,"f":"é","g":"\\x41","h":"Y","i":"2024-02-29","j":"01:02:03.5",)"
      R"("k":"2024-02-29T12:00:00.5Z","l":"2024-02-29T12:00:00","m":-123.4,"n":"89791762-2336-4186-9674-299B90A802E2",)"
      R"("o":"89791762-2336-4186-9674-299b90a802e2","p":{"months":1,"days":2,"millis":3000},"q":null,"r":[1,2],"s":5})",
      JsonForm::kPlain);
  ASSERT_TRUE(value.ok()) << value.error().to_string();
  const Read out = read(schema, schema, {*value});
  ASSERT_TRUE(out.errors.empty()) << out.errors[0].message;
  EXPECT_EQ(out.row(0),
            "true|-7|123456789012|0.5|1e+300|é|A|Y|2024-02-29|01:02:03.5|2024-02-29T12:00:00.5Z|2024-02-"
            "29T12:00:00|"
            "-123.4|89791762-2336-4186-9674-299b90a802e2|89791762-2336-4186-9674-299b90a802e2|1 mon 2 days "
            "00:00:03|NULL|5");
}

TEST(AvroColumns, AnotherSchemasRecordsAreRead) {
  const auto writer = record(
      R"({"name":"gone","type":{"type":"map","values":"int"}},{"name":"a","type":"int"},{"name":"b","type":["null","int"]},)"
      R"({"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}})");
  const auto reader = record(
      R"({"name":"e","type":{"type":"enum","name":"E","symbols":["Z","Y"],"default":"Z"}},{"name":"n","type":"double","aliases":["a"]},)"
      R"({"name":"b","type":["null","long"]},{"name":"d","type":["null","string"],"default":null},{"name":"x","type":"string","default":"new"})");
  const auto one = *from_json(*writer, R"({"gone":{"k":1},"a":3,"b":7,"e":"X"})", JsonForm::kPlain),
             two = *from_json(*writer, R"({"gone":{},"a":4,"b":null,"e":"Y"})", JsonForm::kPlain);
  const Read out = read(writer, reader, {one, two});
  ASSERT_TRUE(out.errors.empty()) << out.errors[0].message;
  EXPECT_EQ(out.row(0), "Z|3|7|NULL|new");
  EXPECT_EQ(out.row(1), "Y|4|NULL|NULL|new");
}

TEST(AvroColumns, AValueThatIsNoneIsARowOfNulls) {
  const auto schema = record(R"({"name":"a","type":"int"},{"name":"b","type":"string"})");
  const std::string good("\x02\x02x", 3);
  const Read out = read(schema, schema, {good, "\x02\x06x", "\x02\x02\xff", good, "\x02", "\x02\x02xx"});
  EXPECT_EQ(out.row(0), "1|x");
  EXPECT_EQ(out.row(3), "1|x");
  ASSERT_EQ(out.errors.size(), 4u);
  for (const RowError& error : out.errors) {
    EXPECT_EQ(error.id, "MR-AVRO-0011");
    EXPECT_EQ(out.row(error.row), "NULL|NULL");
  }
  EXPECT_EQ(out.errors[0].message, "the field \"b\": the value is cut off, or a number or length cannot be");
}

TEST(AvroColumns, ADecimalOfTooManyDigitsIsRefused) {
  const auto schema =
      record(R"({"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":2,"scale":1}})");
  const Read out = read(schema, schema, {"\x02\x63", "\x02\x64"});
  EXPECT_EQ(out.row(0), "9.9");
  ASSERT_EQ(out.errors.size(), 1u);
  EXPECT_EQ(out.errors[0].message, "the field \"a\": the value is out of its range");
}

// An array of so many items without bytes takes five.
TEST(AvroColumns, WhatIsSkippedIsBoundedForAllRowsOfACall) {
  const auto reader = record(R"({"name":"a","type":"int"})");
  const auto writer =
      record(R"({"name":"n","type":{"type":"array","items":"null"}},{"name":"a","type":"int"})");
  const auto row = [](int64_t items) {
    std::string out;
    if (items > 0) append_varint(out, zigzag(items));
    return out + std::string("\0\x02", 2);
  };
  const std::string none = row(0), many = row(1'900'000), few = row(1'000);
  Read out = read(writer, reader, {many, many, few, none, many});
  EXPECT_EQ(out.row(0), "1");
  EXPECT_EQ(out.row(2), "1");
  EXPECT_EQ(out.row(3), "1");
  ASSERT_EQ(out.errors.size(), 2u);
  EXPECT_EQ(out.errors[0].id, "MR-AVRO-0012");
  EXPECT_EQ(out.errors[0].row, 1u);
  EXPECT_EQ(out.errors[1].row, 4u);
  out.columns->decode({many}, out.batch, out.errors);
  EXPECT_EQ(out.row(5), "1");
}

TEST(AvroColumns, WhatHasNoColumnIsRefused) {
  const auto schema =
      record(R"({"name":"a","type":{"type":"array","items":"int"}},{"name":"b","type":"int"})");
  const auto refused = [&](const millrace::Schema& columns) {
    const auto made = ColumnReader::make(schema, schema, columns);
    return made.ok() ? "made" : made.error().id;
  };
  EXPECT_EQ(refused({{.name = "b", .type = Type::kBigint}}), "made");
  EXPECT_EQ(refused({{.name = "b", .type = Type::kText}}), "MR-AVRO-0014");
  EXPECT_EQ(refused({{.name = "a", .type = Type::kJsonb}}), "MR-AVRO-0014");
  EXPECT_EQ(refused({{.name = "c", .type = Type::kText}}), "MR-AVRO-0014");
  EXPECT_FALSE(columns_of(**AvroSchema::parse("\"int\"")).ok());
}

}  // namespace
}  // namespace millrace::avro
