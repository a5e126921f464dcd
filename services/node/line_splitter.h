// LineSplitter: pieces of a stream in, whole lines out; and EventReader, server-sent events on top of it.
//
// Bound: a line of kMaxLine; a longer one ends the reading (false).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace millrace::cli {

class LineSplitter {
 public:
  static constexpr size_t kMaxLine = 64u << 20;
  using Each = std::function<bool(std::string_view line)>;  // false: enough

  explicit LineSplitter(Each each) : each_(std::move(each)) {}
  bool add(std::string_view piece) {
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      rest_.append(piece.substr(0, end));
      if (rest_.size() > kMaxLine) return false;
      if (end == std::string_view::npos) return true;
      piece.remove_prefix(end + 1);
      if (!emit()) return false;
    }
    return true;
  }
  bool finish() { return rest_.empty() || emit(); }

 private:
  bool emit() {
    const std::string line = std::move(rest_);
    rest_.clear();
    std::string_view view = line;
    if (view.ends_with('\r')) view.remove_suffix(1);
    return each_(view);
  }
  Each each_;
  std::string rest_;
};

// Server-sent events (WHATWG HTML, 9.2): fields until an empty line, comments ignored.
struct ServerEvent {
  std::string id, type, data;
};
class EventReader {
 public:
  using Each = std::function<bool(const ServerEvent& event)>;

  explicit EventReader(Each each)
      : each_(std::move(each)), lines_([this](std::string_view line) { return take(line); }) {}
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  bool add(std::string_view piece) { return lines_.add(piece); }
  // Of the last whole block, also one that was no event: the place to come back to.
  const std::string& last_id() const { return last_id_; }

 private:
  bool take(std::string_view line) {
    if (line.empty()) return dispatch();
    if (line.front() == ':') return true;
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "id") next_.id = value;
    if (name == "event") next_.type = value;
    if (name == "data") next_.data.append(next_.data.empty() ? "" : "\n").append(value);
    return true;
  }
  bool dispatch() {
    last_id_ = next_.id;
    const bool more = next_.data.empty() || each_(next_);
    next_.type.clear();
    next_.data.clear();
    return more;
  }
  Each each_;
  ServerEvent next_;
  std::string last_id_;
  LineSplitter lines_;
};

}  // namespace millrace::cli
