// What every SELECT has in common, and the ad-hoc one over a view, a stream or the dead letters.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "sql/bind_source.h"
#include "sql/errors.h"
#include "sql/grouping.h"

namespace millrace::sql {

using engine::ExprPtr;
using engine::SelectPlan;

namespace {

SourceSpan part(const ast::SelectItem& item) {
  return item.alias ? item.alias.span : item.expr->span;
}

// What it adds in parts.
Result<size_t> add_star(const ast::Expr& star, const Scope& scope, ExpressionBinder& binder,
                        std::vector<SelectColumn>& out) {
  size_t size = 0;
  const bool of_column =
      star.qualifier && star.qualifier.text != scope.name() && scope.has(star.qualifier.text);
  if (of_column || !star.args.empty()) {
    TRY_ASSIGN(auto fields, binder.fields_of_star(star));
    for (auto& [name, field] : fields) {
      size += field.size;
      out.push_back({nullptr, std::move(field.expr), std::move(name), star.span});
    }
    return size;
  }
  TRY(scope.check_qualifier(star.qualifier));
  if (scope.columns().empty()) {
    return invalid_at(kUnknownColumn, star.span, "there are no columns for *",
                      "add FROM and the name of a stream or a view");
  }
  for (const auto& column : scope.columns()) {
    size += column.size;
    out.push_back({nullptr, column.expr, column.name, star.span});
  }
  return size;
}

Status check_output_names(const std::vector<SelectColumn>& columns) {
  std::unordered_set<std::string_view> seen;
  for (const auto& column : columns) {
    if (seen.insert(column.name).second) continue;
    return invalid_at(kDuplicateColumn, column.span,
                      fmt::format("two columns of the result are named \"{}\"", column.name),
                      "name one of them: expression AS name");
  }
  return {};
}

// PostgreSQL has no objection to two columns of one name, but a row is an object here: a name that nobody has written
// is told from the one before by a number.
void number_default_names(std::vector<SelectColumn>& columns) {
  std::unordered_map<std::string, size_t> taken;  // names, with the last number that was given to each
  for (SelectColumn& column : columns) {
    const std::string name = column.name;
    const bool computed = column.written != nullptr && column.written->kind != ast::ExprKind::kColumn;
    const bool unnamed = computed && name == default_name(*column.written);
    while (unnamed && taken.contains(column.name)) column.name = fmt::format("{}_{}", name, ++taken[name]);
    taken.try_emplace(column.name, 1);
  }
}

Result<int64_t> constant_count(const ast::Expr& expr, std::string_view what, std::optional<int64_t> if_null) {
  const Scope nothing;
  ExpressionBinder binder(nothing, what);
  TRY_ASSIGN(Bound bound, binder.bind(expr));
  TRY_ASSIGN(std::optional<Bound> typed, coerce(std::move(bound), Type::kBigint));
  const bool constant = typed && typed->expr->op == engine::Op::kLiteral;
  if (constant && typed->expr->literal.index() == 0 && if_null) return *if_null;
  const auto* value = constant ? std::get_if<int64_t>(&typed->expr->literal) : nullptr;
  if (value != nullptr && *value >= 0) return *value;
  return invalid_at(kBadLimit, expr.span, fmt::format("{} takes a whole number that is not negative", what),
                    fmt::format("for example {} 10", what));
}

Status bind_limit(const ast::Query& tree, SelectPlan& plan) {
  if (tree.limit && tree.limit->kind != ast::ExprKind::kNull) {
    TRY_ASSIGN(plan.limit, constant_count(*tree.limit, "LIMIT", std::nullopt));
  }
  if (tree.offset) {
    TRY_ASSIGN(plan.offset, constant_count(*tree.offset, "OFFSET", 0));
  }
  return {};
}

class SelectBinder {
 public:
  SelectBinder(const ast::Query& tree, const BindContext& context, bool by_name)
      : tree_(tree), context_(context), ctes_(context.ctes), by_name_(by_name) {
    context_.ctes = &ctes_;
  }

  Result<BoundSelect> run() {
    TRY(bind_ctes(tree_, context_, ctes_));
    TRY_ASSIGN(SelectSource source, bind_source(tree_, context_));
    plan_ = std::move(source.plan);
    schema_ = std::move(source.schema);
    scope_ = std::move(source.scope);
    scope_.set_now(context_.now);
    plan_.options = context_.catalog.options();
    scope_.set_options(plan_.options);
    if (tree_.where) {
      TRY_ASSIGN(const ExprPtr passes, ExpressionBinder(scope_, "WHERE").bind_boolean(*tree_.where, "WHERE"));
      plan_.filter = both(plan_.filter, passes);
    }
    ExpressionBinder binder(scope_, "");
    TRY_ASSIGN(columns_, bind_columns(binder));
    for (const auto& column : columns_) plan_.outputs.push_back({column.name, column.expr});
    if (tree_.having) {
      TRY_ASSIGN(having_, binder.bind_boolean(*tree_.having, "HAVING"));
    }
    grouped_ = tree_.group_span.length > 0 || tree_.having || binder.groups();
    plan_.distinct = tree_.distinct_span.length > 0;
    for (const auto& item : tree_.order_by) TRY(bind_sort_key(item, binder));
    if (scope_.has_many_windows() && !grouped_) return needs_groups();
    if (grouped_) TRY(group(binder.calls()));
    plan_.system_columns = names_system_columns();
    const size_t inputs = grouped_ ? plan_.grouping->group_keys.size() + plan_.grouping->aggregates.size()
                                   : plan_.read_schema().size();
    for (const auto& sort : sorts_) plan_.order_by.push_back(sort.key(inputs, plan_));
    TRY(bind_limit(tree_, plan_));
    BoundSelect out{std::move(plan_), {}};
    for (const auto& column : columns_) out.unknown.push_back(column.unknown);
    return out;
  }

