// Window functions in FROM: TUMBLE, HOP, CUMULATE, SESSION, short and as the standard writes them.
#include "sql/errors.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

using ast::WindowFunction;

struct Known {
  std::string_view name;
  WindowFunction function;
  const char* usage;
};
constexpr Known kKnown[] = {
    {"tumble", WindowFunction::kTumble, "write TUMBLE(stream, column, INTERVAL '1 hour')"},
    {"hop", WindowFunction::kHop, "write HOP(stream, column, INTERVAL '5 minutes', INTERVAL '1 hour')"},
    {"cumulate", WindowFunction::kCumulate,
     "write CUMULATE(stream, column, INTERVAL '1 hour', INTERVAL '1 day')"},
    {"session", WindowFunction::kSession, "write SESSION(stream, column, INTERVAL '30 minutes')"},
};

}  // namespace

// False: no window function stands here.
Result<bool> Parser::window_call(ast::TableRef& out) {
  const bool wrapped = is_word("table") && is_symbol("(", 1);
  if (wrapped) {
    take();
    take();
  }
  for (const Known& known : kKnown) {
    if (!is_word(known.name) || !is_symbol("(", 1)) continue;
    take();
    take();
    out.window = known.function;
    TRY(window_arguments(out, known.usage));
    if (wrapped) TRY(expect_symbol(")"));
    return true;
  }
  if (wrapped) return unexpected("TABLE(…) holds TUMBLE(…), HOP(…), CUMULATE(…) or SESSION(…)");
  return false;
}

// [TABLE] stream [PARTITION BY …], time column [, slide or step], size [, offset])
Status Parser::window_arguments(ast::TableRef& out, const char* usage) {
  take_word("table");
  if (is_symbol("(") && starts_query()) {
    TRY_ASSIGN(out.subquery, subquery());
  } else {
    TRY_ASSIGN(out.name, relation_name("the name of a stream"));
  }
  if (out.window == WindowFunction::kSession) TRY(session_partition(out));
  if (!take_symbol(",")) return unexpected(usage);
  if (starts_rows()) return window_of_rows(out);
  TRY_ASSIGN(out.time, window_time());
  if (!take_symbol(",")) return unexpected(usage);
  if (starts_rows()) return unexpected("a window of rows has no time: write TUMBLE(stream, ROWS 100)");
  if (out.window == WindowFunction::kHop || out.window == WindowFunction::kCumulate) {
    TRY_ASSIGN(out.step, expression());
    if (!take_symbol(",")) return unexpected(usage);
  }
  TRY_ASSIGN(out.size, expression());
  if (out.window != WindowFunction::kSession && take_symbol(",")) {
    TRY_ASSIGN(out.offset, expression());
  }
  if (!take_symbol(")")) return unexpected(usage);
  return {};
}

// A column may be called rows, too.
bool Parser::starts_rows() const {
  return is_word("rows") && !is_symbol(",", 1) && !is_symbol(".", 1);
}

// ROWS size), or ROWS slide, ROWS size)
Status Parser::window_of_rows(ast::TableRef& out) {
  const bool hop = out.window == WindowFunction::kHop;
  const char* const usage = hop ? "write HOP(stream, ROWS 10, ROWS 100)" : "write TUMBLE(stream, ROWS 100)";
  if (!hop && out.window != WindowFunction::kTumble)
    return unsupported_at(peek().span, "CUMULATE and SESSION of rows are not supported",
                          "windows of rows are TUMBLE(stream, ROWS 100) and HOP(stream, ROWS 10, ROWS 100)");
  out.of_rows = true;
  take();
  if (hop) {
    TRY_ASSIGN(out.step, expression());
    if (!take_symbol(",") || !take_word("rows")) return unexpected(usage);
  }
  TRY_ASSIGN(out.size, expression());
  if (!take_symbol(")")) return unexpected(usage);
  return {};
}

// [PARTITION BY column, …]: DESCRIPTOR(…) ends the list.
Status Parser::session_partition(ast::TableRef& out) {
  if (!take_word("partition")) return {};
  if (!take_word("by")) return unexpected("write PARTITION BY column");
  do {
    if (!out.partition_by.empty()) take();
    TRY_ASSIGN(ast::ExprPtr key, expression());
    out.partition_by.push_back(std::move(key));
  } while (is_symbol(",") && !is_word("descriptor", 1));
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
