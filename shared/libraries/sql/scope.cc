#include "sql/scope.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "event/row_type.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Op;

ExprPtr make_column(int index, Type type, const SourceSpan& span) {
  auto expr = std::make_shared<Expr>();
  expr->op = Op::kColumn;
  expr->type = type;
  expr->column = index;
  expr->span = span;
  return expr;
}

bool same_expr(const Expr& a, const Expr& b) {
  if (&a == &b) return true;
  if (a.op != b.op || a.type != b.type || a.column != b.column || a.function != b.function ||
      a.tries != b.tries || a.args.size() != b.args.size()) {
    return false;
  }
  if (a.window_us != b.window_us || a.window_offset_us != b.window_offset_us || a.literal != b.literal)
    return false;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!same_expr(*a.args[i], *b.args[i])) return false;
  }
  return true;
}

uint64_t expr_hash(const Expr& expr) {
  constexpr uint64_t kMix = 0x9E3779B97F4A7C15;
  uint64_t hash = static_cast<uint64_t>(expr.op) * 64 + static_cast<uint64_t>(expr.type);
  const auto add = [&](uint64_t v) { hash = (hash ^ v) * kMix + (hash >> 29); };
  add(static_cast<uint64_t>(expr.column));
  add(static_cast<uint64_t>(expr.window_us));
  add(reinterpret_cast<uintptr_t>(expr.function));
  if (const auto* i = std::get_if<int64_t>(&expr.literal)) add(static_cast<uint64_t>(*i));
  if (const auto* s = std::get_if<std::string>(&expr.literal)) add(stable_hash(*s));
  for (const auto& arg : expr.args) add(expr_hash(*arg));
  return hash;
}

Scope::Scope(std::string name, const Schema& schema) : name_(std::move(name)) {
  for (size_t i = 0; i < schema.size(); ++i) {
    add({schema[i].name, make_column(static_cast<int>(i), without_lengths(schema[i].type), {})});
  }
}

Scope::Scope(std::string name, std::vector<Column> columns) : name_(std::move(name)) {
  for (Column& column : columns) add(std::move(column));
}

void Scope::add(Column column) {
  by_name_[column.name].push_back(columns_.size());
  columns_.push_back(std::move(column));
}

void Scope::add_window(const ExprPtr& time, const engine::WindowSpec& window) {
  window_ = window;
  const bool many = window.made_of_panes();
  for (const bool start : {true, false}) {
    auto expr = std::make_shared<Expr>();
    expr->op =
        start ? (many ? Op::kWindowStart : Op::kTumbleStart) : (many ? Op::kWindowEnd : Op::kTumbleEnd);
    expr->type = time->type;
    expr->args.push_back(time);
    expr->window_us = window.size_us;
    expr->window_offset_us = window.offset_us;
    add({start ? "window_start" : "window_end", std::move(expr), 2});
  }
}

void Scope::add_count_window(const engine::CountWindow& window) {
  constexpr size_t kStartParts = 8;  // CASE WHEN end > size THEN end - size ELSE 0 END
  count_window_ = window;
  for (const bool start : {true, false}) {
    auto expr = std::make_shared<Expr>();
    expr->op = start ? Op::kRowsStart : Op::kRowsEnd;
    expr->type = Type::kBigint;
    expr->window_us = window.size;
    expr->window_offset_us = window.slide;
    add({start ? "window_start" : "window_end", std::move(expr), start ? kStartParts : 1});
  }
}

Status Scope::check_qualifier(const ast::Name& qualifier) const {
  if (!qualifier || qualifier.text == name_) return {};
  if (name_.empty()) {
    return invalid_at(kUnknownRelation, qualifier.span,
                      fmt::format("\"{}\" is not in FROM: there is no FROM", qualifier.text),
                      "add FROM and the name of a stream or a view");
  }
  return invalid_at(kUnknownRelation, qualifier.span, fmt::format("\"{}\" is not in FROM", qualifier.text),
                    fmt::format("the columns belong to \"{}\"", name_));
}

Error Scope::unknown_column(const ast::Name& qualifier, const std::string& column,
                            const SourceSpan& span) const {
  const std::string full = qualifier ? qualifier.text + "." + column : column;
  std::vector<std::string> names;
  for (const Column& c : columns_) names.push_back(c.name);
  std::string hint;
  if (qualifier && has(qualifier.text))
    hint =
        fmt::format("\"{0}\" is what FROM names; a field of the column is ({0}).{1}", qualifier.text, column);
  if (hint.empty()) hint = did_you_mean(column, names);
  // A span of two bytes more than the name: it was written in double quotes.
  if (hint.empty() && !qualifier && span.length == column.size() + 2)
    hint = "text stands in single quotes: '" + column + "'";
  if (hint.empty() && names.empty()) hint = "there is no FROM, so there are no columns";
  if (hint.empty()) hint = "the columns are " + list_names(names);
  return invalid_at(kUnknownColumn, span, fmt::format("column \"{}\" does not exist", full), hint);
}

namespace {

std::optional<size_t> system_place(const std::string& name) {
  const Schema& all = engine::system_columns();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace

Result<Scope::Column> Scope::system_column(const ast::Name& qualifier, size_t place,
                                           const SourceSpan& span) const {
  const ColumnDef& column = engine::system_columns()[place];
  if (first_system_column_ >= 0) {
    return Column{column.name,
                  make_column(first_system_column_ + static_cast<int>(place), column.type, span)};
  }
  if (refuses_system_columns_) {
    const bool time = static_cast<engine::SystemColumn>(place) == engine::SystemColumn::kTime;
    return unsupported_at(
        span, fmt::format("{} in a continuous query is not supported", column.name),
        time ? "PROCTIME() is when an event was appended"
             : "what it answers cannot depend on where an event stands; an ad-hoc SELECT can show it");
  }
  Error e = unknown_column(qualifier, column.name, span);
  e.hint = fmt::format("{} is a stored event's: a SELECT from the stream itself has it", column.name);
  return e;
}

void Scope::take_rows(const Scope& from) {
  has_append_time_ = from.has_append_time_;
  first_system_column_ = from.first_system_column_;
}

Result<Scope::Column> Scope::find(const ast::Name& qualifier, const std::string& column,
                                  const SourceSpan& span) const {
  TRY(check_qualifier(qualifier));
  const auto found = by_name_.find(column);
  if (found == by_name_.end()) {
    const auto system = system_place(column);
    return system ? system_column(qualifier, *system, span) : unknown_column(qualifier, column, span);
  }
  if (found->second.size() > 1) {
    return invalid_at(kAmbiguousColumn, span, fmt::format("column \"{}\" is ambiguous", column),
                      "the stream has a column of that name, and the window too: rename it in a subquery");
  }
  Column out = columns_[found->second.front()];
  auto expr = std::make_shared<Expr>(*out.expr);
  expr->span = span;
  out.expr = std::move(expr);
  return out;
}

}  // namespace millrace::sql
