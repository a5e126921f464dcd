#include "formats/text_types.h"

#include "event/decimal.h"
#include "event/text.h"
#include "formats/array_text.h"
#include "formats/internal/json_scan.h"
#include "formats/jsonb.h"
#include "formats/row_text.h"

namespace millrace::formats {
namespace {

constexpr size_t kUuidDigits = 32;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// As PostgreSQL reads it: braces around it or not, a hyphen behind any four digits or not.
bool read_uuid(std::string_view text, std::string& out) {
  if (text.starts_with('{') && text.ends_with('}') && text.size() > 1) text = text.substr(1, text.size() - 2);
  size_t digits = 0;
  bool hyphen_may_follow = false;
  for (const char c : text) {
    if (c == '-' && hyphen_may_follow) {
      hyphen_may_follow = false;
      continue;
    }
    const int value = hex_value(c);
    if (value < 0 || digits == kUuidDigits) return false;
    if (digits == 8 || digits == 12 || digits == 16 || digits == 20) out += '-';
    out += "0123456789abcdef"[value];
    ++digits;
    hyphen_may_follow = digits % 4 == 0 && digits < kUuidDigits;
  }
  return digits == kUuidDigits && !text.ends_with('-');
}

// PostgreSQL's older form: `\\` is a backslash, `\101` the byte of that octal number, all else itself.
bool read_escaped(std::string_view text, std::string& out) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  while (!text.empty()) {
    size_t used = 1;
    if (text[0] != '\\') {
      out += text[0];
    } else if (text.size() > 1 && text[1] == '\\') {
      out += '\\';
      used = 2;
    } else if (text.size() > 3 && text[1] <= '3' && octal(text[1]) && octal(text[2]) && octal(text[3])) {
      out += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      used = 4;
    } else {
      return false;
    }
    text.remove_prefix(used);
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) {
  return json::is_utf8(text);
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
}

bool append_unhexed(std::string& out, std::string_view digits) {
  int high = -1;
  for (const char c : digits) {
    if (high < 0 && is_space(c)) continue;
    const int value = hex_value(c);
    if (value < 0) return false;
    if (high >= 0) out += static_cast<char>(high * 16 + value);
    high = high < 0 ? value : -1;
  }
  return high < 0;
}

Result<std::string> parse_text(Type type, std::string_view text) {
  if (is_array(type)) return parse_array(type, text);
  if (is_row(type)) return parse_row(type, text);
  std::string out;
  switch (type) {
    case Type::kUuid:
      if (read_uuid(text, out)) return out;
      return invalid_text(type, text, "32 hexadecimal digits are expected, like 0b4a…-…-…-…-…");
    case Type::kBytea:
      if (text.starts_with("\\x") ? append_unhexed(out, text.substr(2)) : read_escaped(text, out)) return out;
      return invalid_text(type, text, "\\x and pairs of hexadecimal digits are expected");
    case Type::kJsonb:
      return parse_jsonb(text);
    case Type::kNumeric: {
      TRY_ASSIGN(const Decimal value, parse_decimal(text));
      return decimal_bytes(value);
    }
    default:
      return std::string(text);
  }
}

void append_text(std::string& out, Type type, std::string_view value) {
  if (is_array(type)) return append_array(out, type, value);
  if (is_row(type)) return append_row(out, type, value);
  if (type == Type::kNumeric) return append_decimal(out, decimal_from(value));
  if (type != Type::kBytea) {
    out += value;
    return;
  }
  out += "\\x";
  append_hex(out, value);
}

}  // namespace millrace::formats
