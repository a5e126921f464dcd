// Arrays in expressions: each operator is a call of the function of the same meaning.
#include <fmt/format.h>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

namespace {

std::string_view function_of(std::string_view op) {
  if (op == "@>") return "arraycontains";
  if (op == "<@") return "arraycontained";
  return op == "&&" ? "arrayoverlap" : std::string_view();
}

Error nested(const SourceSpan& span) {
  return unsupported_at(span, "arrays of arrays are not supported", "keep them as JSONB");
}

// PostgreSQL takes a bare string beside an array as one, and a value as an element.
Result<Bound> concat(Bound left, Bound right, const ast::Expr& at) {
  const auto takes_all = [](const Bound& side) { return side.unknown || is_array(side.type()); };
  std::string_view function = "array_cat";
  if (!takes_all(right)) function = "array_append";
  if (!takes_all(left)) function = "array_prepend";
  const auto type = common_type(element_of(left.type()), element_of(right.type()));
  if (!left.unknown && !right.unknown && !type) return no_operator("||", left, right, at.operator_span);
  return make_call(function, {std::move(left), std::move(right)}, at.span);
}

Bound bound_of_slice(const ast::Expr& tree, Bound bound, int64_t open) {
  return ast::is_open_bound(tree) ? make_literal(open, Type::kBigint, tree.span) : std::move(bound);
}

}  // namespace

bool is_array_operator(std::string_view op, const Bound& left, const Bound& right) {
  if (!is_array(left.type()) && !is_array(right.type())) return false;
  return op == "||" || !function_of(op).empty();
}

Result<Bound> make_array_operation(std::string_view op, Bound left, Bound right, const ast::Expr& at) {
  if (op == "||") return concat(std::move(left), std::move(right), at);
  const auto fits = [](const Bound& side) { return side.unknown || is_array(side.type()); };
  const bool alike = left.unknown || right.unknown || common_type(left.type(), right.type());
  if (!fits(left) || !fits(right) || !alike) return no_operator(op, left, right, at.operator_span);
  return make_call(function_of(op), {std::move(left), std::move(right)}, at.span);
}

Result<Bound> ExpressionBinder::array(const ast::Expr& expr) {
  if (expr.args.empty()) {
    return invalid_at(kBadArguments, expr.span, "the type of an empty array is not known",
                      "cast it: ARRAY[]::integer[]");
  }
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  std::vector<Bound*> all;
  for (Bound& arg : args) all.push_back(&arg);
  TRY(unify(std::move(all), "ARRAY"));
  if (is_array(args[0].type())) return nested(expr.span);
  return make_call("array", std::move(args), expr.span);
}

Result<Bound> ExpressionBinder::subscript(const ast::Expr& expr) {
  TRY_ASSIGN(Bound value, bind(*expr.args[0]));
  TRY_ASSIGN(Bound index, bind(*expr.args[1]));
  if (value.type() == Type::kJsonb)
    return make_jsonb_operation("->", std::move(value), std::move(index), expr);
  if (!is_array(value.type())) {
    return invalid_at(kNoOperator, expr.operator_span,
                      fmt::format("type {} has no elements", to_string(value.type())),
                      "arrays and jsonb have subscripts");
  }
  TRY_ASSIGN(index, convert(index, Type::kBigint));
  return make_call("array_element", {std::move(value), std::move(index)}, expr.span);
}

Result<Bound> ExpressionBinder::slice(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  if (!is_array(args[0].type())) {
    return invalid_at(kNoOperator, expr.operator_span,
                      fmt::format("type {} has no slices", to_string(args[0].type())), "arrays have");
  }
  args[1] = bound_of_slice(*expr.args[1], std::move(args[1]), 1);
  args[2] = bound_of_slice(*expr.args[2], std::move(args[2]), INT64_MAX);
  return make_call("array_slice", std::move(args), expr.span);
}

// x = ANY (array) is array_any('=', x, array).
Result<Bound> ExpressionBinder::quantified(const ast::Expr& expr) {
  if (expr.text.ends_with("like")) return like_any(expr);
  if (!comparison_of(expr.text)) {
    return unsupported_at(expr.operator_span, fmt::format("{} ANY is not supported", expr.text),
                          "the operators are = <> < <= > >=");
  }
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  if (args[1].unknown) {
    TRY_ASSIGN(args[1], convert(args[1], array_of(with_default_type(args[0]).type())));
  }
  const Type element = element_of(args[1].type());
  const auto type = args[0].unknown ? element : common_type(args[0].type(), element).value_or(Type::kNull);
  const bool orders = expr.text != "=" && expr.text != "<>" && expr.text != "!=";
  if (!is_array(args[1].type()) || type == Type::kNull || (orders && !has_order(element)))
    return no_operator(expr.text + (expr.negated ? " ALL" : " ANY"), args[0], args[1], expr.operator_span);
  TRY_ASSIGN(args[0], convert(args[0], type));
  TRY_ASSIGN(args[1], convert(args[1], array_of(type)));
  args.insert(args.begin(), make_literal(expr.text, Type::kText, expr.operator_span));
  return make_call(expr.negated ? "array_all" : "array_any", std::move(args), expr.span);
}

}  // namespace millrace::sql
