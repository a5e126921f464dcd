// || and LIKE.
#include <cstring>

#include "engine/kernels.h"
#include "engine/utf8.h"

namespace millrace::engine {
namespace {

constexpr std::string_view kBadPattern = "MR-SQL-0107";
constexpr std::string_view kTooLong = "MR-SQL-0108";

void concat(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
            Column& out, Context& context) {
  Arena& arena = *context.batch.arena;
  using View = std::string_view;
  strict_binary<View, View, View>(node.expr->type, left, right, selection, context.batch.rows, out,
                                  [&](View a, View b, size_t row) -> View {
                                    if (out.is_null(row)) return {};
                                    if (a.empty() || b.empty()) return a.empty() ? b : a;
                                    if (a.size() + b.size() > kMaxTextBytes) {
                                      context.fail(row, node.expr->span, kTooLong,
                                                   "the text would be longer than 1 MB");
                                      return {};
                                    }
                                    char* place = arena.allocate(a.size() + b.size());
                                    std::memcpy(place, a.data(), a.size());
                                    std::memcpy(place + a.size(), b.data(), b.size());
                                    return {place, a.size() + b.size()};
                                  });
}

// % any characters, _ one character, '\' makes the next one plain. On a mismatch the last % takes one more
// character: earlier ones need no second try, so the cost is at most text times pattern.
bool like_matches(std::string_view text, std::string_view pattern) {
  constexpr size_t kNone = std::string_view::npos;
  size_t t = 0;
  size_t p = 0;
  size_t after_percent = kNone;
  size_t retry_at = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      after_percent = ++p;
      retry_at = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_') {
      t += character_bytes(text, t);
      ++p;
      continue;
    }
    const size_t escape = p < pattern.size() && pattern[p] == '\\';
    if (p + escape < pattern.size() && pattern[p + escape] == text[t]) {
      ++t;
      p += escape + 1;
      continue;
    }
    if (after_percent == kNone) return false;
    retry_at += character_bytes(text, retry_at);
    t = retry_at;
    p = after_percent;
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

bool ends_with_escape(std::string_view pattern) {
  size_t backslashes = 0;
  while (backslashes < pattern.size() && pattern[pattern.size() - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

void like(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
          Column& out, Context& context) {
  using View = std::string_view;
  strict_binary<View, View, uint8_t>(Type::kBoolean, left, right, selection, context.batch.rows, out,
                                     [&](View text, View pattern, size_t row) -> uint8_t {
                                       if (out.is_null(row)) return 0;
                                       if (ends_with_escape(pattern)) {
                                         context.fail(
                                             row, node.expr->span, kBadPattern,
                                             "a LIKE pattern must not end with its escape character '\\'");
                                         return 0;
                                       }
                                       return like_matches(text, pattern);
                                     });
}

}  // namespace

Kernel text_kernel(const Expr& expr) {
  if (expr.op == Op::kConcat) return concat;
  return expr.op == Op::kLike ? like : nullptr;
}

}  // namespace millrace::engine
