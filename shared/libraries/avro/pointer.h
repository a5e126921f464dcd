// Pointer: a place in a JSON text, as RFC 6901 writes it. A chain on the stack: costs nothing until it is shown.
#pragma once

#include <string>
#include <string_view>

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
    if (member_.empty())
      out += std::to_string(index_);
    else
      out += member_;
  }

  const Pointer* parent_ = nullptr;
  std::string_view member_;
  size_t index_ = 0;
};

}  // namespace millrace::avro
