#include "formats/internal/json_scan.h"

#include <immintrin.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>

#include "formats/json.h"

namespace millrace::formats::json {
namespace {

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Four hexadecimal digits, or -1.
int32_t code_unit(const char* p, const char* end) {
  if (end - p < 4) return -1;
  int32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_high_surrogate(int32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(int32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

}  // namespace

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text);
}

const char* skip_escape(Scan& scan, const char* p) {
  if (p + 1 >= scan.end) return scan.fail(scan.end, Fault::kEnd);
  const char kind = p[1];
  if (kind != 'u') {
    return std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos ? scan.fail(p, Fault::kEscape)
                                                                               : p + 2;
  }
  const int32_t unit = code_unit(p + 2, scan.end);
  if (unit < 0) return scan.fail(p, Fault::kEscape);
  if (is_low_surrogate(unit)) return scan.fail(p, Fault::kSurrogate);
  if (!is_high_surrogate(unit)) return p + 6;
  const bool followed = scan.end - p >= 12 && p[6] == '\\' && p[7] == 'u';
  if (!followed || !is_low_surrogate(code_unit(p + 8, scan.end))) return scan.fail(p, Fault::kSurrogate);
  return p + 12;
}

namespace {

// The first quote, backslash or control character, or a place not before `end`.
using FindSpecial = const char* (*)(const char* p, const char* end, bool& non_ascii);

const char* find_special_sse2(const char* p, const char* end, bool& non_ascii) {
  uint32_t high = 0;
  for (; p < end; p += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i special = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')), _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\'))),
        _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1F)), chunk));
    const auto stops = static_cast<uint32_t>(_mm_movemask_epi8(special));
    const auto above = static_cast<uint32_t>(_mm_movemask_epi8(chunk));
    if (stops != 0) {
      high |= above & ((stops & (0 - stops)) - 1);
      p += __builtin_ctz(stops);
      break;
    }
    high |= above;
  }
  non_ascii |= high != 0;
  return p;
}

[[gnu::target("avx2")]] const char* find_special_avx2(const char* p, const char* end, bool& non_ascii) {
  uint32_t high = 0;
  for (; p < end; p += 32) {
    const __m256i chunk = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i special =
        _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('"')),
                                        _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('\\'))),
                        _mm256_cmpeq_epi8(_mm256_min_epu8(chunk, _mm256_set1_epi8(0x1F)), chunk));
    const auto stops = static_cast<uint32_t>(_mm256_movemask_epi8(special));
    const auto above = static_cast<uint32_t>(_mm256_movemask_epi8(chunk));
    if (stops != 0) {
      high |= above & ((stops & (0 - stops)) - 1);
      p += __builtin_ctz(stops);
      break;
    }
    high |= above;
  }
  non_ascii |= high != 0;
  return p;
}

const FindSpecial kFindSpecial = __builtin_cpu_supports("avx2") ? find_special_avx2 : find_special_sse2;

}  // namespace

const char* skip_long_string(Scan& scan, const char* p, bool& escaped) {
  while (p < scan.end) {
    p = kFindSpecial(p, scan.end, scan.non_ascii);
    if (p >= scan.end) break;
    if (*p == '"') return p;
    if (*p != '\\') return scan.fail(p, Fault::kControlCharacter);
    escaped = true;
    p = skip_escape(scan, p);
    if (p == nullptr) return nullptr;
  }
  return scan.fail(scan.end, Fault::kEnd);
}

