// Rows in expressions: made, compared, cast, and read field by field.
//
// A row as it is written, ROW(a, b), is its fields still: each takes its type from where the row goes, and two such rows are
// compared by their fields, NULLs and all. Any other row is a value, compared as one.
#include <fmt/format.h>

#include <algorithm>

#include "engine/row_kernel.h"
#include "event/row_type.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"
#include "sql/parse_row.h"

namespace millrace::sql {

using engine::Expr;
using engine::Op;

namespace {

// Of fields in their types.
Result<Bound> make_row(Type type, std::vector<Bound> fields, const SourceSpan& span) {
  return folded(call_of(engine::row_constructor(), type, std::move(fields), span));
}

Result<Bound> make_field(const Bound& row, size_t place, const SourceSpan& span) {
  const Type type = without_lengths(fields_of(row.type())[place].type);
  std::vector<Bound> args{row, make_literal(static_cast<int64_t>(place), Type::kBigint, span)};
  return folded(call_of(engine::row_field(), type, std::move(args), span));
}

Error wrong_count(size_t written, size_t wanted, const SourceSpan& span) {
  return invalid_at(kTypeMismatch, span,
                    fmt::format("a row of {} fields stands where one of {} is needed", written, wanted),
                    "write one value a field; NULL where there is none");
}

// a = c AND b = d; a <> c OR b <> d; a < c OR (a = c AND b < d), from the pair at `place` on.
Result<Bound> compare_fields(Op op, std::string_view symbol, const std::vector<Bound>& left,
                             const std::vector<Bound>& right, size_t place, const SourceSpan& span,
                             const SourceSpan& operator_span) {
  const bool last = place + 1 == left.size();
  const bool orders = op != Op::kEqual && op != Op::kNotEqual;
  Op decides = op;
  if (orders && !last) decides = op == Op::kLess || op == Op::kLessEqual ? Op::kLess : Op::kGreater;
  TRY_ASSIGN(Bound here, make_comparison(decides, symbol, left[place], right[place], span, operator_span));
  if (last) return here;
  TRY_ASSIGN(Bound rest, compare_fields(op, symbol, left, right, place + 1, span, operator_span));
  if (orders) {
    TRY_ASSIGN(Bound same, make_comparison(Op::kEqual, "=", left[place], right[place], span, operator_span));
    TRY_ASSIGN(rest, make(Op::kAnd, Type::kBoolean, {std::move(same), std::move(rest)}, span));
  }
  const Op joins = op == Op::kEqual ? Op::kAnd : Op::kOr;
  return make(joins, Type::kBoolean, {std::move(here), std::move(rest)}, span);
}

// NULL stays NULL; the fields of any other row are read, cast and put together again.
Result<Bound> cast_value_by_fields(const Bound& row, Type to, const SourceSpan& span) {
  const Schema& fields = fields_of(to);
  if (fields_of(row.type()).size() != fields.size())
    return wrong_count(fields_of(row.type()).size(), fields.size(), span);
  std::vector<Bound> made;
  for (size_t i = 0; i < fields.size(); ++i) {
    TRY_ASSIGN(Bound field, make_field(row, i, span));
    TRY_ASSIGN(field, cast_to(std::move(field), fields[i], span));
    made.push_back(std::move(field));
  }
  const Type type = without_lengths(to);
  TRY_ASSIGN(Bound put_together, make_row(type, std::move(made), span));
  TRY_ASSIGN(Bound null, make(Op::kIsNull, Type::kBoolean, {row}, span));
  return make(Op::kCase, type, {std::move(null), make_literal({}, type, span), std::move(put_together)},
              span);
}

Error no_field(const Bound& row, const std::string& name, const SourceSpan& span) {
  if (!is_row(row.type())) {
    return invalid_at(kUnknownColumn, span,
                      fmt::format("type {} has no field \"{}\"", to_string(row.type()), name),
                      "rows have fields; jsonb has members: j ->> 'name'");
  }
  std::vector<std::string> names;
  for (const ColumnDef& field : fields_of(row.type())) names.push_back(field.name);
  const std::string hint = did_you_mean(name, names);
  return invalid_at(kUnknownColumn, span, fmt::format("the row has no field \"{}\"", name),
                    hint.empty() ? "its fields are " + list_names(names) : hint);
}

Result<Bound> named_field(const Bound& row, const std::string& name, const SourceSpan& span,
                          const SourceSpan& name_span) {
  if (!is_row(row.type())) return no_field(row, name, name_span);
  const Schema& fields = fields_of(row.type());
  const auto found = std::ranges::find(fields, name, &ColumnDef::name);
  if (found == fields.end()) return no_field(row, name, name_span);
  return make_field(row, static_cast<size_t>(found - fields.begin()), span);
}

}  // namespace

// Of typed fields; the names of those that have none are PostgreSQL's.
Result<Bound> unnamed_row(std::vector<Bound> fields, const SourceSpan& span) {
  Schema schema;
  for (const Bound& field : fields)
    schema.push_back(ColumnDef{fmt::format("f{}", schema.size() + 1), field.type()});
  TRY_ASSIGN(const Type type, row_type_at(std::move(schema), span));
  return make_row(type, std::move(fields), span);
}

Result<Bound> ExpressionBinder::row(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> fields, bind_all(expr.args));
  std::vector<Bound> typed;
  for (const Bound& field : fields) typed.push_back(with_default_type(field));
  TRY_ASSIGN(Bound made, unnamed_row(std::move(typed), expr.span));
  made.fields = std::make_shared<const std::vector<Bound>>(std::move(fields));
  return made;
}

