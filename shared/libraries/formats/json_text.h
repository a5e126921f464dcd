// JsonText: JSON written piece by piece behind what is there; commas come by themselves.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

#include "formats/json.h"

namespace millrace::formats {

class JsonText {
 public:
  explicit JsonText(std::string& out) : out_(out) {}

  JsonText& open(char bracket) {
    separate();
    out_ += bracket;
    return *this;
  }
  JsonText& close(char bracket) {
    out_ += bracket;
    return *this;
  }
  JsonText& name(std::string_view name) {
    text(name);
    out_ += ':';
    return *this;
  }
  JsonText& text(std::string_view value) {
    separate();
    append_json_string(out_, value);
    return *this;
  }
  // A number, true, false, null, or a value that is JSON already.
  JsonText& value(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }
  template <typename Number>
  JsonText& number(Number value) {
    separate();
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return *this;
  }
  JsonText& flag(bool value) { return this->value(value ? "true" : "false"); }

 private:
  // What stands before a value ends in another value's last character, or in one of these.
  void separate() {
    if (!out_.empty() && std::string_view("{[:,\n").find(out_.back()) == std::string_view::npos) out_ += ',';
  }
  std::string& out_;
};

}  // namespace millrace::formats
