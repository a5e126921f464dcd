// The lexical level of JSON (RFC 8259): white space, strings, numbers, values to be skipped. Strict, one
// pass, no state.
//
// Every function takes [p, end) and answers the place behind what it read, or nullptr with the fault noted.
// Up to 32 bytes behind `end` may be read (Buffer::kPadding), never used.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "event/batch.h"

namespace millrace::formats::json {

enum class Fault : uint8_t { kNone, kSyntax, kControlCharacter, kEscape, kSurrogate, kNumber, kEnd, kDepth };

struct Scan {
  const char* end = nullptr;
  const char* at = nullptr;  // of the fault
  Fault fault = Fault::kNone;
  bool non_ascii = false;  // some string holds bytes above 0x7F: the text's UTF-8 is to be checked

  const char* fail(const char* p, Fault f) {
    at = p < end ? p : end;
    fault = p < end ? f : Fault::kEnd;
    return nullptr;
  }
};

inline bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

inline const char* skip_space(const char* p, const char* end) {
  while (p < end && static_cast<unsigned char>(*p) <= ' ' &&
         (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    ++p;
  return p;
}

// Compares 16 bytes at a time, those behind `length` masked: up to 16 behind either may be read.
inline bool same_bytes(const char* a, const char* b, size_t length) {
  const auto differing = [&](size_t from) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + from));
    const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + from));
    return ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(x, y))) & 0xFFFFu;
  };
  size_t from = 0;
  for (; length - from > 16; from += 16) {
    if (differing(from) != 0) return false;
  }
  return (differing(from) & ((1u << (length - from)) - 1)) == 0;
}

bool is_utf8(std::string_view text);

// Checks the escape at p ('\'); answers the place behind it. A lone surrogate is a fault.
const char* skip_escape(Scan& scan, const char* p);

const char* skip_long_string(Scan& scan, const char* p, bool& escaped);

// p is behind the opening quote; answers the closing quote's place.
inline const char* skip_string(Scan& scan, const char* p, bool& escaped) {
  // Most strings end within 16 bytes, without an escape.
  const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i quotes = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'));
  const __m128i others = _mm_or_si128(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\')),
                                      _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1F)), chunk));
  const auto stops = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(quotes, others)));
  const uint32_t first = stops & (0 - stops);
  const bool closed = (static_cast<uint32_t>(_mm_movemask_epi8(quotes)) & first) != 0;
  if (!closed) return skip_long_string(scan, p, escaped);
  const char* const close = p + __builtin_ctz(first);
  if (close >= scan.end) [[unlikely]]
    return scan.fail(scan.end, Fault::kEnd);
  scan.non_ascii |= (static_cast<uint32_t>(_mm_movemask_epi8(chunk)) & (first - 1)) != 0;
  return close;
}

// A number as written: mantissa * 10^exponent, if its digits fit.
struct Number {
  uint64_t mantissa = 0;
  int32_t exponent = 0;
  bool negative = false;
  bool whole = true;  // neither point nor exponent
  bool exact = true;  // false: more digits than the mantissa holds
  std::string_view text;
};