 private:
  bool names_system_columns() const {
    const engine::StreamPtr& events = plan_.stream ? plan_.stream : plan_.dead_letters;
    if (!events) return false;
    const int first = static_cast<int>(events->columns.size());
    return plan_.reads_from(first) || (!grouped_ && std::ranges::any_of(sorts_, [&](const Sort& sort) {
             return engine::names_column_from(sort.expr, first);
           }));
  }

  // VALUES and UNION have no list: all columns are meant.
  Result<std::vector<SelectColumn>> bind_columns(ExpressionBinder& binder) {
    if (!tree_.items.empty()) {
      TRY_ASSIGN(auto columns, bind_select_list(tree_, scope_, binder, false));
      number_default_names(columns);
      if (by_name_) TRY(check_output_names(columns));
      return columns;
    }
    std::vector<SelectColumn> out;
    for (const auto& column : scope_.columns())
      out.push_back({nullptr, column.expr, column.name, tree_.span});
    return out;
  }

  // An ORDER BY item: an output's place, or an expression of its own.
  struct Sort {
    std::optional<size_t> place;
    ExprPtr expr;
    const ast::OrderItem* item = nullptr;

    engine::SortKey key(size_t inputs, const SelectPlan& plan) const {
      const ExprPtr by = place ? make_column(static_cast<int>(inputs + *place),
                                             plan.outputs[*place].expr->type, item->expr->span)
                               : expr;
      return {by, item->descending, item->nulls_first.value_or(item->descending)};
    }
  };

  // A bare name means an output column first, then one of the relation's, as in PostgreSQL.
  Status bind_sort_key(const ast::OrderItem& item, ExpressionBinder& grouped) {
    const ast::Expr& tree = *item.expr;
    Sort sort{std::nullopt, nullptr, &item};
    TRY_ASSIGN(sort.place, select_position(tree, columns_.size(), "ORDER BY"));
    for (size_t i = 0; !sort.place && i < columns_.size(); ++i) {
      if (tree.kind == ast::ExprKind::kColumn && !tree.qualifier && columns_[i].name == tree.text)
        sort.place = i;
    }
    if (!sort.place) {
      ExpressionBinder plain(scope_, "ORDER BY");
      TRY_ASSIGN(sort.expr, (grouped_ ? grouped : plain).bind_typed(tree));
      if (plan_.distinct) TRY(find_distinct_output(sort));
    }
    const Type type = sort.place ? columns_[*sort.place].expr->type : sort.expr->type;
    if (!has_order(type)) {
      return invalid_at(kNoOperator, tree.span, fmt::format("type {} has no order", to_string(type)),
                        "order by a value in it, or by its text");
    }
    sorts_.push_back(std::move(sort));
    return {};
  }

  // Of rows that are one there is one value of an output only.
  Status find_distinct_output(Sort& sort) const {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!same_expr(*columns_[i].expr, *sort.expr)) continue;
      sort.place = i;
      return {};
    }
    return invalid_at(kBadPosition, sort.item->expr->span,
                      "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                      "add the expression to the SELECT list");
  }

  Error needs_groups() const {
    return unsupported_at(tree_.from->span,
                          fmt::format("{} without GROUP BY is not supported", window_name(*tree_.from)),
                          scope_.count_window().any()
                              ? "a window is one of a group's rows: group by window_end and the group's keys"
                              : "a row has many of its windows: group by window_start");
  }

  // A group that is a window's: what has no time is in none.
  void keep_timed(const engine::QueryPlan& grouping) {
    using engine::Op;
    for (size_t i = 0; i < grouping.group_keys.size(); ++i) {
      const engine::Expr& key = *grouping.group_keys[i].expr;
      const bool window =
          key.op == Op::kWindowStart || key.op == Op::kTumbleStart || key.op == Op::kTumbleEnd;
      if (!window || !grouping.in_every_set(i)) continue;
      auto timed = std::make_shared<engine::Expr>();
      timed->op = Op::kIsNotNull;
      timed->type = Type::kBoolean;
      timed->args = {key.args[0]};
      plan_.filter = both(plan_.filter, timed);
      return;
    }
  }

