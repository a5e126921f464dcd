// Result<T>: the one way an operation fails. A value or an Error, never both, never ignored.
//
// Error               a small closed Code (its class), a stable id that users can look up ("MR-SQL-0012"),
//                     what is wrong, detail and hint, and for text input the place. Worth retrying is a
//                     property of the Code: see retryable().
// TRY(expr)           returns the error to the caller, drops the value.
// TRY_ASSIGN(x, expr) the same, and names the value: TRY_ASSIGN(auto n, parse(s));
// CHECK(cond, what)   our own mistake; stays on in release; ends the process. Input never trips it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace millrace {

enum class Code : uint8_t {
  kInvalid,  // the input is wrong and stays wrong
  kNotFound,
  kConflict,     // exists already, or another use of the same name or key
  kCorrupt,      // stored bytes fail their checks
  kExhausted,    // a bound was reached; retry later
  kUnavailable,  // not ready, shutting down; retry later
  kDeadline,
  kCancelled,
  kUnsupported,
  kDenied,  // not authenticated, or not allowed
  kGone,    // was there; retention has removed it
  kInternal,
};

std::string_view to_string(Code code);
inline bool retryable(Code code) {
  return code == Code::kExhausted || code == Code::kUnavailable || code == Code::kDeadline;
}

// A place in a text the user wrote. 1-based; length 0 = no span.
struct SourceSpan {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t offset = 0;  // bytes from the start of the text
  uint32_t length = 0;  // bytes
};

struct Error {
  Code code = Code::kInternal;
  std::string id;       // stable, documented: "MR-<AREA>-<NNNN>"
  std::string message;  // what is wrong and where, one sentence, no trailing full stop needed
  std::string detail;   // more, may be empty
  std::string hint;     // what to do, may be empty
  std::optional<SourceSpan> span;

  std::string to_string() const;  // one line: "MR-…: message (detail) hint: …"
};

inline Error error(Code code, std::string_view id, std::string message, std::string hint = {}) {
  return Error{code, std::string(id), std::move(message), {}, std::move(hint), std::nullopt};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}          // NOLINT
  Result(Error failure) : value_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(value_); }
  const T& value() const& { return std::get<0>(value_); }
  T&& value() && { return std::get<0>(std::move(value_)); }
  T& operator*() & { return std::get<0>(value_); }
  const T& operator*() const& { return std::get<0>(value_); }
  T* operator->() { return &std::get<0>(value_); }
  const T* operator->() const { return &std::get<0>(value_); }
  const Error& error() const& { return std::get<1>(value_); }
  Error&& error() && { return std::get<1>(std::move(value_)); }

 private:
  std::variant<T, Error> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() {
  }  // NOLINT: by default `return {};` would first set all of it to zero, which hot loops do for each value
  Result(Error failure) : failure_(std::move(failure)) {}  // NOLINT
  bool ok() const { return !failure_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *failure_; }
  Error&& error() && { return std::move(*failure_); }

 private:
  std::optional<Error> failure_;
};

using Status = Result<void>;

[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view what);

}  // namespace millrace

#define TRY(expr)                                                 \
  do {                                                            \
    auto try_result_ = (expr);                                    \
    if (!try_result_.ok()) return std::move(try_result_).error(); \
  } while (0)

#define MILLRACE_CONCAT_(a, b) a##b
#define MILLRACE_CONCAT(a, b) MILLRACE_CONCAT_(a, b)
#define TRY_ASSIGN_(tmp, lhs, expr)             \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp).error(); \
  lhs = std::move(tmp).value()
#define TRY_ASSIGN(lhs, expr) TRY_ASSIGN_(MILLRACE_CONCAT(try_, __COUNTER__), lhs, expr)

#define CHECK(cond, what)                                          \
  do {                                                             \
    if (!(cond)) [[unlikely]]                                      \
      ::millrace::check_failed(__FILE__, __LINE__, #cond, (what)); \
  } while (0)
