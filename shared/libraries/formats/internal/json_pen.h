// JsonPen: writes JSON into a string from a place on, room first, bytes then: no bound is checked a byte.
//
// The string is as long as it was or longer; what counts of it ends at end(). Private to formats/.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "event/digits.h"
#include "event/text.h"

namespace millrace::formats::json {

// The text of a day that was written last: rows of a stream mostly differ in their time of day.
struct DayText {
  int64_t days = INT64_MIN;
  size_t length = 0;
  char text[16] = {};
};

// What a row has between two values, copied in whole blocks.
class Label {
 public:
  explicit Label(std::string_view text) : size_(text.size()), text_(text) {
    text_.resize((size_ + kBlock - 1) / kBlock * kBlock);
  }
  size_t room() const { return text_.size(); }
  char* copy(char* p) const {
    for (size_t i = 0; i < text_.size(); i += kBlock) std::memcpy(p + i, text_.data() + i, kBlock);
    return p + size_;
  }

 private:
  static constexpr size_t kBlock = 16;
  size_t size_;
  std::string text_;
};

class JsonPen {
 public:
  JsonPen(std::string& out, size_t at) : out_(out), used_(at) {}
  JsonPen(const JsonPen&) = delete;
  JsonPen& operator=(const JsonPen&) = delete;

  size_t end() const { return used_; }

  void put(std::string_view bytes) {
    char* p = room(bytes.size());
    std::memcpy(p, bytes.data(), bytes.size());
    used_ += bytes.size();
  }
  void put(char c) {
    *room(1) = c;
    ++used_;
  }
  // The label, and what `put` writes behind it, of at most kScalarBytes; `put` gets a place and answers its end.
  template <typename Put>
  void put_scalar(const Label& label, Put&& put) {
    wrote(put(label.copy(room(label.room() + kScalarBytes))));
  }
  void put_string(std::string_view text);  // quoted and escaped

 private:
  static constexpr size_t kScalarBytes = 48;
  static_assert(kScalarBytes >= std::max(kIntegerBytes, kDoubleBytes));

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

// Quoted, for JsonPen::put_scalar().
char* put_timestamp(char* p, int64_t micros, bool zoned, DayText& day);

}  // namespace millrace::formats::json
