#include "engine/regex_literal.h"

namespace millrace::engine {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class LiteralFinder {
 public:
  explicit LiteralFinder(std::string_view pattern) : rest_(pattern) {}

  std::string run() {
    while (!rest_.empty()) {
      if (!step()) return {};
    }
    end_run();
    return longest_;
  }

 private:
  // False: the pattern has what is not understood here.
  bool step() {
    const char c = take();
    switch (c) {
      case '\\':
        return escape();
      case '[':
        end_run();
        return skip_class();
      case '(':
        end_run();
        ++depth_;
        return skip_group_head();
      case ')':
        end_run();
        --depth_;
        return true;
      case '|':
        end_run();
        return depth_ > 0;
      case '*':
      case '?':
        drop_last();
        return skip_lazy();
      case '+':
        end_run();
        return skip_lazy();
      case '{':
        drop_last();
        return skip_count();
      case '^':
      case '$':
      case '.':
        end_run();
        return true;
      default:
        if (static_cast<unsigned char>(c) < 0x80)
          add(c);
        else
          end_run();
        return true;
    }
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  bool escape() {
    if (rest_.empty()) return false;
    const char c = take();
    if (!is_letter_or_digit(c)) {
      add(c);
      return static_cast<unsigned char>(c) < 0x80;
    }
    end_run();
    return std::string_view("dDwWsSbBAz").find(c) != std::string_view::npos;
  }

  bool skip_class() {
    take("^");
    bool first = true;
    while (!rest_.empty()) {
      if (take("[:")) {
        const size_t end = rest_.find(":]");
        if (end == std::string_view::npos) return false;
        rest_.remove_prefix(end + 2);
      } else {
        const char c = take();
        if (c == ']' && !first) return true;
        if (c == '\\' && !rest_.empty()) take();
      }
      first = false;
    }
    return false;
  }

  // (?:…), (?P<name>…): anything else is a flag.
  bool skip_group_head() { return !take("?") || take(":") || take("P<"); }

  bool skip_count() {
    const size_t end = rest_.find('}');
    if (end == std::string_view::npos) return false;
    rest_.remove_prefix(end + 1);
    return skip_lazy();
  }
  bool skip_lazy() {
    take("?");
    return true;
  }

  void add(char c) {
    if (depth_ == 0) run_ += c;
  }
  void drop_last() {
    if (!run_.empty()) run_.pop_back();
    end_run();
  }
  void end_run() {
    if (run_.size() > longest_.size()) longest_ = run_;
    run_.clear();
  }

  std::string_view rest_;
  size_t depth_ = 0;
  std::string run_;
  std::string longest_;
};

}  // namespace

std::string required_literal(std::string_view pattern) {
  return LiteralFinder(pattern).run();
}

}  // namespace millrace::engine
