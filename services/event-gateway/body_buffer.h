// BodyBuffer: a request's body as it arrives: bytes that grow without being cleared first, with padding behind for the
// parser of events.
//
// Owns:  its memory; view() is valid until the next call that adds or clears.
// Bound: the caller's; kept after clear(): kKept bytes.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/buffer.h"

namespace millrace::gateway {

class BodyBuffer {
 public:
  std::string_view view() const { return {data_.get(), size_}; }
  size_t size() const { return size_; }
  size_t room() const { return room_; }
  char* tail(size_t room) {
    reserve(size_ + room);
    return data_.get() + size_;
  }
  void commit(size_t bytes) { size_ += bytes; }
  void append(std::string_view bytes) {
    std::memcpy(tail(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void reserve(size_t bytes) {
    if (data_ != nullptr && bytes <= room_) return;
    move_to(std::max({bytes, 2 * room_, size_t{1024}}));
  }
  void drop_front(size_t bytes) {
    size_ -= bytes;
    std::memmove(data_.get(), data_.get() + bytes, size_);
    if (room_ > kKept && size_ < room_ / 4) move_to(std::max(2 * size_, kKept));
  }
  void seal() { std::memset(tail(0), 0, Buffer::kPadding); }
  void clear() {
    size_ = 0;
    if (room_ <= kKept) return;
    data_.reset();
    room_ = 0;
  }

 private:
  static constexpr size_t kKept = 64 * 1024;  // by an idle connection

  void move_to(size_t room) {
    auto data = std::make_unique_for_overwrite<char[]>(room + Buffer::kPadding);
    if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    room_ = room;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0, room_ = 0;
};

}  // namespace millrace::gateway
