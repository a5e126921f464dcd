#include "avro/number_text.h"

#include <charconv>
#include <cmath>

namespace millrace::avro {

std::optional<double> double_of(std::string_view number) {
  double value = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failure == std::errc::result_out_of_range) {
    // Too small is zero; too large has no double.
    if (number.find_first_of("eE") != std::string_view::npos && number.find("e-") == std::string_view::npos &&
        number.find("E-") == std::string_view::npos)
      return std::nullopt;
    return number.starts_with('-') ? -0.0 : 0.0;
  }
  if (failure != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return value;
}

namespace {

// From 10^-3 up to 10^7 without an exponent, else with one digit before the point.
std::string laid_out(std::string_view digits, int exponent) {
  std::string out;
  if (exponent >= -3 && exponent < 0)
    return std::string("0.").append(static_cast<size_t>(-exponent - 1), '0') + std::string(digits);
  if (exponent >= 0 && exponent < 7) {
    const size_t whole = static_cast<size_t>(exponent) + 1;
    if (digits.size() <= whole) return std::string(digits).append(whole - digits.size(), '0') + ".0";
    return std::string(digits.substr(0, whole)) + "." + std::string(digits.substr(whole));
  }
  out = digits.substr(0, 1);
  out += '.';
  out += digits.size() > 1 ? digits.substr(1) : "0";
  return out + "E" + std::to_string(exponent);
}

}  // namespace

std::string double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string sign = std::signbit(value) ? "-" : "";
  if (value == 0) return sign + "0.0";
  char buffer[32];
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(written.ptr - buffer));
  const size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const size_t from = text[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text.data() + from, text.data() + text.size(), exponent);
  return sign + laid_out(digits, exponent);
}

std::string real_text(std::string_view number) {
  const auto value = double_of(number);
  return value ? double_text(*value) : std::string(number);
}

}  // namespace millrace::avro
