#include "json-schema/internal/number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace millrace::json_schema {

namespace {

using Wide = unsigned __int128;

constexpr int kMostDigits = 19;  // that surely fit 64 bits

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

}  // namespace

Number number_of(std::string_view text) {
  const char* end = text.data() + text.size();
  int64_t small = 0;
  if (const auto [at, failed] = std::from_chars(text.data(), end, small); failed == std::errc() && at == end)
    return small;
  uint64_t large = 0;
  if (const auto [at, failed] = std::from_chars(text.data(), end, large); failed == std::errc() && at == end)
    return large;
  return double_of(text);
}

bool is_whole(Number number) {
  return std::isfinite(number) && std::trunc(number) == number;
}

Decimal decimal_of(std::string_view text) {
  Decimal out;
  int digits = 0;
  bool after_point = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') after_point = true;
    if (text[i] < '0' || text[i] > '9') continue;
    if (digits > 0 || text[i] != '0') ++digits;
    if (digits > kMostDigits) return decimal_of(double_of(text));
    out.digits = out.digits * 10 + static_cast<uint64_t>(text[i] - '0');
    out.exponent -= after_point ? 1 : 0;
  }
  if (i < text.size()) {
    int exponent = 0;
    const size_t from = text[i + 1] == '+' ? i + 2 : i + 1;
    std::from_chars(text.data() + from, text.data() + text.size(), exponent);
    out.exponent += exponent;
  }
  return out;
}

Decimal decimal_of(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  return std::isfinite(number) ? decimal_of(std::string_view(text, static_cast<size_t>(end - text)))
                               : Decimal{};
}

bool is_multiple(const Decimal& number, const Decimal& of) {
  if (number.digits == 0) return true;
  const int64_t exponent = static_cast<int64_t>(number.exponent) - of.exponent;
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
