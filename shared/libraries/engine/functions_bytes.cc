// Functions of bytea: its texts. Its length stands with the texts'.
#include <bit>

#include "base/base64.h"
#include "engine/call_kernel.h"
#include "event/text.h"
#include "formats/text_types.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

constexpr size_t kBase64Line = 76;

std::string base64(View bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

void append_base64_lines(std::string& out, View bytes) {
  const std::string line = base64(bytes);
  View rest = line;
  for (; rest.size() > kBase64Line; rest.remove_prefix(kBase64Line))
    out.append(rest.substr(0, kBase64Line)).append(1, '\n');
  out += rest;
}

// Zero bytes and those above ASCII in octal digits, a backslash doubled.
void append_escaped(std::string& out, View bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0 || byte > 0x7F) {
      out += '\\';
      for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + ((byte >> shift) & 7));
    } else {
      out.append(c == '\\' ? 2 : 1, c);
    }
  }
}

View bad_format(Row& row, View format) {
  row.fail(kBadArgument, "unrecognized encoding: \"" + std::string(start_of(format, 40)) + "\"");
  return {};
}

View encode(Row& row, Bytea bytes, View format) {
  std::string out;
  if (format == "hex")
    formats::append_hex(out, bytes.value);
  else if (format == "base64")
    append_base64_lines(out, bytes.value);
  else if (format == "escape")
    append_escaped(out, bytes.value);
  else
    return bad_format(row, format);
  return row.keep(out);
}

bool read_base64(View text, std::string& out) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') digits += c;
  }
  return append_from_base64(out, digits);
}

Bytea decode(Row& row, View text, View format) {
  std::string out;
  bool read = false;
  if (format == "hex") {
    read = formats::append_unhexed(out, text);
  } else if (format == "base64") {
    read = read_base64(text, out);
  } else if (format == "escape") {
    auto parsed = text.starts_with("\\x") ? Result<std::string>(std::string(text))
                                          : formats::parse_text(Type::kBytea, text);
    read = parsed.ok();
    if (read) out = std::move(parsed).value();
  } else {
    return {bad_format(row, format)};
  }
  if (!read) row.fail(kBadArgument, "the text is not " + std::string(format));
  return {row.keep(out)};
}

bool is_utf8_name(Row& row, View name) {
  if (name == "UTF8" || name == "utf8" || name == "UTF-8" || name == "utf-8") return true;
  bad_format(row, name);
  return false;
}
Bytea convert_to(Row& row, View text, View encoding) {
  return {is_utf8_name(row, encoding) ? text : View()};
}
View as_text(Row& row, View bytes) {
  if (formats::is_utf8(bytes) && bytes.find('\0') == View::npos) return bytes;
  row.fail(kBadArgument, "invalid byte sequence for encoding \"UTF8\"");
  return {};
}
View convert_from(Row& row, Bytea bytes, View encoding) {
  return is_utf8_name(row, encoding) ? as_text(row, bytes.value) : View();
}

View to_base64(Row& row, View text) {
  return row.keep(base64(text));
}
View from_base64(Row& row, View text) {
  std::string out;
  if (read_base64(text, out)) return as_text(row, row.keep(out));
  row.fail(kBadArgument, "the text is not base64");
  return {};
}

bool is_place(Row& row, int64_t places, int64_t index) {
  if (index >= 0 && index < places) return true;
  row.fail(kBadArgument,
           "index " + std::to_string(index) + " out of valid range, 0.." + std::to_string(places - 1));
  return false;
}
int64_t size_of(Bytea bytes) {
  return static_cast<int64_t>(bytes.value.size());
}
Integer get_byte(Row& row, Bytea bytes, int64_t index) {
  if (!is_place(row, size_of(bytes), index)) return {};
  return {static_cast<unsigned char>(bytes.value[static_cast<size_t>(index)])};
}
Bytea set_byte(Row& row, Bytea bytes, int64_t index, int64_t value) {
  if (!is_place(row, size_of(bytes), index)) return {};
  std::string changed(bytes.value);
  changed[static_cast<size_t>(index)] = static_cast<char>(value & 0xFF);
  return {row.keep(changed)};
}

