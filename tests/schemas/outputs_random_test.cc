// Random rows of random columns come back as they were, from the bytes of either format.
#include <fmt/format.h>

#include "avro/columns.h"
#include "base/random.h"
#include "event/ordered_bytes.h"
#include "protobuf/columns.h"
#include "tests/schemas/written_rows.h"

namespace millrace::schema_outputs {
namespace {

struct Known {
  std::string_view type;
  std::vector<std::string_view> values;  // as JSON
};
const std::vector<Known> kKnown = {
    {"BOOLEAN", {"true", "false"}},
    {"SMALLINT", {"0", "-1", "32767", "-32768"}},
    {"INTEGER", {"0", "63", "64", "-65", "2147483647", "-2147483648"}},
    {"BIGINT", {"0", "-1", "9223372036854775807", "-9223372036854775808"}},
    {"REAL", {"0", "0.5", "-3.4028235e38", "\"NaN\"", "\"Infinity\""}},
    {"DOUBLE PRECISION", {"0", "0.1", "5e-324", "-1.7976931348623157e308", "\"NaN\"", "\"-Infinity\""}},
    {"TEXT", {"\"\"", "\"a\"", "\"\\u0000\"", "\"é😀\"", "\"0123456789012345678901234567890123456789\""}},
    {"TIMESTAMPTZ",
     {"\"0001-01-01T00:00:00Z\"", "\"1969-12-31T23:59:59.999999Z\"", "\"9999-12-31T23:59:59.999999Z\""}},
    {"TIMESTAMP", {"\"0001-01-01T00:00:00\"", "\"2024-02-29T12:00:00.5\""}},
    {"DATE", {"\"0001-01-01\"", "\"1970-01-01\"", "\"9999-12-31\""}},
    {"TIME", {"\"00:00:00\"", "\"23:59:59.999999\"", "\"24:00:00\""}},
    {"INTERVAL", {"\"00:00:00\"", "\"-1 mons +2 days -03:00:00.000001\""}},
    {"BYTEA", {"\"\\\\x\"", "\"\\\\x00ff\""}},
    {"UUID", {"\"89791762-2336-4186-9674-299b90a802e2\""}},
    {"NUMERIC", {"0", "-0.001", "1e30", "123456789012345678901234567890.123"}},
    {"NUMERIC(9, 2)", {"0", "-0.01", "9999999.99", "1.28", "-1.28"}},
    {"NUMERIC(38, 5)",
     {"0", "-999999999999999999999999999999999.99999", "170141183460469231731687303715884.10572"}},
};

// A type, and how one of its values comes to be.
struct Made {
  std::string type;
  std::function<std::string(Random&)> value;
};

Made make(Random& random, int depth, bool in_array) {
  const uint64_t kind = random.below(depth < 3 ? 10 : 7);
  if (kind >= 8 && !in_array) {
    const Made item = make(random, depth + 1, true);
    return {item.type + "[]", [value = item.value](Random& r) {
              std::string out = "[";
              for (uint64_t left = r.below(4); left > 0; --left) out += value(r) + (left > 1 ? "," : "");
              return out + "]";
            }};
  }
  if (kind >= 7) {
    std::vector<Made> fields;
    for (uint64_t left = 1 + random.below(4); left > 0; --left)
      fields.push_back(make(random, depth + 1, false));
    std::string type = "ROW<";
    for (size_t i = 0; i < fields.size(); ++i)
      type += fmt::format("{}f{} {}", i == 0 ? "" : ", ", i, fields[i].type);
    return {type + ">", [fields](Random& r) {
              std::string out = "{";
              for (size_t i = 0; i < fields.size(); ++i)
                if (r.below(4) > 0)
                  out += fmt::format("{}\"f{}\":{}", out.size() > 1 ? "," : "", i, fields[i].value(r));
              return out + "}";
            }};
  }
  const Known& known = kKnown[random.below(kKnown.size())];
  return {std::string(known.type),
          [&known](Random& r) { return std::string(known.values[r.below(known.values.size())]); }};
}

struct Drawn {
  Schema columns;
  std::vector<std::string> events;
};

Drawn draw(Random& random) {
  const uint64_t count = 1 + random.below(6);
  std::vector<Made> made;
  std::string declared;
  for (uint64_t i = 0; i < count; ++i) {
    made.push_back(make(random, 0, false));
    declared += fmt::format("{}c{} {}", i == 0 ? "" : ", ", i, made.back().type);
  }
  Drawn drawn{columns_in(declared), {}};
  for (int row = 0; row < 8; ++row) {
    std::string event = "{";
    for (size_t i = 0; i < made.size(); ++i)
      if (random.below(5) > 0)
        event += fmt::format("{}\"c{}\":{}", event.size() > 1 ? "," : "", i, made[i].value(random));
    drawn.events.push_back(event + "}");
  }
  return drawn;
}

std::string ordered(const Column& column, size_t row) {
  std::string out;
  append_ordered(out, column, row);
  return out;
}

// The columns that a reader of the format has of its own, as they are in the rows. None may differ.
template <typename Reader>
void compare_columns(Reader& reader, const Schema& read, const Schema& columns, const Rows& rows,
                     const std::vector<std::string>& written) {
  const std::vector<std::string_view> views(written.begin(), written.end());
  Batch batch;
  std::vector<RowError> errors;
  reader.decode(views, batch, errors);
  for (const RowError& e : errors) ADD_FAILURE() << e.message;
  for (size_t i = 0; i < read.size(); ++i) {
    const auto place =
        static_cast<size_t>(std::ranges::find(columns, read[i].name, &ColumnDef::name) - columns.begin());
    if (columns[place].type != read[i].type && columns[place].type != Type::kSmallint)
      continue;  // kept as a text
    for (size_t row = 0; row < written.size(); ++row)
      EXPECT_EQ(ordered(batch.columns[i], row), ordered(rows.batch.columns[place], row)) << read[i].name;
  }
}

TEST(OutputsRandom, ComeBackFromAvro) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const auto [columns, events] = draw(random);
    const auto rows = rows_of(columns, events);
    AvroRows avro(columns);
    std::vector<std::string> written, json;
    for (size_t row = 0; row < events.size(); ++row) {
      written.push_back(avro.bytes(*rows, row));
      json.push_back(avro.json(*rows, row));
    }
    // Its plain JSON is what such an event would be.
    const auto again = rows_of(columns, json);
    for (size_t i = 0; i < columns.size(); ++i)
      for (size_t row = 0; row < events.size(); ++row)
        EXPECT_EQ(ordered(again->batch.columns[i], row), ordered(rows->batch.columns[i], row)) << json[row];
    const Schema read = *avro::columns_of(*avro.schema);
    const auto reader = avro::ColumnReader::make(avro.schema, avro.schema, read).value();
    compare_columns(*reader, read, columns, *rows, written);
    if (HasFailure()) return;
  }
}

TEST(OutputsRandom, ComeBackFromProtobuf) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const auto [columns, events] = draw(random);
    const auto rows = rows_of(columns, events);
    ProtobufRows protobuf(columns);
    std::vector<std::string> written;
    for (size_t row = 0; row < events.size(); ++row) {
      written.push_back(protobuf.bytes(*rows, row).value());
      protobuf.json(*rows, row);
    }
    const Schema all = *protobuf::columns_of(*protobuf.schema, "S");
    Schema read;
    for (const ColumnDef& column : all)
      if (const auto own = std::ranges::find(columns, column.name, &ColumnDef::name);
          own->type != Type::kTimestamp)
        read.push_back(column);
    if (read.empty()) continue;
    const auto reader = protobuf::ColumnReader::make(protobuf.schema, "S", read).value();
    compare_columns(*reader, read, columns, *rows, written);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace millrace::schema_outputs
