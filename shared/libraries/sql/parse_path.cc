#include "sql/parse_path.h"

#include <fmt/format.h>

#include "event/type.h"
#include "sql/ast.h"
#include "sql/errors.h"
#include "sql/escapes.h"

namespace millrace::sql {
namespace {

Error bad_path(const SourceSpan& span, std::string message) {
  return invalid_at(kBadPath, span, std::move(message),
                    "a path is $ and the members to go through, as in '$.bid.auction' or '$.\"a b\".c'");
}

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9') || c == '$';
}

// From the opening quote.
Result<std::string> take_quoted(std::string_view& rest, const SourceSpan& span) {
  size_t close = 1;
  while (close < rest.size() && rest[close] != '"') close += rest[close] == '\\' ? 2 : 1;
  if (close >= rest.size()) return bad_path(span, "a quoted member of the path does not end");
  const std::string_view inside = rest.substr(1, close - 1);
  rest.remove_prefix(close + 1);
  return escaped_value(inside, span, '"');
}

Result<std::string> take_member(std::string_view& rest, const SourceSpan& span) {
  if (rest.starts_with('"')) return take_quoted(rest, span);
  if (rest.empty()) return bad_path(span, "the path ends with a dot");
  if (!starts_name(rest.front())) {
    return bad_path(span, fmt::format("a member of the path starts with \"{:.20}\": quote it", rest));
  }
  size_t length = 1;
  while (length < rest.size() && continues_name(rest[length])) ++length;
  std::string member(rest.substr(0, length));
  rest.remove_prefix(length);
  return member;
}

}  // namespace

Result<std::vector<std::string>> parse_path(std::string_view text, const SourceSpan& span) {
  if (text.size() > ast::kMaxPathBytes) {
    return bad_path(span, fmt::format("the path has more than {} bytes", ast::kMaxPathBytes));
  }
  if (!text.starts_with('$')) return bad_path(span, "the path does not start with $, which is the event");
  std::vector<std::string> out;
  for (std::string_view rest = text.substr(1); !rest.empty();) {
    if (rest.starts_with('[') || rest.starts_with(".*")) {
      return error_at(
          Code::kUnsupported, kBadPath, span, "a path goes through objects alone",
          "arrays and wildcards are not supported: name one member of each object, as in '$.bid.auction'");
    }
    if (!rest.starts_with('.')) return bad_path(span, fmt::format("unexpected \"{:.20}\" in the path", rest));
    if (out.size() == kMaxPathMembers) {
      return bad_path(span, fmt::format("the path has more than {} members", kMaxPathMembers));
    }
    rest.remove_prefix(1);
    TRY_ASSIGN(std::string member, take_member(rest, span));
    out.push_back(std::move(member));
  }
  if (out.empty()) return bad_path(span, "the path names no member");
  return out;
}

}  // namespace millrace::sql
