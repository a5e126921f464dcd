// JsonPen: writes JSON behind the end of a string, room first, bytes then: no bound is checked a byte.
//
// The string has its size again when the pen is gone, or after text(). Private to formats/.
#pragma once

#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "event/text.h"

namespace millrace::formats::json {

// The text of a day that was written last: rows of a stream mostly differ in their time of day.
struct DayText {
  int64_t days = INT64_MIN;
  char text[10] = {};
};

class JsonPen {
 public:
  explicit JsonPen(std::string& out) : out_(out), used_(out.size()) {}
  ~JsonPen() { out_.resize(used_); }
  JsonPen(const JsonPen&) = delete;
  JsonPen& operator=(const JsonPen&) = delete;

  void put(std::string_view bytes) {
    char* p = room(bytes.size());
    std::memcpy(p, bytes.data(), bytes.size());
    used_ += bytes.size();
  }
  void put(char c) {
    *room(1) = c;
    ++used_;
  }
  void put_integer(int64_t value) {
    char* const p = room(kIntegerBytes);
    wrote(std::to_chars(p, p + kIntegerBytes, value).ptr);
  }
  void put_string(std::string_view text);                                   // quoted and escaped
  void put_timestamp(int64_t micros, std::string_view zone, DayText& day);  // quoted

  // For what can only append to a string: hands it out, and goes on behind what it appended.
  template <typename F>
  void append(F&& f) {
    out_.resize(used_);
    f(out_);
    used_ = out_.size();
  }

 private:
  static constexpr size_t kIntegerBytes = 20;

  char* room(size_t bytes) {
    if (out_.size() < used_ + bytes) grow(bytes);
    return out_.data() + used_;
  }
  void grow(size_t bytes);
  void wrote(const char* end) { used_ = static_cast<size_t>(end - out_.data()); }
  void put_escape(char c);

  std::string& out_;
  size_t used_;
};

}  // namespace millrace::formats::json
