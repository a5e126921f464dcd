#include "sql/escapes.h"

#include "base/utf8.h"
#include "sql/errors.h"

namespace millrace::sql {

size_t utf8_length(std::string_view s) {
  const auto at = [&](size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto tail = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned c = at(0);
  if (c < 0x80) return c == 0 ? 0 : 1;
  if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (c == 0xE0 && at(1) < 0xA0) return 0;
    return c == 0xED && at(1) > 0x9F ? 0 : 3;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (c == 0xF0 && at(1) < 0x90) return 0;
    return c == 0xF4 && at(1) > 0x8F ? 0 : 4;
  }
  return 0;
}

namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// Digits of a base, at most `most`, from the front of `in`; false if there are fewer than `least`.
bool take_digits(std::string_view& in, int base, size_t least, size_t most, uint32_t& value) {
  size_t n = 0;
  value = 0;
  while (n < most && n < in.size() && digit_of(in[n]) < base) {
    value = value * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit_of(in[n++]));
  }
  in.remove_prefix(n);
  return n >= least;
}

bool take_code_unit(std::string_view& in, char kind, uint32_t& value) {
  const size_t digits = kind == 'u' ? 4 : 8;
  return take_digits(in, 16, digits, digits, value);
}

// Behind \u or \U; a surrogate has its other half behind it.
bool take_code_point(std::string_view& in, char kind, uint32_t& value) {
  if (!take_code_unit(in, kind, value) || value > 0x10FFFF) return false;
  if (value < 0xD800 || value > 0xDFFF) return true;
  uint32_t low = 0;
  if (value > 0xDBFF || in.size() < 2 || in[0] != '\\' || (in[1] != 'u' && in[1] != 'U')) return false;
  const char low_kind = in[1];
  in.remove_prefix(2);
  if (!take_code_unit(in, low_kind, low) || low < 0xDC00 || low > 0xDFFF) return false;
  value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
  return true;
}

// `in` stands behind the backslash.
bool append_escape(std::string& out, std::string_view& in) {
  const char c = in.front();
  uint32_t value = 0;
  if (c >= '0' && c <= '7') {
    take_digits(in, 8, 1, 3, value);
    out += static_cast<char>(value);
    return true;
  }
  in.remove_prefix(1);
  if (c == 'x') {
    if (!take_digits(in, 16, 1, 2, value)) return false;
    out += static_cast<char>(value);
    return true;
  }
  if (c == 'u' || c == 'U') {
    if (!take_code_point(in, c, value)) return false;
    append_utf8(out, value);
    return true;
  }
  constexpr std::string_view kFrom = "bfnrt", kTo = "\b\f\n\r\t";
  const size_t i = kFrom.find(c);
  out += i == std::string_view::npos ? c : kTo[i];
  return true;
}

bool is_utf8(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const size_t n = utf8_length(s.substr(i));
    if (n == 0) return false;
    i += n;
  }
  return true;
}

}  // namespace

Result<std::string> escaped_value(std::string_view in, const SourceSpan& span, char quote) {
  std::string out;
  while (!in.empty()) {
    const char c = in.front();
    in.remove_prefix(1);
    if (c == quote) {
      in.remove_prefix(1);  // the second of two
      out += c;
    } else if (c != '\\') {
      out += c;
    } else if (!append_escape(out, in)) {
      return invalid_at(kBadToken, span, "the string holds a bad escape",
                        "use \\uXXXX, \\xHH, \\n, \\t, \\\\ or \\'");
    }
  }
  if (!is_utf8(out)) return invalid_at(kBadToken, span, "the escapes of the string do not make valid UTF-8");
  return out;
}

}  // namespace millrace::sql
