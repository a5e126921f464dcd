#include "engine/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/regex_literal.h"

namespace millrace::engine {
namespace {

re2::RE2::Options options(bool ignore_case) {
  re2::RE2::Options o;
  o.set_log_errors(false);
  o.set_case_sensitive(!ignore_case);
  o.set_dot_nl(true);  // as PostgreSQL's: a newline is a character like others
  o.set_max_mem(kMaxRegexMemory);
  return o;
}

// With its place, where RE2 says what it stumbled over.
std::string message_of(const re2::RE2& regex) {
  const size_t at = regex.pattern().find(regex.error_arg());
  const std::string place =
      regex.error_arg().empty() || at == std::string::npos ? "" : fmt::format(" at byte {}", at + 1);
  return fmt::format("invalid regular expression{}: {}", place, regex.error());
}

}  // namespace

struct Regex::Impl {
  Impl(std::string_view pattern, bool ignore_case)
      : re2(re2::StringPiece(pattern.data(), pattern.size()), options(ignore_case)) {}
  re2::RE2 re2;
};

Regex::Regex(std::string_view pattern, bool ignore_case, PlanOptions options) {
  if (pattern.size() > kMaxRegexBytes) {
    error_ = fmt::format("a regular expression has at most {} bytes", kMaxRegexBytes);
    return;
  }
  impl_ = std::make_unique<Impl>(pattern, ignore_case);
  if (!impl_->re2.ok())
    error_ = message_of(impl_->re2);
  else if (!ignore_case && options.optimize)
    required_ = required_literal(pattern);
}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

size_t Regex::groups() const {
  return static_cast<size_t>(impl_->re2.NumberOfCapturingGroups());
}

bool Regex::search(std::string_view text, size_t from, std::span<std::string_view> groups) const {
  if (!required_.empty() &&
      memmem(text.data() + from, text.size() - from, required_.data(), required_.size()) == nullptr)
    return false;
  std::array<re2::StringPiece, kMaxRegexGroups + 1> found;
  const size_t wanted = std::min({groups.size(), found.size(), this->groups() + 1});
  const re2::StringPiece piece(text.data(), text.size());
  if (!impl_->re2.Match(piece, from, text.size(), re2::RE2::UNANCHORED, found.data(),
                        static_cast<int>(wanted))) {
    return false;
  }
  for (size_t i = 0; i < wanted; ++i) groups[i] = {found[i].data(), found[i].size()};
  return true;
}

const Regex& RegexCache::find(std::string_view pattern, bool ignore_case) {
  const auto is = [&](const Entry& e) { return e.ignore_case == ignore_case && e.pattern == pattern; };
  if (last_ < entries_.size() && is(entries_[last_])) return entries_[last_].regex;
  const auto found = std::find_if(entries_.begin(), entries_.end(), is);
  last_ = static_cast<size_t>(found - entries_.begin());
  if (found != entries_.end()) return found->regex;
  Entry made{std::string(pattern), ignore_case, Regex(pattern, ignore_case, options_)};
  if (entries_.size() < kMaxRegexes) {
    entries_.push_back(std::move(made));
  } else {
    last_ = next_;
    next_ = (next_ + 1) % kMaxRegexes;
    entries_[last_] = std::move(made);
  }
  return entries_[last_].regex;
}

}  // namespace millrace::engine