  // HOP, CUMULATE, SESSION: a group is a window's.
  Status bind_windows(engine::QueryPlan& grouping) {
    const auto& keys = grouping.group_keys;
    const auto start =
        std::ranges::find_if(keys, [](const auto& key) { return key.expr->op == engine::Op::kWindowStart; });
    if (start != keys.end()) take_window(grouping, static_cast<size_t>(start - keys.begin()), scope_);
    grouping.filter = plan_.filter;
    TRY(check_windows(*tree_.from, scope_, grouping));
    grouping.filter = nullptr;
    const auto key = static_cast<size_t>(grouping.window_key);
    if (!grouping.in_every_set(key)) return window_in_no_set(tree_);
    return {};
  }

  // Windows of rows: their order is that of one stream's partition.
  Status bind_count_windows(engine::QueryPlan& grouping) {
    take_count_window(grouping, scope_.count_window());
    grouping.filter = plan_.filter;
    TRY(check_windows(*tree_.from, scope_, grouping));
    grouping.filter = nullptr;
    if (!plan_.stream)
      return unsupported_at(tree_.from->span, "a window of rows over what is no stream is not supported",
                            "the rows of a query have no order: read a stream");
    const engine::StreamDef& stream = *plan_.stream;
    const bool has_key = std::ranges::any_of(grouping.group_keys, [&](const auto& key) {
      return key.expr->op == engine::Op::kColumn && key.expr->column == stream.key_column;
    });
    return check_count_window(tree_, grouping, stream, stream.partitions > 1 && !has_key);
  }

  Status group(const std::vector<engine::AggregateCall>& calls) {
    auto grouping = std::make_shared<engine::QueryPlan>();
    grouping->shape = engine::QueryPlan::Shape::kAggregate;
    TRY_ASSIGN(GroupKeys groups, bind_group_keys(tree_, scope_, columns_, schema_));
    std::move(groups).move_to(*grouping);
    grouping->aggregates = calls;
    grouping->options = plan_.options;
    order_by_time(grouping->aggregates, plan_.stream.get());
    if (scope_.count_window().any())
      TRY(bind_count_windows(*grouping));
    else if (scope_.has_many_windows())
      TRY(bind_windows(*grouping));
    keep_timed(*grouping);
    GroupedOutputs outputs(*grouping, schema_);
    for (auto& output : plan_.outputs) {
      TRY_ASSIGN(output.expr, outputs.apply(output.expr));
    }
    if (having_) {
      TRY_ASSIGN(grouping->having, outputs.apply(having_));
    }
    for (auto& sort : sorts_) {
      if (sort.place) continue;
      TRY_ASSIGN(sort.expr, outputs.apply(sort.expr));
    }
    group_by_panes(*grouping);
    plan_.grouping = std::move(grouping);
    return {};
  }

  const ast::Query& tree_;
  BindContext context_;
  CteScope ctes_;
  const bool by_name_;
  Schema schema_;  // of what is read
  Scope scope_;
  std::vector<SelectColumn> columns_;
  ExprPtr having_;
  bool grouped_ = false;
  std::vector<Sort> sorts_;
  SelectPlan plan_;
};

}  // namespace

Result<std::optional<size_t>> select_position(const ast::Expr& expr, size_t columns,
                                              std::string_view clause) {
  if (expr.kind == ast::ExprKind::kString || expr.kind == ast::ExprKind::kNull) {
    return invalid_at(kBadPosition, expr.span, fmt::format("a constant in {} says nothing", clause),
                      "name a column, or its place");
  }
  if (expr.kind != ast::ExprKind::kNumber) return std::optional<size_t>();
  const auto place = parse_bigint(expr.text);
  if (place.ok() && *place >= 1 && static_cast<uint64_t>(*place) <= columns) {
    return std::optional(static_cast<size_t>(*place - 1));
  }
  return invalid_at(kBadPosition, expr.span,
                    fmt::format("{} position {:.30} is not in the select list", clause, expr.text),
                    fmt::format("the places are 1 to {}", columns));
}

Result<std::vector<SelectColumn>> bind_select_list(const ast::Query& query, const Scope& scope,
                                                   ExpressionBinder& binder, bool by_name) {
  std::vector<SelectColumn> out;
  size_t size = 0;
  for (const auto& item : query.items) {
    if (item.expr->kind == ast::ExprKind::kStar) {
      TRY_ASSIGN(const size_t added, add_star(*item.expr, scope, binder, out));
      size += added;
    } else {
      TRY_ASSIGN(Bound bound, binder.bind(*item.expr));
      const bool unknown = bound.unknown;
      bound = with_default_type(std::move(bound));
      size += bound.size;
      out.push_back({item.expr.get(), std::move(bound.expr),
                     item.alias ? item.alias.text : default_name(*item.expr), part(item), unknown});
    }
    if (size <= kMaxExpressionNodes && out.size() <= ast::kMaxColumns) continue;
    return invalid_at(
        kTooComplex, item.expr->span, "the SELECT list is too large",
        fmt::format("the bounds are {} columns and {} parts", ast::kMaxColumns, kMaxExpressionNodes));
  }
  if (by_name) TRY(check_output_names(out));
  return out;
}

Result<BoundSelect> bind_nested(const ast::Query& tree, const BindContext& context, bool by_name) {
  return SelectBinder(tree, context, by_name).run();
}

}  // namespace millrace::sql
