#include "json-schema/internal/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

namespace millrace::json_schema {

namespace {

using Wide = unsigned __int128;

constexpr int kMostDigits = 19;  // that surely fit 64 bits
constexpr int64_t kMostExponent = 1'000'000'000;

double double_of(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

uint64_t power_of_ten_modulo(uint64_t exponent, uint64_t modulus) {
  Wide result = 1 % modulus;
  for (Wide base = 10 % modulus; exponent > 0; exponent >>= 1, base = base * base % modulus) {
    if ((exponent & 1) != 0) result = result * base % modulus;
  }
  return static_cast<uint64_t>(result);
}

// Beyond kMostExponent a verdict hangs on the exponent's sign alone: no double's power of ten comes near, and more tens
// do not make a number divisible that so many do not.
int64_t exponent_in(std::string_view text) {
  int64_t exponent = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (failed == std::errc::result_out_of_range)
    exponent = text.starts_with('-') ? -kMostExponent : kMostExponent;
  return std::clamp(exponent, -kMostExponent, kMostExponent);
}

// Appends so many zeros and the digit. False: 64 bits do not hold it.
bool append_digit(uint64_t& digits, size_t zeros, char digit) {
  for (; digits > 0 && zeros > 0; --zeros) {
    if (__builtin_mul_overflow(digits, 10, &digits)) return false;
  }
  return !__builtin_mul_overflow(digits, 10, &digits) &&
         !__builtin_add_overflow(digits, static_cast<uint64_t>(digit - '0'), &digits);
}

}  // namespace

std::optional<Number> whole_number_of(std::string_view text) {
  const char* end = text.data() + text.size();
  int64_t small = 0;
  if (const auto [at, failed] = std::from_chars(text.data(), end, small); failed == std::errc() && at == end)
    return small;
  uint64_t large = 0;
  if (const auto [at, failed] = std::from_chars(text.data(), end, large); failed == std::errc() && at == end)
    return large;
  return std::nullopt;
}

Number number_of(std::string_view text) {
  const auto whole = whole_number_of(text);
  return whole ? *whole : double_of(text);
}

bool is_whole(Number number) {
  return std::isfinite(number) && std::trunc(number) == number;
}

std::optional<Decimal> decimal_of(std::string_view text) {
  const size_t e = std::min(text.find_first_of("eE"), text.size());
  Decimal out;
  size_t zeros = 0;  // behind the digits that are not
  bool after_point = false;
  for (const char c : text.substr(0, e)) {
    after_point |= c == '.';
    if (c < '0' || c > '9') continue;
    out.exponent -= after_point ? 1 : 0;
    if (c == '0') {
      ++zeros;
    } else if (!append_digit(out.digits, std::exchange(zeros, 0), c)) {
      return std::nullopt;
    }
  }
  out.exponent += static_cast<int64_t>(zeros);
  if (e < text.size()) out.exponent += exponent_in(text.substr(e + 1));
  return out;
}

Decimal decimal_of(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  const std::string_view shortest(text, static_cast<size_t>(end - text));
  return std::isfinite(number) ? decimal_of(shortest).value_or(Decimal{}) : Decimal{};
}

bool is_multiple(const Decimal& number, const Decimal& of) {
  if (number.digits == 0) return true;
  const int64_t exponent = number.exponent - of.exponent;
  if (exponent >= 0) {
    const uint64_t power = power_of_ten_modulo(static_cast<uint64_t>(exponent), of.digits);
    return static_cast<Wide>(number.digits % of.digits) * power % of.digits == 0;
  }
  if (exponent < -kMostDigits) return false;  // of is larger than number
  Wide divisor = of.digits;
  for (int64_t i = exponent; i < 0; ++i) divisor *= 10;
  return number.digits % divisor == 0;
}

}  // namespace millrace::json_schema
