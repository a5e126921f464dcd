#include "sql/grouping.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::NamedExpr;
using engine::Op;

bool is_window_start(Op op) {
  return op == Op::kTumbleStart || op == Op::kWindowStart;
}
bool is_window_end(Op op) {
  return op == Op::kTumbleEnd || op == Op::kWindowEnd;
}
bool is_count_window(Op op) {
  return op == Op::kRowsStart || op == Op::kRowsEnd;
}
Op start_of(Op end) {
  return end == Op::kTumbleEnd ? Op::kTumbleStart : Op::kWindowStart;
}

GroupedOutputs::GroupedOutputs(const engine::QueryPlan& plan, const Schema& source)
    : keys_(plan.group_keys), set_key_(plan.set_key), source_(source) {
  for (size_t i = 0; i < keys_.size(); ++i) by_hash_.emplace(expr_hash(*keys_[i].expr), i);
}

Result<ExprPtr> GroupedOutputs::apply(const ExprPtr& expr) {
  const auto known = done_.find(expr.get());
  if (known != done_.end()) return known->second;
  TRY_ASSIGN(ExprPtr made, rewrite(expr));
  done_.emplace(expr.get(), made);
  return made;
}

uint64_t GroupedOutputs::hash_of(const Expr& expr) {
  const auto known = hashes_.find(&expr);
  if (known != hashes_.end()) return known->second;
  return hashes_.emplace(&expr, expr_hash(expr)).first->second;
}

std::optional<size_t> GroupedOutputs::key_of(const Expr& expr) {
  const auto [from, to] = by_hash_.equal_range(hash_of(expr));
  for (auto it = from; it != to; ++it) {
    if (same_expr(expr, *keys_[it->second].expr)) return it->second;
  }
  return std::nullopt;
}

Result<ExprPtr> GroupedOutputs::rewrite(const ExprPtr& expr) {
  if (expr->op == Op::kLiteral) return expr;
  if (expr->op == Op::kColumn && expr->column >= kAggregateBase) {
    return make_column(static_cast<int>(keys_.size()) + expr->column - kAggregateBase, expr->type,
                       expr->span);
  }
  if (expr->op == Op::kGrouping) return grouping(*expr);
  if (is_count_window(expr->op)) return count_window(*expr);
  if (const auto key = key_of(*expr)) return make_column(static_cast<int>(*key), expr->type, expr->span);
  if (expr->op == Op::kTumbleEnd || expr->op == Op::kWindowEnd) return window_end(*expr);
  if (expr->op == Op::kColumn || expr->op == Op::kProctime || is_window_start(expr->op))
    return not_grouped(*expr);
  auto out = std::make_shared<Expr>(*expr);
  for (auto& arg : out->args) {
    TRY_ASSIGN(arg, apply(arg));
  }
  return ExprPtr(std::move(out));
}

// A bit an argument, 1 where the group's set is without it: bits of the set's number.
Result<ExprPtr> GroupedOutputs::grouping(const Expr& expr) {
  const auto number = [&](int64_t value) { return make_literal(value, Type::kInteger, expr.span).expr; };
  const auto node = [&](Op op, ExprPtr left, ExprPtr right) {
    auto out = std::make_shared<Expr>();
    out->op = op;
    out->type = Type::kInteger;
    out->span = expr.span;
    out->args = {std::move(left), std::move(right)};
    return ExprPtr(std::move(out));
  };
  ExprPtr bits;
  for (const ExprPtr& arg : expr.args) {
    const auto key = key_of(*arg);
    if (!key) {
      return invalid_at(kNotGrouped, arg->span,
                        "arguments to GROUPING must be grouping expressions of the associated query level",
                        "name a key of GROUP BY");
    }
    if (set_key_ < 0) continue;
    const ExprPtr set = make_column(set_key_, Type::kInteger, expr.span);
    const ExprPtr bit = node(Op::kModulo, node(Op::kDivide, set, number(int64_t{1} << *key)), number(2));
    bits = bits ? node(Op::kAdd, node(Op::kMultiply, bits, number(2)), bit) : bit;
  }
  return bits ? bits : number(0);
}

