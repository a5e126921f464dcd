#include "protobuf/internal/text_bounds.h"

#include <fmt/format.h>

#include <algorithm>

#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {

namespace {

// The end of the comment or string that begins at `at`; `at` itself: neither does.
size_t end_of_quiet(std::string_view text, size_t at) {
  const auto end_of = [&](std::string_view mark, size_t from) {
    const size_t found = text.find(mark, from);
    return found == std::string_view::npos ? text.size() : found + mark.size();
  };
  if (text.substr(at, 2) == "//") return end_of("\n", at);
  if (text.substr(at, 2) == "/*") return end_of("*/", at + 2);
  if (text[at] != '"' && text[at] != '\'') return at;
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[at] || text[i] == '\n') {
      return i + 1;
    }
  }
  return text.size();
}

Error too_deep(std::string_view text, size_t at) {
  Error out =
      error(Code::kInvalid, "MR-PROTO-0002", fmt::format("the schema is nested more than {} deep", kMaxDepth),
            "declare messages beside each other");
  out.span = span_at(text, at);
  return out;
}

}  // namespace

SourceSpan span_at(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n') + 1),
          static_cast<uint32_t>(offset - line_start + 1), static_cast<uint32_t>(offset), 1};
}

Status check_text_bounds(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return error(Code::kInvalid, "MR-PROTO-0002",
                 fmt::format("the schema has {} bytes, more than {}", text.size(), kMaxTextBytes),
                 "split it into several and refer to them");
  }
  int depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t quiet = end_of_quiet(text, at);
    if (quiet > at) {
      at = quiet - 1;
      continue;
    }
    if (std::string_view("{[<(").find(text[at]) != std::string_view::npos && ++depth > kMaxDepth)
      return too_deep(text, at);
    if (std::string_view("}]>)").find(text[at]) != std::string_view::npos && depth > 0) --depth;
  }
  return {};
}

}  // namespace millrace::protobuf
