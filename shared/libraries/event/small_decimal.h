// SmallDecimal: a numeric of at most 18 digits, or a bigint, as a whole number and a scale.
//
// Why:   most numerics are: their arithmetic takes a few instructions, where a Decimal's takes a loop over its digits.
// Bytes: those of decimal.h, read and written without a Decimal between.
// Bound: what is longer, or further from the point than kMaxSmallScale, is none: a Decimal computes it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace {

inline constexpr int kMaxSmallScale = 200;

// value * 10^-scale; the scale of a round number is below zero.
struct SmallDecimal {
  int64_t value = 0;
  int scale = 0;
};
std::optional<SmallDecimal> small_decimal(std::string_view bytes);

// The digits of a number: at most 39.
using DigitBuffer = std::array<char, 40>;
std::string_view write_digits(unsigned __int128 value, DigitBuffer& buffer);

// decimal_bytes() of value * 10^-scale, the scale's amount at most 2 * kMaxSmallScale.
using DecimalBuffer = std::array<char, 48>;
std::string_view write_decimal(__int128 value, int scale, DecimalBuffer& buffer);

// The answer's bytes; empty: it is not to be had so.
std::string_view add(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer);
std::string_view subtract(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer);
std::string_view multiply(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer);
std::string_view divide(SmallDecimal a, SmallDecimal b, DecimalBuffer& buffer);  // b is not zero
std::optional<__int128> scaled(SmallDecimal a, int scale);  // a * 10^scale, exactly; nullopt: or too large
// nullopt: one that this cannot round as a double is rounded.
std::optional<double> double_of(SmallDecimal a);

}  // namespace millrace
