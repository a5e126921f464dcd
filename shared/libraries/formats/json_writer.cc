#include <cmath>

#include "event/array.h"
#include "event/row.h"
#include "formats/internal/json_pen.h"
#include "formats/json.h"
#include "formats/text_types.h"

namespace millrace::formats {
namespace {

void append_array_value(std::string& out, Type type, std::string_view value) {
  Column elements;
  Arena arena;
  elements.type = element_of(type);
  append_elements(value, elements, arena);
  out += '[';
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) out += ',';
    append_json_value(out, elements, i);
  }
  out += ']';
}

void append_row_value(std::string& out, Type type, std::string_view value) {
  char before = '{';
  visit_fields(value, type, [&](const ColumnDef& field, const Column& column) {
    out += before;
    before = ',';
    append_json_string(out, field.name);
    out += ':';
    append_json_value(out, column, 0);
  });
  out += '}';
}

void append_bytes_value(std::string& out, Type type, std::string_view value) {
  if (is_array(type)) return append_array_value(out, type, value);
  if (is_row(type)) return append_row_value(out, type, value);
  if (type != Type::kJsonb && type != Type::kBytea && type != Type::kNumeric)
    return append_json_string(out, value);
  if (type == Type::kBytea) out += "\"\\";  // its text starts with a backslash
  append_text(out, type, value);
  if (type == Type::kBytea) out += '"';
}

void append_value(std::string& out, const Column& column, size_t row) {
  const auto append_printed = [&](bool bare, auto print) {
    if (!bare) out += '"';
    print();
    if (!bare) out += '"';
  };
  const Type type = column.type;
  switch (physical(type)) {
    case Physical::kNone:
      out += "null";
      return;
    case Physical::kBoolean:
      out += column.booleans[row] != 0 ? "true" : "false";
      return;
    case Physical::kInteger:
      return append_printed(is_integer(type), [&] { append_integer_text(out, type, column.integers[row]); });
    case Physical::kDouble:
      return append_printed(std::isfinite(column.doubles[row]),
                            [&] { append_double_text(out, type, column.doubles[row]); });
    case Physical::kText:
      return append_bytes_value(out, type, column.texts[row]);
    case Physical::kInterval:
      return append_printed(false, [&] { append_interval(out, column.intervals[row]); });
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  json::JsonPen(out).put_string(text);
}

JsonRowWriter::~JsonRowWriter() = default;
JsonRowWriter::JsonRowWriter(const std::vector<std::string>& names, std::string_view first)
    : opening_("{"), day_(std::make_unique<json::DayText>()) {
  opening_ += first;
  bool alone = first.empty();
  for (const std::string& name : names) {
    std::string prefix(alone ? "" : ",");
    alone = false;
    append_json_string(prefix, name);
    prefixes_.push_back(prefix + ':');
  }
}

void append_json_value(std::string& out, const Column& column, size_t row) {
  if (column.is_null(row)) {
    out += "null";
  } else {
    append_value(out, column, row);
  }
}

// What most rows are made of goes through the pen; the rest appends.
void JsonRowWriter::append(std::string& out, const std::vector<const Column*>& columns, size_t row) {
  json::JsonPen pen(out);
  pen.put(opening_);
  for (size_t i = 0; i < prefixes_.size(); ++i) {
    const Column& column = *columns[i];
    pen.put(prefixes_[i]);
    if (column.is_null(row))
      pen.put("null");
    else if (column.type == Type::kText)
      pen.put_string(column.texts[row]);
    else if (is_integer(column.type))
      pen.put_integer(column.integers[row]);
    else if (column.type == Type::kTimestamptz)
      pen.put_timestamp(column.integers[row], "Z", *day_);
    else if (column.type == Type::kTimestamp)
      pen.put_timestamp(column.integers[row], "", *day_);
    else
      pen.append([&](std::string& end) { append_value(end, column, row); });
  }
  pen.put('}');
}

}  // namespace millrace::formats
