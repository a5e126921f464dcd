// Letters, digits and spaces of ASCII, whatever the locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

enum class LetterCase : uint8_t { kMixed, kLower, kUpper };

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr char in_case(char c, LetterCase letters) {
  return letters == LetterCase::kMixed ? c : letters == LetterCase::kLower ? lower(c) : upper(c);
}

inline void append_in_case(std::string_view text, LetterCase letters, std::string& out) {
  for (const char c : text) out += in_case(c, letters);
}
// Whether the text starts with the name, written in that case.
inline bool starts_in_case(std::string_view text, std::string_view name, LetterCase letters) {
  if (text.size() < name.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (text[i] != in_case(name[i], letters)) return false;
  }
  return true;
}
// The same in any case.
inline bool starts_with_name(std::string_view text, std::string_view name) {
  if (text.size() < name.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (lower(text[i]) != lower(name[i])) return false;
  }
  return true;
}

// 1st, 2nd, 3rd, 4th, 11th, …; of the last digits of a number.
constexpr std::string_view ordinal_ending(char tens, char ones) {
  if (tens == '1' || ones == '0' || ones > '3') return "th";
  return ones == '1' ? "st" : ones == '2' ? "nd" : "rd";
}

}  // namespace millrace
