#include "formats/internal/json_pen.h"

#include <emmintrin.h>

#include <algorithm>

#include "base/result.h"

namespace millrace::formats::json {
namespace {

constexpr size_t kBlock = 16;

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// A bit for each byte that needs an escape.
inline unsigned special_bytes(__m128i block) {
  const __m128i special = _mm_or_si128(
      _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))),
      _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block));
  return static_cast<unsigned>(_mm_movemask_epi8(special));
}

// Copies a block whatever it holds; a bit for each byte that needs an escape.
inline unsigned copy_block(char* to, const char* from) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
  return special_bytes(block);
}

// The same of a word's worth of bytes up to two words: two words that overlap. How many before the first that needs one.
template <typename Word>
inline size_t copy_two_words(char* to, std::string_view from) {
  const size_t second = from.size() - sizeof(Word);
  Word words[2];
  std::memcpy(&words[0], from.data(), sizeof(Word));
  std::memcpy(&words[1], from.data() + second, sizeof(Word));
  std::memcpy(to, &words[0], sizeof(Word));
  std::memcpy(to + second, &words[1], sizeof(Word));
  const __m128i block = sizeof(Word) == 8
                            ? _mm_set_epi64x(static_cast<int64_t>(words[1]), static_cast<int64_t>(words[0]))
                            : _mm_cvtsi64_si128(static_cast<int64_t>(words[0] | uint64_t{words[1]} << 32));
  const unsigned special = special_bytes(block) & ((1u << 2 * sizeof(Word)) - 1);
  if (special == 0) return from.size();
  const auto first = static_cast<size_t>(__builtin_ctz(special));
  return first < sizeof(Word) ? first : second + first - sizeof(Word);
}

// Copies up to the first byte that needs an escape; how many. `to` has room for all of `from`.
inline size_t copy_plain(char* to, std::string_view from) {
  if (from.size() < kBlock) {
    if (from.size() >= 8) return copy_two_words<uint64_t>(to, from);
    if (from.size() >= 4) return copy_two_words<uint32_t>(to, from);
    size_t done = 0;
    for (; done < from.size() && !needs_escape(from[done]); ++done) to[done] = from[done];
    return done;
  }
  size_t done = 0;
  for (; from.size() - done >= kBlock; done += kBlock) {
    const unsigned special = copy_block(to + done, from.data() + done);
    if (special != 0) return done + static_cast<size_t>(__builtin_ctz(special));
  }
  if (done == from.size()) return done;
  const size_t start = from.size() - kBlock;  // the last block once more, from its end
  const unsigned special = copy_block(to + start, from.data() + start);
  return special == 0 ? from.size() : start + static_cast<size_t>(__builtin_ctz(special));
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

char* put_timestamp(char* p, int64_t micros, bool zoned, DayText& day) {
  const DayAndTime at = day_and_time(micros);
  if (at.days != day.days) {
    std::string text;
    append_date(text, at.days);
    CHECK(text.size() <= sizeof day.text, "a date has sixteen characters at most");
    day.days = at.days;
    day.length = text.size();
    std::memcpy(day.text, text.data(), text.size());
  }
  *p++ = '"';
  std::memcpy(p, day.text, sizeof day.text);
  p += day.length;
  *p++ = 'T';
  p = put_time(p, at.micros);
  if (zoned) *p++ = 'Z';
  *p++ = '"';
  return p;
}

}  // namespace millrace::formats::json