// Only the window's start is a key (CUMULATE: its end, too); its end is that and the size.
Result<ExprPtr> GroupedOutputs::window_end(const Expr& expr) {
  Expr start = expr;
  start.op = start_of(expr.op);
  const auto key = key_of_value(start);
  if (!key) return not_grouped(expr);
  auto out = std::make_shared<Expr>();
  out->op = Op::kTimestampPlusInterval;
  out->type = expr.type;
  out->span = expr.span;
  out->args.push_back(make_column(static_cast<int>(*key), expr.type, expr.span));
  out->args.push_back(make_literal(Interval{0, 0, expr.window_us}, Type::kInterval, expr.span).expr);
  return ExprPtr(std::move(out));
}

// The key is the window's end; its start is that less the size, but not below 0.
Result<ExprPtr> GroupedOutputs::count_window(const Expr& expr) {
  Expr key = expr;
  key.op = Op::kRowsEnd;
  const auto at = key_of_value(key);
  if (!at) return not_grouped(expr);
  ExprPtr end = make_column(static_cast<int>(*at), Type::kBigint, expr.span);
  if (expr.op == Op::kRowsEnd) return end;
  const auto node = [&](Op op, Type type, std::vector<ExprPtr> args) {
    auto out = std::make_shared<Expr>();
    out->op = op;
    out->type = type;
    out->span = expr.span;
    out->args = std::move(args);
    return ExprPtr(std::move(out));
  };
  const ExprPtr size = make_literal(expr.window_us, Type::kBigint, expr.span).expr;
  const ExprPtr start = node(Op::kSubtract, Type::kBigint, {end, size});
  if (expr.window_offset_us == expr.window_us) return start;
  return node(Op::kCase, Type::kBigint,
              {node(Op::kGreater, Type::kBoolean, {end, size}), start,
               make_literal(int64_t{0}, Type::kBigint, expr.span).expr});
}

std::optional<size_t> GroupedOutputs::key_of_value(const Expr& expr) const {
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (same_expr(expr, *keys_[i].expr)) return i;
  }
  return std::nullopt;
}

Error GroupedOutputs::not_grouped(const Expr& expr) const {
  if (expr.op == Op::kProctime) {
    return invalid_at(kNotGrouped, expr.span,
                      "PROCTIME() must appear in the GROUP BY clause or be used in an aggregate function",
                      "add it to GROUP BY, or write max(PROCTIME())");
  }
  std::string name = is_window_start(expr.op) || expr.op == Op::kRowsStart ? "window_start" : "window_end";
  if (expr.op == Op::kColumn) name = source_[static_cast<size_t>(expr.column)].name;
  return invalid_at(
      kNotGrouped, expr.span,
      fmt::format("column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
                  name),
      fmt::format("add {0} to GROUP BY, or write max({0})", name));
}

namespace {

// Only EXPLAIN shows it: a group key without a name of its own is called by what it computes.
std::string key_name(const ast::Expr& tree, const Expr& expr, const Schema& source) {
  std::string name = default_name(tree);
  if (name != "?column?") return name;
  std::vector<std::string> names;
  for (const auto& column : source) names.push_back(column.name);
  return engine::to_string(expr, names);
}

struct WrittenKey {
  NamedExpr key;
  const ast::Expr* written;  // in the SELECT list, where GROUP BY names what stands there
};

// A place in the SELECT list, a column of the source, or else an output's name, as in PostgreSQL.
Result<WrittenKey> group_key(const ast::Expr& tree, const Scope& scope,
                             const std::vector<SelectColumn>& columns, const Schema& source) {
  TRY_ASSIGN(std::optional<size_t> place, select_position(tree, columns.size(), "GROUP BY"));
  const bool bare = tree.kind == ast::ExprKind::kColumn && !tree.qualifier;
  for (size_t i = 0; !place && bare && !scope.has(tree.text) && i < columns.size(); ++i) {
    if (columns[i].name == tree.text) place = i;
  }
  if (!place) {
    TRY_ASSIGN(ExprPtr expr, ExpressionBinder(scope, "GROUP BY").bind_typed(tree));
    std::string name = key_name(tree, *expr, source);
    return WrittenKey{{std::move(name), std::move(expr)}, &tree};
  }
  const SelectColumn& column = columns[*place];
  // Bound again, because there it may hold no aggregate.
  if (column.written != nullptr) TRY(ExpressionBinder(scope, "GROUP BY").bind(*column.written));
  return WrittenKey{{column.name, column.expr}, column.written != nullptr ? column.written : &tree};
}

// One key for a window, whichever end was written.
NamedExpr window_as_one(NamedExpr key) {
  if (key.expr->op == Op::kRowsStart) {
    auto end = std::make_shared<Expr>(*key.expr);
    end->op = Op::kRowsEnd;
    return {"window_end", std::move(end)};
  }
  if (!is_window_end(key.expr->op)) return key;
  auto start = std::make_shared<Expr>(*key.expr);
  start->op = start_of(key.expr->op);
  return {"window_start", std::move(start)};
}

bool has_key(const std::vector<NamedExpr>& keys, const Expr& expr) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const NamedExpr& other) { return same_expr(*other.expr, expr); });
}

}  // namespace