const char* take_exponent(Scan& scan, const char* p, Number& n) {
  bool negative = false;
  if (p < scan.end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  if (p >= scan.end || !is_digit(*p)) return scan.fail(p, Fault::kNumber);
  int32_t exponent = 0;
  for (; p < scan.end && is_digit(*p); ++p) {
    if (exponent < 10'000'000) exponent = exponent * 10 + (*p - '0');
  }
  n.exponent += negative ? -exponent : exponent;
  n.whole = false;
  return p;
}

namespace {

// Which of the open brackets are objects, a bit each.
class Brackets {
 public:
  void push(unsigned depth, bool object) {
    uint64_t& word = bits_[depth / 64];
    const uint64_t bit = uint64_t{1} << (depth % 64);
    word = object ? word | bit : word & ~bit;
  }
  bool is_object(unsigned depth) const { return (bits_[depth / 64] >> (depth % 64)) & 1; }

 private:
  uint64_t bits_[kMaxJsonDepth / 64 + 1] = {};
};

const char* skip_scalar(Scan& scan, const char* p) {
  if (p >= scan.end) return scan.fail(p, Fault::kEnd);
  switch (*p) {
    case '"': {
      bool escaped = false;
      p = skip_string(scan, p + 1, escaped);
      return p == nullptr ? nullptr : p + 1;
    }
    case 't':
      return take_word(scan, p, "true");
    case 'f':
      return take_word(scan, p, "false");
    case 'n':
      return take_word(scan, p, "null");
    default:
      break;
  }
  if (*p != '-' && !is_digit(*p)) return scan.fail(p, Fault::kSyntax);
  return skip_number(scan, p);
}

// "key" : and the space behind it.
const char* skip_key(Scan& scan, const char* p) {
  if (p >= scan.end || *p != '"') return scan.fail(p, Fault::kSyntax);
  bool escaped = false;
  p = skip_string(scan, p + 1, escaped);
  if (p == nullptr) return nullptr;
  p = skip_space(p + 1, scan.end);
  if (p >= scan.end || *p != ':') return scan.fail(p, Fault::kSyntax);
  return skip_space(p + 1, scan.end);
}

}  // namespace

const char* skip_value(Scan& scan, const char* p, unsigned depth) {
  const unsigned outside = depth;
  Brackets open;
  enum class Next : uint8_t { kValue, kKey, kAfter } next = Next::kValue;
  for (;;) {
    if (next == Next::kKey) {
      p = skip_key(scan, p);
      if (p == nullptr) return nullptr;
      next = Next::kValue;
    } else if (next == Next::kValue) {
      const bool object = p < scan.end && *p == '{';
      if (object || (p < scan.end && *p == '[')) {
        if (++depth > kMaxJsonDepth) return scan.fail(p, Fault::kDepth);
        open.push(depth, object);
        p = skip_space(p + 1, scan.end);
        const bool empty = p < scan.end && *p == (object ? '}' : ']');
        next = empty ? Next::kAfter : object ? Next::kKey : Next::kValue;
        if (!empty) continue;
        ++p;
        --depth;
      } else {
        p = skip_scalar(scan, p);
        if (p == nullptr) return nullptr;
        next = Next::kAfter;
      }
    } else {
      if (depth == outside) return p;
      p = skip_space(p, scan.end);
      if (p >= scan.end) return scan.fail(p, Fault::kEnd);
      const bool object = open.is_object(depth);
      if (*p == ',') {
        p = skip_space(p + 1, scan.end);
        next = object ? Next::kKey : Next::kValue;
      } else if (*p == (object ? '}' : ']')) {
        ++p;
        --depth;
      } else {
        return scan.fail(p, Fault::kSyntax);
      }
    }
  }
}

namespace {

char* put_utf8(char* out, uint32_t c) {
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
    return out;
  }
  if (c < 0x800) {
    *out++ = static_cast<char>(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      *out++ = static_cast<char>(0xE0 | (c >> 12));
    } else {
      *out++ = static_cast<char>(0xF0 | (c >> 18));
      *out++ = static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    }
    *out++ = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
  }
  *out++ = static_cast<char>(0x80 | (c & 0x3F));
  return out;
}

char plain_escape(char kind) {
  switch (kind) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return kind;
  }
}

}  // namespace

std::string_view unescape(std::string_view inside, Arena& arena) {
  // An escape is never shorter than what it stands for.
  char* const start = arena.allocate(inside.size());
  char* out = start;
  const char* p = inside.data();
  const char* const end = p + inside.size();
  while (p < end) {
    if (*p != '\\') {
      *out++ = *p++;
    } else if (p[1] != 'u') {
      *out++ = plain_escape(p[1]);
      p += 2;
    } else {
      auto c = static_cast<uint32_t>(code_unit(p + 2, end));
      p += 6;
      if (is_high_surrogate(static_cast<int32_t>(c))) {
        c = 0x10000 + ((c - 0xD800) << 10) + (static_cast<uint32_t>(code_unit(p + 2, end)) - 0xDC00);
        p += 6;
      }
      out = put_utf8(out, c);
    }
  }
  return {start, static_cast<size_t>(out - start)};
}

namespace {

int32_t significant_digits(std::string_view number) {
  int32_t count = 0;
  for (const char c : number.substr(0, number.find_first_of("eE")))
    count += is_digit(c) && (count > 0 || c != '0');
  return count;
}

template <typename Float>
bool read_float(const Number& n, Float& value) {
  const auto [end, failure] = std::from_chars(n.text.data(), n.text.data() + n.text.size(), value);
  if (failure == std::errc()) return true;
  // Out of range: too large is an error, too small is zero.
  value = n.negative ? Float{-0.0F} : Float{0};
  return n.mantissa == 0 || significant_digits(n.text) + n.exponent < 0;
}

}  // namespace

bool to_double_slow(const Number& n, double& value) {
  return read_float(n, value);
}

bool to_real(const Number& n, double& value) {
  float real = 0;
  const bool in_range = read_float(n, real);
  value = static_cast<double>(real);
  return in_range;
}

bool to_bigint_slow(const Number& n, int64_t& value) {
  uint64_t mantissa = n.mantissa;
  int32_t exponent = n.exponent;
  if (!n.exact) return false;
  for (; exponent < 0 && mantissa % 10 == 0 && mantissa != 0; ++exponent) mantissa /= 10;
  if (mantissa != 0 && exponent < 0) return false;
  for (; exponent > 0 && mantissa != 0; --exponent) {
    if (__builtin_mul_overflow(mantissa, uint64_t{10}, &mantissa)) return false;
  }
  const uint64_t bound = static_cast<uint64_t>(INT64_MAX) + n.negative;
  if (mantissa > bound) return false;
  value = static_cast<int64_t>(n.negative ? 0 - mantissa : mantissa);
  return true;
}

}  // namespace millrace::formats::json