// A byte's lowest bit is its first.
Integer get_bit(Row& row, Bytea bytes, int64_t index) {
  if (!is_place(row, size_of(bytes) * 8, index)) return {};
  return {(static_cast<unsigned char>(bytes.value[static_cast<size_t>(index / 8)]) >> (index % 8)) & 1};
}
Bytea set_bit(Row& row, Bytea bytes, int64_t index, int64_t value) {
  if (!is_place(row, size_of(bytes) * 8, index)) return {};
  if (value != 0 && value != 1) return row.fail(kBadArgument, "new bit must be 0 or 1"), Bytea();
  std::string changed(bytes.value);
  char& byte = changed[static_cast<size_t>(index / 8)];
  const int bit = 1 << (index % 8);
  byte = static_cast<char>(value == 1 ? byte | bit : byte & ~bit);
  return {row.keep(changed)};
}
int64_t bit_count(Bytea bytes) {
  int64_t bits = 0;
  for (const char byte : bytes.value) bits += std::popcount(static_cast<unsigned char>(byte));
  return bits;
}

}  // namespace

FunctionFamily bytes_functions() {
  return {"Bytes",
          {
              {"encode",
               "The bytes as a text: `hex`, `base64` or `escape`",
               {call<encode>()},
               {{"encode('\\x0102ff'::bytea, 'hex')", "0102ff"}, {"encode('abc'::bytea, 'base64')", "YWJj"}}},
              {"decode",
               "The bytes of such a text",
               {call<decode>()},
               {{"decode('YWJj', 'base64')", "\\x616263"}, {"decode('0', 'hex')", "MR-SQL-0120"}}},
              {"convert_to",
               "The bytes of a text in an encoding: `UTF8` alone",
               {call<convert_to>()},
               {{"convert_to('é', 'UTF8')", "\\xc3a9"}}},
              {"convert_from",
               "The text of bytes in an encoding: `UTF8` alone",
               {call<convert_from>()},
               {{"convert_from('\\xc3a9'::bytea, 'UTF8')", "é"},
                {"convert_from('\\xff'::bytea, 'UTF8')", "MR-SQL-0120"}}},
              {"get_byte",
               "The byte at a place, counted from 0",
               {call<get_byte>()},
               {{"get_byte('\\x1234', 1)", "52"}, {"get_byte('\\x12', 1)", "MR-SQL-0120"}}},
              {"set_byte",
               "With another byte there: of the number its last eight bits",
               {call<set_byte>()},
               {{"set_byte('\\x1234', 1, 255)", "\\x12ff"}}},
              {"get_bit",
               "The bit at a place, counted from 0, in each byte from the lowest",
               {call<get_bit>()},
               {{"get_bit('\\x1234', 9)", "0"}, {"get_bit('\\x1234', 10)", "1"}}},
              {"set_bit",
               "With another bit there, 0 or 1",
               {call<set_bit>()},
               {{"set_bit('\\x1234', 8, 1)", "\\x1235"}, {"set_bit('\\x12', 0, 2)", "MR-SQL-0120"}}},
              {"bit_count",
               "The number of bits that are 1",
               {call<bit_count>()},
               {{"bit_count('\\x1234')", "5"}}},
              {"to_base64",
               "As in Flink: a text's bytes as base64, in one line",
               {call<to_base64>()},
               {{"to_base64('hello world')", "aGVsbG8gd29ybGQ="}}},
              {"from_base64",
               "As in Flink: the text of base64",
               {call<from_base64>()},
               {{"from_base64('aGVsbG8gd29ybGQ=')", "hello world"}, {"from_base64('a')", "MR-SQL-0120"}}},
          }};
}

}  // namespace millrace::engine
