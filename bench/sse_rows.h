// SseRows: takes the bytes of an answer that streams server-sent events, hands out every event's data.
// Understands chunked and plain bodies; one buffer, nothing copied but the unfinished rest.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::bench {

class SseRows {
 public:
  // The status, once the head is complete; 0 before.
  int status() const { return status_; }

  template <typename Each>
  void add(std::string_view piece, Each&& each) {
    if (status_ == 0) {
      head_.append(piece);
      const size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      read_head(std::string_view(head_).substr(0, end + 2));
      const std::string rest = head_.substr(end + 4);
      head_.clear();
      return add(rest, each);
    }
    if (chunked_) {
      unchunk(piece);
    } else {
      text_.append(piece);
    }
    size_t from = 0;
    while (true) {
      const size_t end = text_.find('\n', from);
      if (end == std::string::npos) break;
      const std::string_view line = std::string_view(text_).substr(from, end - from);
      if (line.starts_with("data:")) each(line.substr(5));
      from = end + 1;
    }
    text_.erase(0, from);
  }

 private:
  void read_head(std::string_view head) {
    std::from_chars(head.data() + 9, head.data() + head.size(), status_);
    if (status_ == 0) status_ = 599;
    chunked_ = head.find("chunked") != std::string_view::npos;
  }
  void unchunk(std::string_view piece) {
    while (!piece.empty()) {
      if (left_ > 0) {
        const size_t take = left_ < piece.size() ? left_ : piece.size();
        text_.append(piece.substr(0, take));
        piece.remove_prefix(take);
        left_ -= take;
        continue;
      }
      const size_t end = piece.find('\n');
      size_line_.append(piece.substr(0, end));
      if (end == std::string_view::npos) return;
      piece.remove_prefix(end + 1);
      if (size_line_ != "\r")
        std::from_chars(size_line_.data(), size_line_.data() + size_line_.size(), left_, 16);
      size_line_.clear();
    }
  }
  int status_ = 0;
  bool chunked_ = false;
  std::string head_;
  std::string text_;
  std::string size_line_;
  size_t left_ = 0;
};

}  // namespace millrace::bench
