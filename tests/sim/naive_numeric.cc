#include "tests/sim/naive_numeric.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/result.h"

namespace millrace::sim {
namespace {

constexpr char kMark = '\x02';

__int128 times(__int128 a, __int128 b) {
  __int128 out = 0;
  CHECK(!__builtin_mul_overflow(a, b, &out), "the oracle's numerics are small");
  return out;
}

__int128 power_of_ten(int n) {
  __int128 out = 1;
  for (; n > 0; --n) out = times(out, 10);
  return out;
}

__int128 magnitude(__int128 value) {
  return value < 0 ? -value : value;
}

NaiveNumeric shortest(NaiveNumeric a) {
  for (; a.scale > 0 && a.units % 10 == 0; --a.scale) a.units /= 10;
  return a;
}

__int128 units_at(NaiveNumeric a, int scale) {
  return times(a.units, power_of_ten(scale - a.scale));
}

// PostgreSQL counts in groups of four digits, from the point.
struct Leading {
  int weight = 0;
  __int128 group = 0;
};
Leading leading(NaiveNumeric a) {
  const int groups = (a.scale + 3) / 4;
  Leading out{-groups, magnitude(units_at(a, groups * 4))};
  for (; out.group >= 10'000; out.group /= 10'000) ++out.weight;
  return out;
}

int scale_of_quotient(NaiveNumeric a, NaiveNumeric b) {
  const Leading x = leading(a);
  const Leading y = leading(b);
  const int weight = x.weight - y.weight - (x.group <= y.group ? 1 : 0);
  return std::max({16 - 4 * weight, a.scale, b.scale, 0});
}

NaiveNumeric quotient(NaiveNumeric a, NaiveNumeric b, int scale) {
  const int common = std::max(a.scale, b.scale);
  const __int128 divisor = magnitude(units_at(b, common));
  const __int128 scaled = times(magnitude(units_at(a, common)), power_of_ten(scale));
  const __int128 rounded = (scaled + divisor / 2) / divisor;
  return {(a.units < 0) == (b.units < 0) ? rounded : -rounded, scale};
}

// Whether a * a <= b * c; none is negative.
bool square_fits(__int128 a, __int128 b, __int128 c) {
  using Wide = std::pair<unsigned __int128, unsigned __int128>;  // high, low
  const auto product = [](unsigned __int128 x, unsigned __int128 y) {
    const unsigned __int128 low_mask = UINT64_MAX;
    const unsigned __int128 low = (x & low_mask) * (y & low_mask);
    const unsigned __int128 left = (x >> 64) * (y & low_mask);
    const unsigned __int128 right = (x & low_mask) * (y >> 64);
    const unsigned __int128 middle = (low >> 64) + (left & low_mask) + (right & low_mask);
    return Wide{(x >> 64) * (y >> 64) + (left >> 64) + (right >> 64) + (middle >> 64),
                (middle << 64) | (low & low_mask)};
  };
  const auto square = product(static_cast<unsigned __int128>(a), static_cast<unsigned __int128>(a));
  return square <= product(static_cast<unsigned __int128>(b), static_cast<unsigned __int128>(c));
}

}  // namespace

NaiveNumeric operator+(NaiveNumeric a, NaiveNumeric b) {
  const int scale = std::max(a.scale, b.scale);
  return shortest({units_at(a, scale) + units_at(b, scale), scale});
}
NaiveNumeric operator-(NaiveNumeric a, NaiveNumeric b) {
  return a + NaiveNumeric{-b.units, b.scale};
}
NaiveNumeric operator*(NaiveNumeric a, NaiveNumeric b) {
  return shortest({times(a.units, b.units), a.scale + b.scale});
}
std::strong_ordering operator<=>(NaiveNumeric a, NaiveNumeric b) {
  const int scale = std::max(a.scale, b.scale);
  return units_at(a, scale) <=> units_at(b, scale);
}

NaiveNumeric naive_quotient(NaiveNumeric a, NaiveNumeric b) {
  if (a.units == 0) return {};
  return shortest(quotient(shortest(a), shortest(b), scale_of_quotient(shortest(a), shortest(b))));
}

NaiveNumeric naive_root(NaiveNumeric a, NaiveNumeric b) {
  if (a.units == 0) return {};
  const int scale = scale_of_quotient(shortest(a), shortest(b));
  // In tenths of the last digit, to round by.
  const __int128 radicand = times(quotient(shortest(a), shortest(b), scale).units, 100);
  const __int128 unit = power_of_ten(scale);
  __int128 low = 0;
  __int128 high = std::max(radicand, unit) + 1;
  while (high - low > 1) {
    const __int128 middle = low + (high - low) / 2;
    (square_fits(middle, radicand, unit) ? low : high) = middle;
  }
  return shortest({(low + 5) / 10, scale});
}

__int128 naive_whole(NaiveNumeric a) {
  return quotient(a, {1, 0}, 0).units;
}

std::optional<NaiveNumeric> read_numeric(const std::string& text) {
  NaiveNumeric out;
  const bool negative = text.starts_with('-');
  size_t at = negative ? 1 : 0;
  bool behind_point = false;
  size_t digits = 0;
  for (; at < text.size() && ((text[at] >= '0' && text[at] <= '9') || text[at] == '.'); ++at) {
    if (text[at] == '.' && behind_point) return std::nullopt;
    if (text[at] == '.') {
      behind_point = true;
      continue;
    }
    out.units = times(out.units, 10) + (text[at] - '0');
    out.scale += behind_point ? 1 : 0;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  int exponent = 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const char* from = text.data() + at + (text[at + 1] == '+' ? 2 : 1);
    const auto read = std::from_chars(from, text.data() + text.size(), exponent);
    if (read.ec != std::errc()) return std::nullopt;
    at = static_cast<size_t>(read.ptr - text.data());
  }
  if (at != text.size()) return std::nullopt;
  out.scale -= exponent;
  if (out.scale < 0) out = {times(out.units, power_of_ten(-out.scale)), 0};
  if (negative) out.units = -out.units;
  return shortest(out);
}

std::string numeric_text(NaiveNumeric a) {
  a = shortest(a);
  __int128 rest = magnitude(a.units);
  std::string digits;
  for (int i = 0; rest > 0 || i <= a.scale; ++i, rest /= 10) {
    if (i == a.scale && a.scale > 0) digits += '.';
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  if (a.units < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

bool is_numeric(const Scalar& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->starts_with(kMark);
}

Scalar numeric_scalar(NaiveNumeric a) {
  return Scalar(kMark + numeric_text(a));
}

NaiveNumeric numeric_of(const Scalar& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) return {*i, 0};
  const auto read = read_numeric(std::get<std::string>(value).substr(1));
  CHECK(read.has_value(), "a marked text is a numeric");
  return *read;
}

}  // namespace millrace::sim
