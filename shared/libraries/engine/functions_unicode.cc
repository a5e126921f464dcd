// unistr: a text whose characters may be written as their Unicode numbers.
#include <utf8proc.h>

#include <array>
#include <charconv>

#include "engine/call_kernel.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

struct Escape {
  View before;  // the digits, behind the backslash
  size_t digits;
};
constexpr Escape kEscapes[] = {{"", 4}, {"u", 4}, {"+", 6}, {"U", 8}};

bool is_high(uint32_t code) {
  return code >= 0xD800 && code <= 0xDBFF;
}
bool is_low(uint32_t code) {
  return code >= 0xDC00 && code <= 0xDFFF;
}

// Takes a number off the front of what stands behind a backslash.
std::optional<uint32_t> take_number(View& rest) {
  for (const auto& [before, digits] : kEscapes) {
    if (!rest.starts_with(before) || rest.size() < before.size() + digits) continue;
    const char* const from = rest.data() + before.size();
    uint32_t code = 0;
    if (std::from_chars(from, from + digits, code, 16).ptr != from + digits) continue;
    rest.remove_prefix(before.size() + digits);
    return code;
  }
  return std::nullopt;
}

void append_character(std::string& out, uint32_t code) {
  std::array<utf8proc_uint8_t, 4> buffer{};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), buffer.data());
  out.append(reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(size));
}

// Two numbers of a surrogate pair, one behind the other, are one character.
View unistr(Row& row, View text) {
  const auto fail = [&](const char* why) { return row.fail(kBadArgument, why), View(); };
  constexpr const char* kBadPair = "invalid Unicode surrogate pair";
  std::string out;
  uint32_t high = 0;
  while (!text.empty()) {
    if (text.front() != '\\' || text.starts_with("\\\\")) {
      if (high != 0) return fail(kBadPair);
      out += text.front();
      text.remove_prefix(text.front() == '\\' ? 2 : 1);
      continue;
    }
    text.remove_prefix(1);
    const auto code = take_number(text);
    if (!code) return fail("invalid Unicode escape");
    if (*code == 0 || *code > 0x10FFFF) return fail("invalid Unicode code point");
    if (is_low(*code) != (high != 0)) return fail(kBadPair);
    if (!is_high(*code))
      append_character(out, high == 0 ? *code : ((high & 0x3FF) << 10) + (*code & 0x3FF) + 0x10000);
    high = is_high(*code) ? *code : 0;
  }
  return high != 0 ? fail(kBadPair) : row.keep(out);
}

}  // namespace

Signature unicode_text() {
  return call<unistr>();
}

}  // namespace millrace::engine
