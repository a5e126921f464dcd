#include "event/small_decimal.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "event/decimal.h"
#include "event/decimal_layout.h"

namespace millrace {
namespace {

constexpr size_t kMostDigits = 18;                    // of an int64_t
constexpr uint64_t kLow = 1'000'000'000'000'000'000;  // what holds the last kMostDigits
constexpr int kMostShift = 18;                        // an int64_t times 10^18 fits an __int128

constexpr std::array<int64_t, kMostShift + 1> kPowers = [] {
  std::array<int64_t, kMostShift + 1> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

std::string_view add_signed(SmallDecimal a, SmallDecimal b, int sign, DecimalBuffer& buffer) {
  const int scale = std::max(a.scale, b.scale);
  const auto x = scaled(a, scale);
  const auto y = scaled(b, scale);
  return x && y ? write_decimal(*x + sign * *y, scale, buffer) : std::string_view();
}

using Word = unsigned __int128;
Word amount_of(int64_t value) {
  return value < 0 ? 0 - static_cast<Word>(value) : static_cast<Word>(value);
}

// A number as its digits and where its point is among them.
struct Digits {
  explicit Digits(SmallDecimal a) : text(write_digits(amount_of(a.value), buffer)) {
    point = static_cast<int>(text.size()) - a.scale;
  }
  DigitBuffer buffer;
  std::string_view text;
  int point = 0;
};

}  // namespace

std::optional<SmallDecimal> small_decimal(std::string_view bytes) {
  if (bytes.size() < decimal_layout::kDigitsAt + 1) return SmallDecimal{};
  const bool negative = bytes[0] == decimal_layout::kNegative;
  const size_t end = bytes.size() - (negative ? 1 : 0);
  const size_t digits = end - decimal_layout::kDigitsAt;
  const int scale = static_cast<int>(digits) - decimal_layout::point_of(bytes, negative);
  if (digits > kMostDigits || std::abs(scale) > kMaxSmallScale) return std::nullopt;
  int64_t value = 0;
  for (size_t i = decimal_layout::kDigitsAt; i < end; ++i)
    value = value * 10 + decimal_layout::digit_of(bytes[i], negative);
  return SmallDecimal{negative ? -value : value, scale};
}

std::string_view write_digits(unsigned __int128 value, DigitBuffer& buffer) {
  char* const begin = buffer.data();
  if (value <= UINT64_MAX) {
    const auto written = std::to_chars(begin, begin + buffer.size(), static_cast<uint64_t>(value));
    return {begin, static_cast<size_t>(written.ptr - begin)};
  }
  const std::string_view high = write_digits(value / kLow, buffer);
  auto low = static_cast<uint64_t>(value % kLow);
  for (size_t i = kMostDigits; i-- > 0; low /= 10)
    buffer[high.size() + i] = static_cast<char>('0' + static_cast<int>(low % 10));
  return {begin, high.size() + kMostDigits};
}

std::string_view write_decimal(__int128 value, int scale, DecimalBuffer& buffer) {
  if (value == 0) {
    buffer[0] = decimal_layout::kZero;
    return {buffer.data(), 1};
  }
  const bool negative = value < 0;
  DigitBuffer plain;
  std::string_view digits = write_digits(
      negative ? 0 - static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value), plain);
  const int point = static_cast<int>(digits.size()) - scale;
  digits = digits.substr(0, digits.find_last_not_of('0') + 1);
  return {buffer.data(), decimal_layout::write(negative, point, digits, buffer.data())};
}

std::string_view add(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer) {
  return add_signed(a, b, 1, buffer);
}
std::string_view subtract(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer) {
  return add_signed(a, b, -1, buffer);
}
std::string_view multiply(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer) {
  return write_decimal(static_cast<__int128>(a.value) * b.value, a.scale + b.scale, buffer);
}

// To quotient_scale(), halves up, where the dividend with its digits behind the point fits a word.
std::string_view divide(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer) {
  constexpr int kMostWordDigits = 38;
  if (a.value == 0) return write_decimal(0, 0, buffer);
  const Digits x(a);
  const Digits y(b);
  const int scale = quotient_scale(DigitsView{x.text, x.point}, DigitsView{y.text, y.point});
  const int shift = scale + b.scale - a.scale;
  if (shift < 0 || shift > 2 * kMostShift || static_cast<int>(x.text.size()) + shift > kMostWordDigits)
    return {};
  Word dividend = amount_of(a.value);
  for (int left = shift; left > 0; left -= kMostShift)
    dividend *= static_cast<Word>(kPowers[static_cast<size_t>(std::min(left, kMostShift))]);
  const Word divisor = amount_of(b.value);
  const Word quotient = dividend / divisor;
  const Word rounded = quotient + (dividend % divisor >= divisor - dividend % divisor ? 1 : 0);
  const auto amount = static_cast<__int128>(rounded);
  return write_decimal((a.value < 0) != (b.value < 0) ? -amount : amount, scale, buffer);
}

std::optional<__int128> scaled(SmallDecimal a, int scale) {
  const int shift = scale - a.scale;
  if (shift < 0 || shift > kMostShift) return std::nullopt;
  return static_cast<__int128>(a.value) * kPowers[static_cast<size_t>(shift)];
}

// Both the whole number and the power of ten are doubles, exactly: one operation rounds once.
std::optional<double> double_of(SmallDecimal a) {
  constexpr int64_t kMostExact = int64_t{1} << 53;
  if (std::abs(a.value) > kMostExact || std::abs(a.scale) > kMostShift) return std::nullopt;
  const auto power = static_cast<double>(kPowers[static_cast<size_t>(std::abs(a.scale))]);
  return a.scale > 0 ? static_cast<double>(a.value) / power : static_cast<double>(a.value) * power;
}

}  // namespace millrace
