#include <cmath>

#include "formats/json.h"
#include "formats/text_types.h"

namespace millrace::formats {
namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

void append_bytes_value(std::string& out, Type type, std::string_view value) {
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
  out += '"';
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out.append(text, plain, i - plain);
    append_escape(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

JsonRowWriter::JsonRowWriter(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string prefix(1, prefixes_.empty() ? '{' : ',');
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

void JsonRowWriter::append(std::string& out, const std::vector<const Column*>& columns, size_t row) {
  if (prefixes_.empty()) out += '{';
  for (size_t i = 0; i < prefixes_.size(); ++i) {
    out += prefixes_[i];
    append_json_value(out, *columns[i], row);
  }
  out += '}';
}

}  // namespace millrace::formats
