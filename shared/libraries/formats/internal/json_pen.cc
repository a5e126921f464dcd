#include "formats/internal/json_pen.h"

#include <emmintrin.h>

#include <algorithm>

namespace millrace::formats::json {
namespace {

constexpr size_t kBlock = 16;

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// Copies a block whatever it holds; a bit for each byte that needs an escape.
inline unsigned copy_block(char* to, const char* from) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
  const __m128i special = _mm_or_si128(
      _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))),
      _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block));
  return static_cast<unsigned>(_mm_movemask_epi8(special));
}

// Copies up to the first byte that needs an escape; how many. `to` has room for all of `from`.
size_t copy_plain(char* to, std::string_view from) {
  size_t done = 0;
  for (; from.size() - done >= kBlock; done += kBlock) {
    const unsigned special = copy_block(to + done, from.data() + done);
    if (special != 0) return done + static_cast<size_t>(__builtin_ctz(special));
  }
  if (done > 0 && done < from.size()) {  // the last block once more, from its end
    const size_t start = from.size() - kBlock;
    const unsigned special = copy_block(to + start, from.data() + start);
    return special == 0 ? from.size() : start + static_cast<size_t>(__builtin_ctz(special));
  }
  for (; done < from.size() && !needs_escape(from[done]); ++done) to[done] = from[done];
  return done;
}

}  // namespace

// A row's worth at least, so that a row grows its string once.
void JsonPen::grow(size_t bytes) {
  constexpr size_t kAtLeast = 256;
  out_.resize(used_ + std::max(bytes, kAtLeast));
}

void JsonPen::put_string(std::string_view text) {
  char* p = room(text.size() + 2);
  *p++ = '"';
  for (;;) {
    const size_t plain = copy_plain(p, text);
    text.remove_prefix(plain);
    p += plain;
    if (text.empty()) break;
    wrote(p);
    put_escape(text.front());
    text.remove_prefix(1);
    p = room(text.size() + 1);
  }
  *p++ = '"';
  wrote(p);
}

void JsonPen::put_escape(char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      return put("\\\"");
    case '\\':
      return put("\\\\");
    case '\b':
      return put("\\b");
    case '\f':
      return put("\\f");
    case '\n':
      return put("\\n");
    case '\r':
      return put("\\r");
    case '\t':
      return put("\\t");
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  put("\\u00");
  put(kHex[byte >> 4]);
  put(kHex[byte & 15]);
}

void JsonPen::put_timestamp(int64_t micros, std::string_view zone, DayText& day) {
  const DayAndTime at = day_and_time(micros);
  if (at.days != day.days) {
    std::string text;
    append_date(text, at.days);
    if (text.size() != sizeof day.text) {  // beyond four digits of a year
      put('"');
      put(text);
    } else {
      std::memcpy(day.text, text.data(), sizeof day.text);
      day.days = at.days;
    }
  }
  char* p = room(sizeof day.text + kTimeBytes + zone.size() + 3);
  if (at.days == day.days) {
    *p++ = '"';
    std::memcpy(p, day.text, sizeof day.text);
    p += sizeof day.text;
  }
  *p++ = 'T';
  p = put_time(p, at.micros);
  std::memcpy(p, zone.data(), zone.size());
  p += zone.size();
  *p++ = '"';
  wrote(p);
}

}  // namespace millrace::formats::json