Result<std::vector<NamedExpr>> bind_distinct_keys(const std::vector<SelectColumn>& columns,
                                                  const SourceSpan& span) {
  std::vector<NamedExpr> keys;
  for (const auto& column : columns) {
    NamedExpr key = window_as_one({column.name, column.expr});
    if (key.expr->op != Op::kLiteral && !has_key(keys, *key.expr)) keys.push_back(std::move(key));
  }
  if (!keys.empty()) return keys;
  return invalid_at(kBadPosition, span, "SELECT DISTINCT of constants alone", "select a column");
}

namespace {

// `places`: of each key as written.
Status add_sets(const ast::Query& query, const std::vector<size_t>& places, GroupKeys& out) {
  if (out.keys.size() > kMaxGroupingKeys) {
    return invalid_at(
        kTooComplex, query.group_span,
        fmt::format("GROUPING SETS, ROLLUP and CUBE take at most {} keys together", kMaxGroupingKeys),
        "leave some out");
  }
  std::unordered_map<int64_t, int64_t> equal_before;
  for (const auto& set : query.grouping_sets) {
    int64_t number = (int64_t{1} << out.keys.size()) - 1;
    for (const uint32_t key : set) number &= ~(int64_t{1} << places[key]);
    out.sets.push_back(number | equal_before[number]++ << (kMaxGroupingKeys + 2));  // two more: the window's
  }
  out.set_key = static_cast<int>(out.keys.size());
  out.keys.push_back({"grouping_set", make_literal(int64_t{0}, Type::kInteger, query.group_span).expr});
  return {};
}

}  // namespace

void GroupKeys::move_to(engine::QueryPlan& plan) && {
  plan.group_keys = std::move(keys);
  plan.grouping_sets = std::move(sets);
  plan.set_key = set_key;
}

Result<GroupKeys> bind_group_keys(const ast::Query& query, const Scope& scope,
                                  const std::vector<SelectColumn>& columns, const Schema& source) {
  GroupKeys out;
  std::vector<size_t> places;
  std::vector<const ast::Expr*> written;
  for (const auto& tree : query.group_by) {
    TRY_ASSIGN(WrittenKey found, group_key(*tree, scope, columns, source));
    NamedExpr key = window_as_one(std::move(found.key));
    const auto known = std::find_if(out.keys.begin(), out.keys.end(), [&](const NamedExpr& other) {
      return same_expr(*other.expr, *key.expr);
    });
    places.push_back(static_cast<size_t>(known - out.keys.begin()));
    if (known != out.keys.end()) {
      const bool window = known->expr->op == Op::kWindowStart || known->expr->op == Op::kTumbleStart;
      // What is the same expression without being written alike may be another column of a subquery.
      if (query.grouping_sets.empty() || window || same_tree(*found.written, *written[places.back()]))
        continue;
      return unsupported_at(tree->span,
                            "two keys of GROUPING SETS that are the same expression are not supported",
                            "write one of them in both places");
    }
    if (key.expr->op == Op::kLiteral)
      return invalid_at(kBadPosition, tree->span, "a constant in GROUP BY groups nothing", "take it away");
    out.keys.push_back(std::move(key));
    written.push_back(found.written);
  }
  if (!query.grouping_sets.empty()) TRY(add_sets(query, places, out));
  return out;
}

}  // namespace millrace::sql
