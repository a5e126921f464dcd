// Buffer: immutable, shared bytes with room behind them. Slices keep the whole alive.
//
// Every buffer has kPadding readable bytes behind its end, so that a SIMD parser may read past a value in
// place.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace millrace {

class Buffer {
 public:
  static constexpr size_t kPadding = 64;

  Buffer() = default;
  static Buffer copy(std::string_view bytes) {
    auto owner = std::make_shared<std::string>();
    owner->reserve(bytes.size() + kPadding);
    owner->append(bytes);
    return adopt(std::move(owner));
  }
  static Buffer adopt(std::string bytes) { return adopt(std::make_shared<std::string>(std::move(bytes))); }
  static Buffer adopt(std::shared_ptr<std::string> owner) {
    const size_t size = owner->size();
    owner->append(kPadding, '\0');  // real zeros: what is behind a value is never uninitialised
    Buffer b;
    b.view_ = std::string_view(owner->data(), size);
    b.owner_ = std::move(owner);
    return b;
  }
  // Bytes that somebody else keeps alive; kPadding bytes behind them must be readable.
  static Buffer borrow(std::shared_ptr<const void> owner, std::string_view bytes) {
    Buffer b;
    b.owner_ = std::move(owner);
    b.view_ = bytes;
    return b;
  }

  std::string_view view() const { return view_; }
  const char* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  Buffer slice(size_t from, size_t length) const {
    Buffer b;
    b.owner_ = owner_;
    b.view_ = view_.substr(from, length);
    return b;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace millrace
