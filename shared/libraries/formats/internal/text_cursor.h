// TextCursor: what is left of the text of an array or a row, as PostgreSQL writes them. A base of their readers.
#pragma once

#include <algorithm>
#include <string_view>

namespace millrace::formats {

inline constexpr std::string_view kSpace = " \t\n\r\f\v";

class TextCursor {
 protected:
  explicit TextCursor(std::string_view text) : left_(text) {}

  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void skip_space() { left_.remove_prefix(std::min(left_.find_first_not_of(kSpace), left_.size())); }

  std::string_view left_;
};

}  // namespace millrace::formats
