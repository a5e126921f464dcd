// WideNumber: a whole number of thousands of digits, for the functions of numeric that no column's bytes can compute.
//
// Why:   a logarithm takes hundreds of products of all its digits; a Decimal's product is a loop over characters.
// Bytes: groups of nine digits, the least significant first, no zero at the end.
// Bound: none of its own; who computes says how many digits there are (decimal_functions.cc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

class WideNumber {
 public:
  static constexpr uint32_t kBase = 1'000'000'000;
  static constexpr int kGroupDigits = 9;

  WideNumber() = default;
  explicit WideNumber(uint64_t value);
  static WideNumber of_digits(std::string_view digits);
  std::string digits() const;  // without zeros in front; empty: zero

  bool is_zero() const { return groups_.empty(); }
  int compare(const WideNumber& other) const;  // below, at or above zero

  WideNumber& operator+=(const WideNumber& other);
  WideNumber& operator-=(const WideNumber& other);  // which is not greater
  WideNumber& operator*=(uint32_t factor);
  WideNumber& operator/=(uint32_t divisor);  // the whole part; at most kBase
  friend WideNumber operator*(const WideNumber& a, const WideNumber& b);
  friend WideNumber operator/(const WideNumber& a, const WideNumber& b);  // the whole part

  // Times kBase to the power of so many groups, or the whole part over it.
  void shift_up(size_t groups);
  void shift_down(size_t groups);

 private:
  void trim();

  std::vector<uint32_t> groups_;
};

}  // namespace millrace
