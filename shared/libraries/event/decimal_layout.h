// The bytes of a numeric (decimal.h), for what reads and writes them. Private to event/.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::decimal_layout {

inline constexpr char kNegative = 0x7F;
inline constexpr char kZero = static_cast<char>(0x80);
inline constexpr char kPositive = static_cast<char>(0x81);
inline constexpr int kPointBias = 0x8000;
inline constexpr size_t kDigitsAt = 3;

inline unsigned plain(char byte, bool negative) {
  return static_cast<unsigned char>(negative ? ~byte : byte);
}
inline int point_of(std::string_view bytes, bool negative) {
  return static_cast<int>(plain(bytes[1], negative) << 8 | plain(bytes[2], negative)) - kPointBias;
}
// Of bytes that are none: some digit.
inline int digit_of(char byte, bool negative) {
  return static_cast<int>((plain(byte, negative) - '0') % 10U);
}

// Of what is not zero; `out` has room for the digits and 4 bytes. Returns how many were written.
inline size_t write(bool negative, int point, std::string_view digits, char* out) {
  const auto biased = static_cast<unsigned>(point + kPointBias);
  const char flip = negative ? static_cast<char>(0xFF) : char{0};
  char* at = out;
  *at++ = negative ? kNegative : kPositive;
  *at++ = static_cast<char>(static_cast<char>(biased >> 8) ^ flip);
  *at++ = static_cast<char>(static_cast<char>(biased) ^ flip);
  for (const char digit : digits) *at++ = static_cast<char>(digit ^ flip);
  if (negative) *at++ = static_cast<char>(0xFF);
  return static_cast<size_t>(at - out);
}

}  // namespace millrace::decimal_layout
