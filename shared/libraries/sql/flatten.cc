#include "sql/flatten.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Op;

ColumnMap ColumnMap::to_places(const std::vector<int>& columns) {
  ColumnMap map;
  for (size_t i = 0; i < columns.size(); ++i) map.places_.emplace(columns[i], static_cast<int>(i));
  return map;
}

ColumnMap ColumnMap::from_places(const std::vector<int>& columns, const SourceSpan& span) {
  ColumnMap map;
  for (size_t i = 0; i < columns.size(); ++i) map.places_.emplace(static_cast<int>(i), columns[i]);
  map.span_ = span;
  return map;
}

ExprPtr ColumnMap::apply(const ExprPtr& expr) {
  if (!expr) return expr;
  const auto known = done_.find(expr.get());
  if (known != done_.end()) return known->second;
  auto out = std::make_shared<Expr>(*expr);
  if (out->op == Op::kColumn) out->column = places_.at(expr->column);
  if (span_.line > 0) out->span = span_;
  for (auto& arg : out->args) arg = apply(arg);
  done_.emplace(expr.get(), out);
  return out;
}

bool Measure::Extent::fits(size_t most) const {
  return size <= most && height <= kMaxInlinedHeight;
}

Measure::Extent Measure::of(const ExprPtr& expr) {
  const auto known = known_.find(expr);
  if (known != known_.end()) return known->second;
  Extent out;
  for (const auto& arg : expr->args) {
    const Extent part = of(arg);
    out.size = std::min(out.size + part.size, kMaxExpressionNodes + 1);
    out.height = std::max(out.height, part.height + 1);
  }
  known_.emplace(expr, out);
  return out;
}

Error too_large(const SourceSpan& span) {
  return invalid_at(
      kTooComplex, span, "the query is too large with its subqueries and views put into it",
      fmt::format("the bounds are {} parts and a height of {}: make a derived stream of one of them",
                  kMaxExpressionNodes, kMaxInlinedHeight));
}

std::optional<std::vector<Scope::Column>> inlined_columns(const std::vector<engine::NamedExpr>& outputs,
                                                          size_t most, Measure& measure) {
  std::vector<Scope::Column> out;
  for (const auto& output : outputs) {
    const Measure::Extent extent = measure.of(output.expr);
    if (!extent.fits(most)) return std::nullopt;
    out.push_back({output.name, output.expr, extent.size});
  }
  return out;
}

Status rename_columns(const std::vector<ast::Name>& names, const SourceSpan& span,
                      std::vector<std::string*> columns) {
  if (names.size() > columns.size()) {
    return invalid_at(
        kUnknownColumn, names[columns.size()].span,
        fmt::format("there are {} columns, and {} names for them", columns.size(), names.size()),
        "name as many as there are, or fewer");
  }
  for (size_t i = 0; i < names.size(); ++i) *columns[i] = names[i].text;
  std::vector<std::string> sorted;
  for (const std::string* column : columns) sorted.push_back(*column);
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (names.empty() || twice == sorted.end()) return {};
  return invalid_at(kDuplicateColumn, span, fmt::format("two columns are named \"{}\"", *twice),
                    "give them different names");
}

// AND would look at the second where the first is NULL.
ExprPtr both(const ExprPtr& first, const ExprPtr& second) {
  if (!first || !second) return first ? first : second;
  const auto make = [](Op op, std::vector<ExprPtr> args) {
    auto out = std::make_shared<Expr>();
    out->op = op;
    out->type = Type::kBoolean;
    out->span = args.back()->span;
    out->args = std::move(args);
    return ExprPtr(std::move(out));
  };
  return make(Op::kAnd, {make(Op::kIsTrue, {first}), second});
}

const CteScope::Item* CteScope::find(const std::string& name) const {
  for (const CteScope* scope = this; scope != nullptr; scope = scope->outer_) {
    const auto found = scope->items_.find(name);
    if (found != scope->items_.end()) return &found->second;
  }
  return nullptr;
}

Status CteScope::check_new(const ast::Name& name) const {
  if (items_.count(name.text) == 0) return {};
  return invalid_at(kNameTaken, name.span, fmt::format("WITH names \"{}\" twice", name.text),
                    "use another name");
}

}  // namespace millrace::sql
