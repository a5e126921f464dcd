// RegexCache: an evaluation's compiled regular expressions.
//
// Why:     a pattern is the same for all rows nearly always, and compiling costs a thousand matches. RE2's
//          matching takes time linear in the text, whatever the pattern is.
// Owns:    the compiled patterns; a Regex is valid until the next find().
// Threads: confined to its evaluator's worker.
// Bound:   kMaxRegexes patterns, each of kMaxRegexBytes and with at most kMaxRegexMemory of program.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/expr.h"

namespace millrace::engine {

inline constexpr size_t kMaxRegexes = 16;
inline constexpr size_t kMaxRegexBytes = 1'000;
inline constexpr int64_t kMaxRegexMemory = 256 * 1024;
inline constexpr size_t kMaxRegexGroups = 9;  // what a replacement can name, and more than extract needs

class Regex {
 public:
  Regex(std::string_view pattern, bool ignore_case, PlanOptions options = {});
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  const std::string& error() const { return error_; }  // empty: it compiled
  size_t groups() const;
  // The leftmost match at or behind `from`. groups[0] becomes the match, groups[i] its parentheses; a group
  // that took no part has no data().
  bool search(std::string_view text, size_t from, std::span<std::string_view> groups) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string error_;
  std::string required_;  // in every text that matches
};

class RegexCache {
 public:
  explicit RegexCache(PlanOptions options = {}) : options_(options) {}
  const Regex& find(std::string_view pattern, bool ignore_case);

 private:
  struct Entry {
    std::string pattern;
    bool ignore_case;
    Regex regex;
  };
  PlanOptions options_;
  std::vector<Entry> entries_;
  size_t last_ = 0;  // found last
  size_t next_ = 0;  // to be replaced next
};

}  // namespace millrace::engine
