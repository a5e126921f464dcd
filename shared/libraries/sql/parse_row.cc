// Rows: their types, ROW(…) and (a, b), the fields behind a dot.
#include "sql/parse_row.h"

#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/parser.h"

namespace millrace::sql {

using ast::ExprKind;
using ast::ExprPtr;

// ROW<a TYPE, b TYPE>, and ROW(a TYPE, b TYPE); behind the word.
Result<Type> Parser::row_type_fields(const SourceSpan& first) {
  const bool angles = is_symbol("<");
  if (!angles && !is_symbol("(")) return unexpected("a row type is written ROW<name TYPE, …>");
  take();
  if (++row_depth_ > kMaxRowDepth) {
    return invalid_at(kTooComplex, first, fmt::format("rows are nested more than {} deep", kMaxRowDepth),
                      "keep what is deeper as JSONB");
  }
  Schema fields;
  do {
    TRY_ASSIGN(const ast::Name field, label());
    for (const ColumnDef& known : fields) {
      if (known.name != field.text) continue;
      return invalid_at(kDuplicateColumn, field.span,
                        fmt::format("field \"{}\" is declared twice", field.text), "rename one of them");
    }
    TRY_ASSIGN(const ast::TypeName type, type_name());
    TRY(check_time_precision(type));
    ColumnDef& made = fields.emplace_back(ColumnDef{field.text, type.type});
    made.length = type.length;
    made.scale = type.scale;
    if (fields.size() > kMaxRowFields) return too_many(field.span, "fields of a row", kMaxRowFields);
  } while (take_symbol(","));
  if (angles) {
    TRY(closing_angle());
  } else {
    TRY(expect_symbol(")"));
  }
  --row_depth_;
  return row_type_at(std::move(fields), span_from(first));
}

Result<Type> row_type_at(Schema fields, const SourceSpan& span) {
  auto made = row_type(std::move(fields));
  if (made.ok()) return made;
  return error_at(made.error().code, made.error().id, span, made.error().message, made.error().hint);
}

// The lexer takes the >> of two rows for one operator.
Status Parser::closing_angle() {
  Token& token = tokens_[next_];
  if (token.kind != TokenKind::kOperator || !raw(token).starts_with('>')) return expect_symbol(">");
  if (token.span.length == 1) return void(take()), Status();
  ++token.span.offset;
  ++token.span.column;
  --token.span.length;
  return {};
}

Result<ExprPtr> Parser::row_constructor() {
  const Token first = take();
  TRY(expect_symbol("("));
  if (is_symbol(")")) return unexpected("a row has at least one field");
  auto expr = node(ExprKind::kRow, first.span);
  TRY(argument(*expr));
  return rest_of_row(std::move(expr));
}

// (a, b): behind its first field.
Result<ExprPtr> Parser::bare_row(const Token& open, ExprPtr field) {
  auto expr = node(ExprKind::kRow, open.span);
  expr->args.push_back(std::move(field));
  return rest_of_row(std::move(expr));
}

Result<ExprPtr> Parser::rest_of_row(ExprPtr expr) {
  const SourceSpan first = expr->span;
  TRY(arguments(*expr));
  TRY(expect_symbol(")"));
  expr->span = span_from(first);
  return finish(std::move(expr));
}

// row.name, and, in a SELECT list, row.*
Result<ExprPtr> Parser::field(ExprPtr row) {
  take();
  const SourceSpan first = row->span;
  const bool star = take_symbol("*");
  auto expr = node(star ? ExprKind::kStar : ExprKind::kField, first);
  if (!star) {
    TRY_ASSIGN(ast::Name name, label());
    expr->text = std::move(name.text);
    expr->operator_span = name.span;
  }
  expr->args.push_back(std::move(row));
  expr->span = span_from(first);
  return finish(std::move(expr));
}

}  // namespace millrace::sql
