// The operators of a whole number's bits: each is a call of the function of the same meaning.
#include <fmt/format.h>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

std::string_view function_of(std::string_view op) {
  if (op == "&") return "bitwise_and";
  if (op == "|") return "bitwise_or";
  if (op == "#") return "bitwise_xor";
  if (op == "<<") return "shift_left";
  return op == ">>" ? "shift_right" : std::string_view();
}

}  // namespace

bool is_bit_operator(std::string_view op) {
  return !function_of(op).empty();
}

Result<Bound> make_bit_operation(std::string_view op, Bound left, Bound right, const ast::Expr& at) {
  const auto fits = [](const Bound& side) { return side.unknown || is_integer(side.type()); };
  const bool shifts = op == "<<" || op == ">>";
  if (!fits(left) || !fits(right) || (left.unknown && right.unknown) ||
      (shifts && right.type() == Type::kBigint))
    return no_operator(op, left, right, at.operator_span);
  return make_call(function_of(op), {std::move(left), std::move(right)}, at.span);
}

Result<Bound> make_bit_complement(Bound value, const ast::Expr& at) {
  if (!value.unknown && is_integer(value.type()))
    return make_call("bitwise_not", {std::move(value)}, at.span);
  return invalid_at(
      kNoOperator, at.operator_span,
      fmt::format("operator does not exist: ~ {}", value.unknown ? "unknown" : to_string(value.type())),
      "~ needs a whole number");
}

}  // namespace millrace::sql
