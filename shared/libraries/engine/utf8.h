// Characters of a UTF-8 text. Texts are valid UTF-8 where they come in; a stray byte counts as a character.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::engine {

// Bytes of the character that starts here.
inline size_t character_bytes(std::string_view text, size_t at) {
  size_t n = 1;
  while (at + n < text.size() && (static_cast<unsigned char>(text[at + n]) & 0xC0) == 0x80) ++n;
  return n;
}

inline int64_t count_characters(std::string_view text) {
  int64_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

// Where character n (from 0) starts; the text's end if it has no more than n.
inline size_t offset_of(std::string_view text, int64_t n) {
  size_t at = 0;
  for (; n > 0 && at < text.size(); --n) at += character_bytes(text, at);
  return at;
}

inline std::string_view character_at(std::string_view text, size_t at) {
  return text.substr(at, character_bytes(text, at));
}

}  // namespace millrace::engine