// The number of digits at the front of eight bytes, and their value, without a loop. `value`: of those
// digits. Source: D. Lemire, "Quickly parsing eight digits", 2018; digits are told apart as in Mycroft's test
// for a zero byte.
inline unsigned take_eight(const char* p, uint64_t& value) {
  uint64_t bytes;
  std::memcpy(&bytes, p, sizeof bytes);
  bytes ^= 0x3030303030303030u;  // a digit becomes its value, all else is above 9
  const uint64_t others = ((bytes + 0x7676767676767676u) | bytes) & 0x8080808080808080u;
  const unsigned count = others == 0 ? 8 : static_cast<unsigned>(__builtin_ctzll(others)) / 8;
  if (count == 0) return 0;
  bytes <<= 64 - 8 * count;  // zeros in front
  bytes = bytes * 10 + (bytes >> 8);
  value = (((bytes & 0x000000FF000000FFu) * 0x000F424000000064u) +
           (((bytes >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >>
          32;
  return count;
}

inline const char* take_digits(const char* p, const char* end, Number& n) {
  static constexpr uint64_t kPowers[] = {1,       10,        100,        1'000,      10'000,
                                         100'000, 1'000'000, 10'000'000, 100'000'000};
  if (end - p >= 8 && n.mantissa < 10'000'000'000u) [[likely]] {
    uint64_t value = 0;
    const unsigned count = take_eight(p, value);
    n.mantissa = n.mantissa * kPowers[count] + value;
    p += count;
    if (count < 8) [[likely]]
      return p;
  }
  for (; p < end && is_digit(*p); ++p) {
    if (n.mantissa >= 1'000'000'000'000'000'000u) [[unlikely]] {
      n.exact = false;
      continue;
    }
    n.mantissa = n.mantissa * 10 + static_cast<uint64_t>(*p - '0');
  }
  return p;
}

const char* take_exponent(Scan& scan, const char* p, Number& n);

inline const char* take_number(Scan& scan, const char* p, Number& n) {
  const char* const start = p;
  n.negative = *p == '-';
  p += n.negative;
  const char* const digits = p;
  p = take_digits(p, scan.end, n);
  if (p == digits || (*digits == '0' && p != digits + 1)) return scan.fail(digits, Fault::kNumber);
  if (p < scan.end && *p == '.') {
    const char* const fraction = ++p;
    p = take_digits(p, scan.end, n);
    if (p == fraction) return scan.fail(p, Fault::kNumber);
    n.exponent = -static_cast<int32_t>(p - fraction);
    n.whole = false;
  }
  if (p < scan.end && (*p == 'e' || *p == 'E')) {
    p = take_exponent(scan, p + 1, n);
    if (p == nullptr) return nullptr;
  }
  n.text = std::string_view(start, static_cast<size_t>(p - start));
  return p;
}

// The first byte that is no digit.
inline const char* skip_digits(const char* p, const char* end) {
  while (p < end) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i values = _mm_sub_epi8(chunk, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    const auto others = ~static_cast<uint32_t>(_mm_movemask_epi8(digits)) & 0xFFFFu;
    if (others != 0) {
      p += __builtin_ctz(others);
      break;
    }
    p += 16;
  }
  return p < end ? p : end;
}

// take_number() without the value.
inline const char* skip_number(Scan& scan, const char* p) {
  const char* const digits = p + (*p == '-');
  p = skip_digits(digits, scan.end);
  if (p == digits || (*digits == '0' && p != digits + 1)) return scan.fail(digits, Fault::kNumber);
  if (p < scan.end && *p == '.') {
    const char* const fraction = ++p;
    p = skip_digits(p, scan.end);
    if (p == fraction) return scan.fail(p, Fault::kNumber);
  }
  if (p < scan.end && (*p == 'e' || *p == 'E')) {
    Number unused;
    return take_exponent(scan, p + 1, unused);
  }
  return p;
}

inline const char* take_word(Scan& scan, const char* p, std::string_view word) {
  if (static_cast<size_t>(scan.end - p) < word.size() || std::string_view(p, word.size()) != word) {
    return scan.fail(p, Fault::kSyntax);
  }
  return p + word.size();
}

// Any value, checked and passed over, however deep up to the bound. `depth`: of what it stands in.
const char* skip_value(Scan& scan, const char* p, unsigned depth);

// The characters of a string that skip_string() accepted, without the escapes, in the arena.
std::string_view unescape(std::string_view inside, Arena& arena);

// p is at the opening quote. `text`: the characters, in place or, if there are escapes, in the arena.
inline const char* take_string(Scan& scan, const char* p, Arena& arena, std::string_view& text) {
  bool escaped = false;
  const char* const close = skip_string(scan, p + 1, escaped);
  if (close == nullptr) return nullptr;
  text = std::string_view(p + 1, static_cast<size_t>(close - p - 1));
  if (escaped) [[unlikely]]
    text = unescape(text, arena);
  return close + 1;
}

bool to_double_slow(const Number& n, double& value);
bool to_bigint_slow(const Number& n, int64_t& value);
bool to_real(const Number& n, double& value);  // rounded once, not by way of the double

// The number's value. False: out of double's, or bigint's, range (or not a whole number).
inline bool to_double(const Number& n, double& value) {
  // Both the mantissa and the power of ten are exact doubles: one rounding, the right one.
  // Source: W. Clinger, "How to Read Floating Point Numbers Accurately", 1990.
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const bool exact = n.exact && n.mantissa <= (uint64_t{1} << 53) && n.exponent >= -22 && n.exponent <= 22;
  if (!exact) [[unlikely]]
    return to_double_slow(n, value);
  const auto mantissa = static_cast<double>(n.mantissa);
  const double magnitude = n.exponent < 0 ? mantissa / kPowers[-n.exponent] : mantissa * kPowers[n.exponent];
  value = n.negative ? -magnitude : magnitude;
  return true;
}

inline bool to_bigint(const Number& n, int64_t& value) {
  if (!n.whole || !n.exact || n.mantissa > static_cast<uint64_t>(INT64_MAX)) [[unlikely]]
    return to_bigint_slow(n, value);
  value = n.negative ? -static_cast<int64_t>(n.mantissa) : static_cast<int64_t>(n.mantissa);
  return true;
}

}  // namespace millrace::formats::json