Result<Bound> ExpressionBinder::field(const ast::Expr& expr) {
  TRY_ASSIGN(const Bound row, bind(*expr.args[0]));
  return named_field(row, expr.text, expr.span, expr.operator_span);
}

// a.b: column b of what is named a in FROM; else field b of column a.
Result<Bound> ExpressionBinder::column(const ast::Expr& expr) {
  if (expr.qualifier && expr.qualifier.text != scope_.name() && scope_.has(expr.qualifier.text)) {
    TRY_ASSIGN(Scope::Column row, scope_.find({}, expr.qualifier.text, expr.qualifier.span));
    return named_field(Bound{std::move(row.expr), false, row.size}, expr.text, expr.span, expr.span);
  }
  TRY_ASSIGN(Scope::Column column, scope_.find(expr.qualifier, expr.text, expr.span));
  return Bound{std::move(column.expr), false, column.size};
}

// (row).*, and row.* of a column.
Result<std::vector<std::pair<std::string, Bound>>> ExpressionBinder::fields_of_star(const ast::Expr& star) {
  Bound row;
  if (star.args.empty()) {
    TRY_ASSIGN(Scope::Column column, scope_.find({}, star.qualifier.text, star.qualifier.span));
    row = Bound{std::move(column.expr), false, column.size};
  } else {
    TRY_ASSIGN(row, bind(*star.args[0]));
  }
  if (!is_row(row.type())) return no_field(row, "*", star.span);
  std::vector<std::pair<std::string, Bound>> out;
  for (const ColumnDef& field : fields_of(row.type())) {
    TRY_ASSIGN(Bound value, make_field(row, out.size(), star.span));
    out.emplace_back(field.name, std::move(value));
  }
  return out;
}

Status unify_rows(const std::vector<Bound*>& rows, std::string_view what) {
  std::vector<std::vector<Bound>> fields;
  for (const Bound* row : rows) fields.push_back(*row->fields);
  for (size_t i = 0; i < fields.front().size(); ++i) {
    std::vector<Bound*> column;
    for (std::vector<Bound>& row : fields) column.push_back(&row[i]);
    TRY(unify(std::move(column), what));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    TRY_ASSIGN(*rows[i], unnamed_row(std::move(fields[i]), rows[i]->expr->span));
  }
  return {};
}

Result<Bound> make_row_test(bool null, Bound row, const SourceSpan& span) {
  std::vector<Bound> args{std::move(row)};
  const auto& function = null ? engine::row_is_null() : engine::row_is_not_null();
  return folded(call_of(function, Type::kBoolean, std::move(args), span));
}

Result<Bound> make_row_comparison(Op op, std::string_view symbol, const Bound& left, const Bound& right,
                                  const SourceSpan& span, const SourceSpan& operator_span) {
  if (left.fields->size() != right.fields->size()) {
    return invalid_at(kNoOperator, operator_span,
                      fmt::format("unequal numbers of fields in the rows: {} and {}", left.fields->size(),
                                  right.fields->size()),
                      "compare rows of the same fields");
  }
  return compare_fields(op, symbol, *left.fields, *right.fields, 0, span, operator_span);
}

Result<std::optional<Bound>> coerce_row(Bound row, Type type) {
  const SourceSpan span = row.expr->span;
  if (!row.fields) {
    if (!same_fields(row.type(), type)) return std::optional<Bound>();
    TRY_ASSIGN(Bound made, make(Op::kCast, type, {std::move(row)}, span));
    return std::optional(std::move(made));
  }
  const Schema& fields = fields_of(type);
  if (fields.size() != row.fields->size()) return std::optional<Bound>();
  std::vector<Bound> made;
  for (size_t i = 0; i < fields.size(); ++i) {
    TRY_ASSIGN(std::optional<Bound> field, coerce((*row.fields)[i], fields[i].type));
    if (!field) return std::optional<Bound>();
    made.push_back(std::move(*field));
  }
  TRY_ASSIGN(Bound put_together, make_row(type, std::move(made), span));
  return std::optional(std::move(put_together));
}

Result<Bound> cast_row(Bound row, Type to, const SourceSpan& span) {
  if (!row.fields && row.type() == to) return row;
  if (!row.fields && to == without_lengths(to) && same_fields(row.type(), to))
    return make(Op::kCast, to, {std::move(row)}, span);
  if (!row.fields) return cast_value_by_fields(row, to, span);
  const Schema& fields = fields_of(to);
  if (fields.size() != row.fields->size()) return wrong_count(row.fields->size(), fields.size(), span);
  std::vector<Bound> made;
  for (size_t i = 0; i < fields.size(); ++i) {
    TRY_ASSIGN(Bound field, cast_to((*row.fields)[i], fields[i], span));
    made.push_back(std::move(field));
  }
  return make_row(without_lengths(to), std::move(made), span);
}

Result<Bound> assign_row(const Bound& row, const ColumnDef& column) {
  const Schema& fields = fields_of(column.type);
  const SourceSpan& span = row.expr->span;
  if (fields.size() != row.fields->size()) return wrong_count(row.fields->size(), fields.size(), span);
  std::vector<Bound> made;
  for (size_t i = 0; i < fields.size(); ++i) {
    TRY_ASSIGN(Bound field, assigned((*row.fields)[i], fields[i]));
    made.push_back(std::move(field));
  }
  return make_row(without_lengths(column.type), std::move(made), span);
}

}  // namespace millrace::sql
