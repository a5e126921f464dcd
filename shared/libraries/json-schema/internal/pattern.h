// Pattern: a regular expression of ECMA-262, as schemas write them, carried out by RE2 in time linear in the text.
//
// Errors: MR-JSCH-0006: what RE2 cannot do (looking ahead or behind, references back), or no regular expression.
// Bound:  kMostPatternMemory for each.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace millrace::json_schema {

constexpr int64_t kMostPatternMemory = 1 << 20;

class Pattern {
 public:
  static Result<Pattern> compile(std::string_view pattern);
  ~Pattern();
  Pattern(Pattern&&) noexcept;

  bool is_in(std::string_view text) const;  // anywhere in it
  const std::string& text() const { return text_; }

 private:
  explicit Pattern(std::string text);

  std::string text_;
  std::unique_ptr<re2::RE2> expression_;
};

}  // namespace millrace::json_schema
