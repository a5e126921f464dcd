// Arrays: PostgreSQL's, of one dimension, with subscripts from 1.
//
// Why:     a column, a record, a group key and a stored value hold an array as they hold a text: as bytes.
// Bytes:   the elements' ordered bytes (ordered_bytes.h), one behind the other. So arrays are compared as PostgreSQL does,
//          element by element, NULLs last and the shorter one first, by comparing bytes. Of intervals alone two that are
//          equal can differ in their bytes ('1 mon', '30 days').
// Bound:   kMaxArrayElements where one is read; what expressions make of them is bounded as texts are.
#pragma once

#include <string>
#include <string_view>

#include "event/ordered_bytes.h"

namespace millrace {

inline constexpr size_t kMaxArrayElements = 65'536;

// Takes the elements off an array's bytes, one by one.
class ArrayReader {
 public:
  ArrayReader(std::string_view bytes, Type element) : left_(bytes), element_(element) {}

  // The next element's ordered bytes. False: there is none.
  bool next(std::string_view& element) {
    const std::string_view before = left_;
    if (!skip_ordered(left_, element_)) return false;
    element = before.substr(0, before.size() - left_.size());
    return true;
  }

 private:
  std::string_view left_;
  Type element_;
};

// Makes an array of values, one by one.
class ArrayMaker {
 public:
  explicit ArrayMaker(Type element) { one_.type = element; }
  void add(const Scalar& value) {
    one_.clear();
    one_.append(value);
    append_ordered(bytes_, one_, 0);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Column one_;
  std::string bytes_;
};

size_t array_size(std::string_view bytes, Type element);
// The elements' values, appended to a column of their type.
void append_elements(std::string_view bytes, Column& out, Arena& arena);

}  // namespace millrace
