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
  json::JsonPen pen(out, out.size());
  pen.put_string(text);
  out.resize(pen.end());
}

struct JsonRowWriter::Impl {
  std::vector<json::Label> labels;  // `{"a":`, `,"b":`, …
  std::string closing;              // of a row
  json::DayText day;
  std::string value;  // scratch: of what can only append
};

JsonRowWriter::~JsonRowWriter() = default;
JsonRowWriter::JsonRowWriter(const std::vector<std::string>& names, std::string_view first)
    : impl_(std::make_unique<Impl>()) {
  std::string label = "{" + std::string(first);
  bool alone = first.empty();
  for (const std::string& name : names) {
    if (!alone) label += ',';
    alone = false;
    append_json_string(label, name);
    impl_->labels.emplace_back(label + ':');
    label.clear();
  }
  impl_->closing = label + '}';
}

void append_json_value(std::string& out, const Column& column, size_t row) {
  if (column.is_null(row)) {
    out += "null";
  } else {
    append_value(out, column, row);
  }
}

void JsonRowWriter::append(std::string& out, const std::vector<const Column*>& columns, size_t row) {
  out.resize(write(out, out.size(), columns, row));
}

// What most rows are made of goes through the pen; the rest appends.
size_t JsonRowWriter::write(std::string& out, size_t at, const std::vector<const Column*>& columns,
                            size_t row) {
  json::JsonPen pen(out, at);
  for (size_t i = 0; i < impl_->labels.size(); ++i) {
    const Column& column = *columns[i];
    const json::Label& label = impl_->labels[i];
    if (column.is_null(row)) {
      pen.put_scalar(label, [](char* p) {
        std::memcpy(p, "null", 4);
        return p + 4;
      });
    } else if (column.type == Type::kText) {
      pen.put_scalar(label, [](char* p) { return p; });
      pen.put_string(column.texts[row]);
    } else if (is_integer(column.type)) {
      pen.put_scalar(label, [&](char* p) { return put_integer(p, column.integers[row]); });
    } else if (is_timestamp(column.type)) {
      const bool zoned = column.type == Type::kTimestamptz;
      pen.put_scalar(
          label, [&](char* p) { return json::put_timestamp(p, column.integers[row], zoned, impl_->day); });
    } else if (column.type == Type::kDouble && std::isfinite(column.doubles[row])) {
      pen.put_scalar(label, [&](char* p) { return put_double(p, column.doubles[row]); });
    } else {
      pen.put_scalar(label, [](char* p) { return p; });
      impl_->value.clear();
      append_value(impl_->value, column, row);
      pen.put(impl_->value);
    }
  }
  pen.put(impl_->closing);
  return pen.end();
}

}  // namespace millrace::formats
