// Decimal digits of integers without a branch a digit: eight of them are made in one register.
//
// Source: P. Khuong, "How to print integers really fast", 2017.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace millrace {

inline constexpr uint64_t kEightZeros = 0x3030303030303030u;  // as characters
inline constexpr size_t kIntegerBytes = 25;                   // a sign, and three times eight digits

// Of a value below 10^8, zeros in front; the first digit is the lowest byte.
constexpr uint64_t eight_digits(uint32_t value) {
  const uint64_t fours = value / 10'000 | uint64_t{value % 10'000} << 32;
  const uint64_t hundreds = (fours * 10'486 >> 20) & 0x0000007F0000007Fu;  // each four's / 100
  const uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const uint64_t tens = (twos * 103 >> 10) & 0x000F000F000F000Fu;  // each two's / 10
  return tens | (twos - 10 * tens) << 8;
}

inline char* put_eight(char* p, uint64_t characters) {
  std::memcpy(p, &characters, sizeof characters);
  return p + sizeof characters;
}

// Into kIntegerBytes of room; answers the end.
inline char* put_unsigned(char* p, uint64_t value) {
  constexpr uint64_t kNext = 100'000'000;
  if (value >= kNext) {
    p = put_unsigned(p, value / kNext);
    return put_eight(p, eight_digits(static_cast<uint32_t>(value % kNext)) | kEightZeros);
  }
  const uint64_t digits = eight_digits(static_cast<uint32_t>(value));
  const int zeros = std::countr_zero(digits | uint64_t{1} << 56) / 8;  // one digit stays
  put_eight(p, (digits | kEightZeros) >> (8 * zeros));
  return p + 8 - zeros;
}

inline char* put_integer(char* p, int64_t value) {
  *p = '-';
  const auto magnitude = static_cast<uint64_t>(value);
  return value < 0 ? put_unsigned(p + 1, 0 - magnitude) : put_unsigned(p, magnitude);
}

}  // namespace millrace
