#include "base/result.h"

namespace millrace {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalid:
      return "invalid";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kExhausted:
      return "exhausted";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kDeadline:
      return "deadline";
    case Code::kCancelled:
      return "cancelled";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kDenied:
      return "denied";
    case Code::kGone:
      return "gone";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

std::string Error::to_string() const {
  std::string text = id.empty() ? std::string(millrace::to_string(code)) : id;
  text += ": " + message;
  if (!detail.empty()) text += " (" + detail + ")";
  if (!hint.empty()) text += " hint: " + hint;
  return text;
}

void check_failed(const char* file, int line, const char* condition, std::string_view what) {
  std::fprintf(stderr, "millrace: a check failed at %s:%d: %s: %.*s\n", file, line, condition,
               static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace millrace
