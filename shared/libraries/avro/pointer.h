// Pointer: a place in a JSON text, as RFC 6901 writes it. A chain on the stack: costs nothing until it is shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schema/json_pointer.h"

namespace millrace::avro {

class Pointer {
 public:
  Pointer() = default;
  Pointer(const Pointer& parent, std::string_view member) : parent_(&parent), member_(member) {}
  Pointer(const Pointer& parent, size_t index) : parent_(&parent), index_(index) {}
  Pointer(const Pointer&) = delete;

  std::string text() const {
    if (parent_ == nullptr) return "/";
    std::string out;
    append(out);
    return out;
  }

 private:
  void append(std::string& out) const {
    if (parent_ == nullptr) return;
    parent_->append(out);
    out += '/';
    out += index_ ? std::to_string(*index_) : schema::pointer_escaped(member_);
  }

  const Pointer* parent_ = nullptr;
  std::string_view member_;
  std::optional<size_t> index_;  // instead of a member
};

}  // namespace millrace::avro
