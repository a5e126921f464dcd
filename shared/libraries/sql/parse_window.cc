// Window functions in FROM: TUMBLE, short and as the standard writes it.
#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

constexpr const char* kTumbleUsage = "write TUMBLE(stream, column, INTERVAL '1 hour')";

}  // namespace

// False: no window function stands here.
Result<bool> Parser::window_call(ast::TableRef& out) {
  const bool wrapped = is_word("table") && is_symbol("(", 1);
  if (wrapped) {
    take();
    take();
  }
  if (is_word("tumble") && is_symbol("(", 1)) {
    TRY(tumble_arguments(out));
    if (wrapped) TRY(expect_symbol(")"));
    return true;
  }
  if ((is_word("hop") || is_word("session") || is_word("cumulate")) && is_symbol("(", 1)) {
    return unsupported_at(peek().span, fmt::format("{} windows are not supported yet", raw(peek())),
                          "use TUMBLE(stream, column, INTERVAL '1 hour')");
  }
  if (wrapped) return unexpected("TABLE(…) holds TUMBLE(…)");
  return false;
}

// TUMBLE([TABLE] stream, time column, size [, offset])
Status Parser::tumble_arguments(ast::TableRef& out) {
  take();
  take();
  out.tumble = true;
  take_word("table");
  TRY_ASSIGN(out.name, relation_name("the name of a stream"));
  if (!take_symbol(",")) return unexpected(kTumbleUsage);
  TRY_ASSIGN(out.time, window_time());
  if (!take_symbol(",")) return unexpected(kTumbleUsage);
  TRY_ASSIGN(out.size, expression());
  if (take_symbol(",")) {
    TRY_ASSIGN(out.offset, expression());
  }
  if (!take_symbol(")")) return unexpected(kTumbleUsage);
  return {};
}

// A column, or DESCRIPTOR(column).
Result<ast::ExprPtr> Parser::window_time() {
  if (!is_word("descriptor") || !is_symbol("(", 1)) return expression();
  take();
  take();
  TRY_ASSIGN(ast::ExprPtr time, expression());
  if (!take_symbol(")")) return unexpected("DESCRIPTOR takes one column");
  return time;
}

}  // namespace millrace::sql
