// Any bytes as events. Nothing may crash or read past the padding; the decoder and the validator agree on
// every event; what they accept simdjson accepts too; and a row that is written as JSON reads back as the
// same row.
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/buffer.h"
#include "formats/json.h"
#include "tests/fuzz/event_schema.h"

namespace {

using namespace millrace;           // NOLINT
using namespace millrace::formats;  // NOLINT

const Schema kSchema = millrace::fuzz::event_schema();
const std::vector<int> kAll = millrace::fuzz::all_columns(kSchema);

void require(bool holds) {
  if (!holds) std::abort();
}

// simdjson refuses numbers beyond 64 bits or a double, also in fields that nobody reads: there it does not
// decide.
void check_with_simdjson(std::string_view event, bool accepted) {
  static simdjson::dom::parser parser;
  simdjson::dom::element element;
  const auto verdict = parser.parse(simdjson::padded_string(event)).get(element);
  if (verdict == simdjson::NUMBER_ERROR) return;
  if (accepted) require(verdict == simdjson::SUCCESS && element.is_object());
}

std::string written(const Batch& batch, size_t row) {
  static JsonRowWriter writer = [] {
    std::vector<std::string> names;
    for (const ColumnDef& column : kSchema) names.push_back(column.name);
    return JsonRowWriter(names);
  }();
  std::vector<const Column*> columns;
  for (const Column& column : batch.columns) columns.push_back(&column);
  std::string out;
  writer.append(out, columns, row);
  return out;
}

void check_round_trip(const Batch& batch, size_t row) {
  const std::string text = written(batch, row);
  if (text.size() > kMaxEventBytes) return;  // escapes made it longer than an event may be
  const Buffer again = Buffer::copy(text);
  Schema flat = kSchema;  // rows are written without paths
  for (ColumnDef& column : flat) column.path.clear();
  JsonDecoder decoder(flat, kAll);
  Batch back;
  std::vector<RowError> errors;
  decoder.decode({again.view()}, back, errors);
  require(errors.empty() && written(back, 0) == text);
}

void check_key(const std::optional<std::string_view>& key, const Column& column, size_t row) {
  require(key.has_value() != column.is_null(row));
  std::string expected;
  append_key_text(expected, column, row);
  require(key.value_or("") == expected);
}

void check_events(const std::vector<std::string_view>& events, int key_column) {
  JsonValidator validator(kSchema, key_column);
  JsonDecoder all(kSchema, kAll);
  JsonDecoder some(kSchema, {3, 1, 7});
  Batch rows;
  Batch few;
  std::vector<RowError> errors;
  std::vector<RowError> few_errors;
  all.decode(events, rows, errors);
  some.decode(events, few, few_errors);
  require(rows.rows == events.size() && few.rows == events.size());
  size_t next = 0;
  size_t next_few = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const bool refused = next < errors.size() && errors[next].row == i;
    const bool few_refused = next_few < few_errors.size() && few_errors[next_few].row == i;
    const auto answer = validator.validate(events[i]);
    require(answer.ok() != refused);
    require(refused || !few_refused);
    if (refused)
      require(errors[next].id == answer.error().id && errors[next].message == answer.error().message);
    check_with_simdjson(events[i], answer.ok());
    if (answer.ok()) {
      check_key(*answer, rows.columns[static_cast<size_t>(key_column)], i);
      check_round_trip(rows, i);
      require(few.columns[0].scalar(i) == rows.columns[3].scalar(i));
      require(few.columns[1].scalar(i) == rows.columns[1].scalar(i));
      require(few.columns[2].scalar(i) == rows.columns[7].scalar(i));
    }
    next += refused;
    next_few += few_refused;
  }
  require(next == errors.size() && next_few == few_errors.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Buffer body = Buffer::copy({reinterpret_cast<const char*>(data) + 1, size - 1});
  const int key_column = data[0] % static_cast<int>(kSchema.size());
  // An event by itself, with nothing but the padding behind it; then as parts of a body.
  check_events({body.view()}, key_column);
  if (const auto lines = split_ndjson(body.view()); lines.ok()) check_events(*lines, key_column);
  if (const auto elements = split_json(body.view()); elements.ok()) check_events(*elements, key_column);
  return 0;
}
