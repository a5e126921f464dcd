#include "event/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "event/decimal_layout.h"
#include "event/small_decimal.h"
#include "event/text.h"

namespace millrace {
namespace {

// Whole numbers as digits, most significant first, without leading zeros.
using Magnitude = std::string;

void strip_leading(Magnitude& m) {
  m.erase(0, std::min(m.find_first_not_of('0'), m.size()));
}

int compare(const Magnitude& a, const Magnitude& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

Magnitude sum_of(const Magnitude& a, const Magnitude& b) {
  const size_t size = std::max(a.size(), b.size()) + 1;
  Magnitude out(size, '0');
  int carry = 0;
  for (size_t i = 0; i < size; ++i) {
    int digit = carry;
    if (i < a.size()) digit += a[a.size() - 1 - i] - '0';
    if (i < b.size()) digit += b[b.size() - 1 - i] - '0';
    out[size - 1 - i] = static_cast<char>('0' + digit % 10);
    carry = digit / 10;
  }
  strip_leading(out);
  return out;
}

// a is not less than b.
Magnitude difference_of(const Magnitude& a, const Magnitude& b) {
  Magnitude out = a;
  int borrow = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    int digit = a[a.size() - 1 - i] - '0' - borrow - (i < b.size() ? b[b.size() - 1 - i] - '0' : 0);
    borrow = digit < 0;
    out[a.size() - 1 - i] = static_cast<char>('0' + digit + 10 * borrow);
  }
  strip_leading(out);
  return out;
}

Magnitude product_of(const Magnitude& a, const Magnitude& b) {
  std::vector<uint32_t> columns(a.size() + b.size(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j)
      columns[i + j + 1] += static_cast<uint32_t>((a[i] - '0') * (b[j] - '0'));
  }
  Magnitude out(columns.size(), '0');
  uint32_t carry = 0;
  for (size_t i = columns.size(); i-- > 0;) {
    carry += columns[i];
    out[i] = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  strip_leading(out);
  return out;
}

// Digit by digit; `rest` is what is left.
Magnitude quotient_of(const Magnitude& a, const Magnitude& b, Magnitude& rest) {
  Magnitude out;
  rest.clear();
  for (const char digit : a) {
    rest += digit;
    strip_leading(rest);
    char times = '0';
    for (; compare(rest, b) >= 0; ++times) rest = difference_of(rest, b);
    out += times;
  }
  strip_leading(out);
  return out;
}

constexpr size_t kMostWordDigits = 38;  // any number of so many fits an unsigned __int128

unsigned __int128 word_of(const Magnitude& m) {
  unsigned __int128 value = 0;
  for (const char digit : m) value = value * 10 + static_cast<unsigned>(digit - '0');
  return value;
}
Magnitude digits_of(unsigned __int128 value) {
  DigitBuffer buffer;
  return Magnitude(write_digits(value, buffer));
}

// The whole part.
Magnitude quotient_of(const Magnitude& a, const Magnitude& b) {
  if (a.size() <= kMostWordDigits && b.size() <= kMostWordDigits) return digits_of(word_of(a) / word_of(b));
  Magnitude rest;
  return quotient_of(a, b, rest);
}

Decimal made(bool negative, Magnitude m, int scale) {
  strip_leading(m);
  Decimal out;
  out.point = static_cast<int>(m.size()) - scale;
  m.erase(m.find_last_not_of('0') + 1);
  out.digits = std::move(m);
  out.negative = negative && !out.digits.empty();
  if (out.digits.empty()) out.point = 0;
  return out;
}

std::optional<Decimal> bounded(Decimal a) {
  const int before = std::max(a.point, 0);
  if (before + std::max(a.scale(), 0) > kMaxDecimalDigits) return std::nullopt;
  return a;
}

// |a| times ten to the power of the scale, which is not less than a's.
Magnitude magnitude(const Decimal& a, int scale) {
  if (a.digits.empty()) return {};
  return a.digits +
         std::string(static_cast<size_t>(scale - (static_cast<int>(a.digits.size()) - a.point)), '0');
}
int common_scale(const Decimal& a, const Decimal& b) {
  return std::max({a.scale(), b.scale(), 0});
}

int scale_of(DigitsView a) {
  const size_t digits = a.digits.find_last_not_of('0') + 1;
  return static_cast<int>(digits) - a.point;
}

// Of the first group of four digits around the point, which PostgreSQL's division looks at.
struct First {
  int weight = 0;
  int group = 0;
};
First first_group(DigitsView a) {
  const int weight = a.point > 0 ? (a.point - 1) / 4 : -((4 - a.point) / 4);
  const int digits = a.point - weight * 4;  // of the group, 1 to 4
  int group = 0;
  for (size_t i = 0; i < static_cast<size_t>(digits); ++i)
    group = group * 10 + (i < a.digits.size() ? a.digits[i] - '0' : 0);
  return {weight, group};
}

// The whole part of the root, digit by digit: a pair of digits makes one. The sum of the first n odd numbers is n^2, so
// subtracting odd numbers from 2 * root + 1 on finds the digit.
Magnitude root_of(Magnitude a) {
  if (a.size() % 2 != 0) a.insert(0, 1, '0');
  Magnitude root;
  Magnitude rest;
  for (size_t i = 0; i < a.size(); i += 2) {
    rest.append(a, i, 2);
    strip_leading(rest);
    Magnitude odd = product_of(root, "20");
    odd = sum_of(odd, "1");
    char digit = '0';
    for (; compare(rest, odd) >= 0; ++digit) {
      rest = difference_of(rest, odd);
      odd = sum_of(odd, "2");
    }
    root += digit;
    strip_leading(root);
  }
  return root;
}

// The digits kept, and whether the first that is not is five or more.
Decimal cut(const Decimal& a, int scale, bool round) {
  const int kept = a.point + scale;
  if (kept >= static_cast<int>(a.digits.size())) return a;
  Magnitude m = kept > 0 ? a.digits.substr(0, static_cast<size_t>(kept)) : Magnitude();
  if (round && kept >= 0 && a.digits[static_cast<size_t>(kept)] >= '5') m = sum_of(m, "1");
  return made(a.negative, m, scale);
}

}  // namespace

int Decimal::scale() const {
  return std::max(static_cast<int>(digits.size()) - point, 0);
}

std::optional<Decimal> add(const Decimal& a, const Decimal& b) {
  const int scale = common_scale(a, b);
  const Magnitude x = magnitude(a, scale);
  const Magnitude y = magnitude(b, scale);
  if (a.negative == b.negative) return bounded(made(a.negative, sum_of(x, y), scale));
  const bool less = compare(x, y) < 0;
  return bounded(
      made(less ? b.negative : a.negative, less ? difference_of(y, x) : difference_of(x, y), scale));
}

std::optional<Decimal> subtract(const Decimal& a, Decimal b) {
  return add(a, negated(std::move(b)));
}

std::optional<Decimal> multiply(const Decimal& a, const Decimal& b) {
  return bounded(made(a.negative != b.negative, product_of(magnitude(a, a.scale()), magnitude(b, b.scale())),
                      a.scale() + b.scale()));
}

int quotient_scale(DigitsView a, DigitsView b) {
  constexpr int kSignificant = 16;
  if (a.digits.empty()) return 0;
  const First x = first_group(a);
  const First y = first_group(b);
  const int weight = x.weight - y.weight - (x.group <= y.group ? 1 : 0);
  return std::clamp(std::max({kSignificant - weight * 4, scale_of(a), scale_of(b)}), 0, kMaxDecimalDigits);
}

int quotient_scale(const Decimal& a, const Decimal& b) {
  return quotient_scale(DigitsView{a.digits, a.point}, DigitsView{b.digits, b.point});
}

std::optional<Decimal> divide(const Decimal& a, const Decimal& b) {
  const int scale = quotient_scale(a, b);
  const int own = common_scale(a, b);
  const Magnitude x = magnitude(a, own) + std::string(static_cast<size_t>(scale) + 1, '0');
  const Magnitude quotient = quotient_of(x, magnitude(b, own));
  return bounded(rounded(made(a.negative != b.negative, quotient, scale + 1), scale));
}

std::optional<Decimal> square_root(const Decimal& a, int scale) {
  const int own = std::max({scale + 1, (a.scale() + 1) / 2, 0});
  return bounded(rounded(made(false, root_of(magnitude(a, 2 * own)), own), scale));
}

std::optional<Decimal> remainder(const Decimal& a, const Decimal& b) {
  const int scale = common_scale(a, b);
  Magnitude rest;
  quotient_of(magnitude(a, scale), magnitude(b, scale), rest);
  return made(a.negative, rest, scale);
}

Decimal negated(Decimal a) {
  a.negative = !a.negative && !a.digits.empty();
  return a;
}

Decimal rounded(const Decimal& a, int scale) {
  return cut(a, scale, true);
}
Decimal truncated(const Decimal& a, int scale) {
  return cut(a, scale, false);
}
bool fits(const Decimal& a, int precision, int scale) {
  return a.digits.empty() || a.point <= precision - scale;
}

Decimal decimal_of(int64_t value) {
  return decimal_of(static_cast<__int128>(value), 0);
}

Decimal decimal_of(__int128 value, int scale) {
  const auto amount =
      value < 0 ? 0 - static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  return made(value < 0, digits_of(amount), scale);
}

std::optional<Decimal> decimal_of(double value, bool real) {
  if (!std::isfinite(value)) return std::nullopt;
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, real ? 6 : 15).ptr;
  return read_decimal({buffer, static_cast<size_t>(end - buffer)});
}

std::optional<__int128> scaled(const Decimal& a, int scale) {
  constexpr int kDigits = 37;  // any number of so many fits
  if (a.scale() > scale || a.point + scale > kDigits) return std::nullopt;
  const auto amount = static_cast<__int128>(word_of(magnitude(a, scale)));
  return a.negative ? -amount : amount;
}

std::optional<int64_t> bigint_of(const Decimal& a) {
  const auto value = scaled(rounded(a, 0), 0);
  if (!value || *value < INT64_MIN || *value > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<Decimal> read_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, exponent_at);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  int exponent = 0;
  if (exponent_at < text.size()) {
    std::string_view written = text.substr(exponent_at + 1);
    if (written.starts_with('+') && written.size() > 1 && written[1] != '-') written.remove_prefix(1);
    const auto [end, failure] = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (failure != std::errc() || end != written.data() + written.size()) return std::nullopt;
  }
  if (std::abs(exponent) > 2 * kMaxDecimalDigits) return std::nullopt;
  const int scale = static_cast<int>(digits.size() - point) - exponent;
  return bounded(made(negative, std::move(digits), scale));
}

Result<Decimal> parse_decimal(std::string_view text) {
  const auto value = read_decimal(trimmed(text));
  if (value) return *value;
  // A double has the same form, but for the words, and bounds of its own.
  const bool word = trimmed(text).find_first_not_of("0123456789.eE+-") != std::string_view::npos;
  const auto as_double = parse_double(text);
  const Error beyond = out_of_range(Type::kNumeric, text);
  const bool number = !word && (as_double.ok() || as_double.error().id == beyond.id);
  return number ? beyond : invalid_text(Type::kNumeric, text, "a number is expected");
}

void append_decimal(std::string& out, const Decimal& a) {
  if (a.digits.empty()) {
    out += '0';
    return;
  }
  if (a.negative) out += '-';
  const auto size = static_cast<int>(a.digits.size());
  if (a.point <= 0) {
    out.append("0.").append(static_cast<size_t>(-a.point), '0').append(a.digits);
  } else if (a.point >= size) {
    out.append(a.digits).append(static_cast<size_t>(a.point - size), '0');
  } else {
    out.append(a.digits, 0, static_cast<size_t>(a.point)).append(1, '.');
    out.append(a.digits, static_cast<size_t>(a.point));
  }
}

std::string decimal_bytes(const Decimal& a) {
  if (a.digits.empty()) return {decimal_layout::kZero};
  std::string out(a.digits.size() + decimal_layout::kDigitsAt + 1, 0);
  out.resize(decimal_layout::write(a.negative, a.point, a.digits, out.data()));
  return out;
}

Decimal decimal_from(std::string_view bytes) {
  using namespace decimal_layout;
  Decimal out;
  if (bytes.size() < kDigitsAt + 1) return out;
  out.negative = bytes[0] == kNegative;
  out.point = std::clamp(point_of(bytes, out.negative), -kMaxDecimalDigits, kMaxDecimalDigits);
  const size_t end = bytes.size() - (out.negative ? 1 : 0);
  out.digits.resize(end - kDigitsAt);
  for (size_t i = kDigitsAt; i < end; ++i)
    out.digits[i - kDigitsAt] = static_cast<char>('0' + digit_of(bytes[i], out.negative));
  return out;
}

}  // namespace millrace
