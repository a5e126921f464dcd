// The operators of jsonb: each is a call of the function of the same meaning.
#include <fmt/format.h>

#include <algorithm>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

struct OperatorName {
  std::string_view op;
  std::string_view function;
  std::string_view of_number = {};  // where the right side is a whole number
};
constexpr OperatorName kOperators[] = {
    {"->", "jsonb_object_field", "jsonb_array_element"},
    {"->>", "jsonb_object_field_text", "jsonb_array_element_text"},
    {"#>", "jsonb_extract_path"},
    {"#>>", "jsonb_extract_path_text"},
    {"#-", "jsonb_delete_path"},
    {"@>", "jsonb_contains"},
    {"<@", "jsonb_contained"},
    {"?", "jsonb_exists"},
    {"?|", "jsonb_exists_any"},
    {"?&", "jsonb_exists_all"},
    // Other types have these, too.
    {"||", "jsonb_concat"},
    {"-", "jsonb_delete"},
};

const OperatorName* find_operator(std::string_view op) {
  const auto* found = std::ranges::find(kOperators, op, &OperatorName::op);
  return found == std::end(kOperators) ? nullptr : found;
}

// '{a,"b c",0}' as the arguments that it stands for.
Result<std::vector<Bound>> path_arguments(const Bound& path) {
  const auto bad = [&] {
    return invalid_at(kBadLiteral, path.expr->span, "a path is names and numbers in braces, or a text[]",
                      "write '{a,0,b}' or ARRAY[a, b]");
  };
  const auto* text = std::get_if<std::string>(&path.expr->literal);
  if (!path.unknown || text == nullptr || text->size() < 2 || text->front() != '{' || text->back() != '}')
    return bad();
  std::vector<Bound> out;
  std::string name;
  const auto finish = [&] {
    out.push_back(make_literal(name, Type::kText, path.expr->span));
    name.clear();
  };
  bool quoted = false;
  for (size_t i = 1; i + 1 < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '\\' && i + 2 < text->size()) {
      name += (*text)[++i];
    } else if (c == ',' && !quoted) {
      finish();
    } else if (c != ' ' || quoted || !name.empty()) {
      name += c;
    }
  }
  if (quoted || (name.empty() && !out.empty())) return bad();
  if (text->size() > 2) finish();
  return out;
}

}  // namespace

bool is_jsonb_operator(std::string_view op, const Bound& left, const Bound& right) {
  const OperatorName* found = find_operator(op);
  if (found == nullptr) return false;
  if (op == "-") return left.type() == Type::kJsonb;
  if (op != "||") return true;
  const auto fits = [](const Bound& side) { return side.unknown || side.type() == Type::kJsonb; };
  return fits(left) && fits(right) && !(left.unknown && right.unknown);
}

Result<Bound> make_jsonb_operation(std::string_view op, Bound left, Bound right, const ast::Expr& at) {
  const OperatorName& known = *find_operator(op);
  TRY_ASSIGN(std::optional<Bound> object, coerce(left, Type::kJsonb));
  const bool number = is_integer(right.type());
  const bool path = op.starts_with('#');
  if (object && op == "#-") return make_call(known.function, {std::move(*object), std::move(right)}, at.span);
  const bool texts = right.type() == array_of(Type::kText);
  if (object && texts && op == "-")
    return make_call("jsonb_delete_names", {std::move(*object), std::move(right)}, at.span);
  const bool names = texts && (path || op == "?|" || op == "?&");
  if (object && names) {
    const std::string_view at_path = op == "#>" ? "jsonb_at" : "jsonb_at_text";
    return make_call(path ? at_path : known.function, {std::move(*object), std::move(right)}, at.span);
  }
  const bool fits = right.unknown || right.type() == Type::kJsonb || right.type() == Type::kText || number;
  if (!object || !fits) return no_operator(op, left, right, at.operator_span);
  std::vector<Bound> args{std::move(*object)};
  if (path) {
    TRY_ASSIGN(std::vector<Bound> steps, path_arguments(right));
    if (steps.empty()) return std::move(args.front());
    std::ranges::move(steps, std::back_inserter(args));
  } else {
    args.push_back(std::move(right));
  }
  return make_call(number && !known.of_number.empty() ? known.of_number : known.function, std::move(args),
                   at.span);
}

}  // namespace millrace::sql
