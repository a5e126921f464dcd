#include "sql/bind_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "sql/errors.h"
#include "sql/grouping.h"

namespace millrace::sql {

using engine::Op;
using engine::SelectPlan;
using engine::SelectPtr;

namespace {

Status check_height(uint32_t height, const SourceSpan& span) {
  if (height <= kMaxSelectHeight) return {};
  return invalid_at(kTooComplex, span,
                    fmt::format("more than {} queries stand one in the other", kMaxSelectHeight),
                    "split the statement up");
}

// Rows of another SELECT, as they are.
Result<SelectSource> rows_of(SelectPtr inner, std::string name, const SourceSpan& span) {
  SelectSource out;
  out.plan.height = inner->height + 1;
  TRY(check_height(out.plan.height, span));
  out.schema = inner->output_schema();
  out.scope = Scope(std::move(name), out.schema);
  out.plan.input = std::move(inner);
  return out;
}

// A query that only computes and filters need not be run on its own.
bool can_be_inlined(const SelectPlan& plan) {
  const bool plain =
      !plan.grouping && !plan.distinct && plan.order_by.empty() && !plan.limit && plan.offset == 0;
  return plain && std::none_of(plan.outputs.begin(), plan.outputs.end(),
                               [](const auto& output) { return output.expr->op == Op::kLiteral; });
}

// Their rows have system columns until it is known that the query names none (bind_select.cc).
bool reads_events(const SelectPlan& plan) {
  return plan.stream || plan.dead_letters;
}

Result<SelectSource> read_query(const SelectPtr& inner, const ast::TableRef& from,
                                const BindContext& context) {
  Measure& measure = context.work->measure;
  const std::string name = from.alias ? from.alias.text : from.name.text;
  auto columns = context.catalog.options().optimize && can_be_inlined(*inner)
                     ? inlined_columns(inner->outputs, kMaxInlinedNodes, measure)
                     : std::nullopt;
  if (inner->filter && !measure.of(inner->filter).fits(kMaxInlinedNodes)) columns.reset();
  if (!columns) return rows_of(inner, name, from.span);
  SelectSource out;
  out.plan = *inner;
  out.plan.outputs.clear();
  out.plan.system_columns = reads_events(*inner);
  out.schema = out.plan.read_schema();
  out.scope = Scope(name, std::move(*columns));
  if (inner->stream) out.scope.allow_append_time();
  return out;
}

Result<SelectSource> read_relation(const Relation& relation, const ast::TableRef& from) {
  const bool letters = relation.stream && relation.stream->kind == engine::StreamKind::kDeadLetters;
  if (from.window != ast::WindowFunction::kNone && (relation.view || letters)) {
    return unsupported_at(from.span, fmt::format("{} reads a stream", window_name(from)),
                          "a view's windows are in its columns: select from it as it is");
  }
  SelectSource out;
  out.plan.view = relation.view;
  (letters ? out.plan.dead_letters : out.plan.stream) = relation.stream;
  const Schema columns = out.plan.read_schema();
  out.scope = Scope(from.alias ? from.alias.text : from.name.text, columns);
  out.plan.system_columns = reads_events(out.plan);
  out.schema = out.plan.read_schema();
  if (!relation.stream) return out;
  out.scope.allow_append_time();
  out.scope.add_system_columns(static_cast<int>(columns.size()));
  return out;
}

Result<SelectSource> read_from(const ast::TableRef& from, const BindContext& context) {
  if (from.subquery) {
    TRY_ASSIGN(BoundSelect inner, bind_nested(*from.subquery, context));
    return read_query(std::make_shared<const SelectPlan>(std::move(inner.plan)), from, context);
  }
  if (const auto* cte = context.ctes->find(from.name.text)) return read_query(cte->select, from, context);
  TRY_ASSIGN(const Relation relation, resolve_relation(context, from.name));
  return read_relation(relation, from);
}

Result<SelectSource> bind_from(const ast::TableRef& from, const BindContext& context) {
  TRY_ASSIGN(SelectSource out, read_from(from, context));
  if (!from.columns.empty()) {
    auto columns = out.scope.columns();
    std::vector<std::string*> names;
    for (auto& column : columns) names.push_back(&column.name);
    TRY(rename_columns(from.columns, from.span, std::move(names)));
    Scope renamed(out.scope.name(), std::move(columns));
    renamed.take_rows(out.scope);
    out.scope = std::move(renamed);
  }
  TRY_ASSIGN(out.scope, make_scope(from, std::move(out.scope)));
  return out;
}

// VALUES: of each column all values get one type.
Result<SelectSource> bind_values(const ast::Query& tree, const BindContext& context) {
  Scope nothing;
  nothing.set_now(context.now);
  std::vector<std::vector<Bound>> rows;
  for (const auto& row : tree.values) {
    rows.emplace_back();
    for (const auto& value : row) {
      TRY_ASSIGN(Bound bound, ExpressionBinder(nothing, "VALUES").bind(*value));
      rows.back().push_back(std::move(bound));
    }
  }
  for (size_t c = 0; c < rows.front().size(); ++c) {
    std::vector<Bound*> column;
    for (auto& row : rows) column.push_back(&row[c]);
    TRY(unify(std::move(column), "VALUES"));
  }
  SelectSource out;
  for (auto& row : rows) {
    out.plan.values.emplace_back();
    for (Bound& value : row) out.plan.values.back().push_back(std::move(value.expr));
  }
  out.schema = out.plan.read_schema();
  out.scope = Scope("", out.schema);
  return out;
}

std::vector<Bound> columns_of(const BoundSelect& side) {
  std::vector<Bound> out;
  for (size_t i = 0; i < side.plan.outputs.size(); ++i) {
    const engine::ExprPtr& expr = side.plan.outputs[i].expr;
    if (side.unknown[i]) {
      out.push_back({expr, true});
    } else {
      out.push_back({make_column(static_cast<int>(i), expr->type, expr->span)});
    }
  }
  return out;
}

// The side with its columns in the types that both have in common.
Result<SelectPtr> converted(BoundSelect side, std::vector<Bound> columns, const SourceSpan& span) {
  auto inner = std::make_shared<const SelectPlan>(std::move(side.plan));
  const bool as_is = std::all_of(columns.begin(), columns.end(),
                                 [](const Bound& column) { return column.expr->op == Op::kColumn; });
  if (as_is) return SelectPtr(inner);
  TRY_ASSIGN(SelectSource source, rows_of(inner, "", span));
  for (size_t i = 0; i < columns.size(); ++i)
    source.plan.outputs.push_back({inner->outputs[i].name, std::move(columns[i].expr)});
  return SelectPtr(std::make_shared<const SelectPlan>(std::move(source.plan)));
}

Result<SelectSource> bind_set(const ast::Query& tree, const BindContext& context) {
  TRY_ASSIGN(BoundSelect left, bind_nested(*tree.left, context));
  TRY_ASSIGN(BoundSelect right, bind_nested(*tree.right, context, false));
  const std::string_view what = set_name(tree.set);
  if (left.plan.outputs.size() != right.plan.outputs.size()) {
    return invalid_at(
        kTypeMismatch, tree.right->span,
        fmt::format("each {} query must have the same number of columns", what),
        fmt::format("the first has {}, the second {}", left.plan.outputs.size(), right.plan.outputs.size()));
  }
  std::vector<Bound> lefts = columns_of(left);
  std::vector<Bound> rights = columns_of(right);
  for (size_t i = 0; i < lefts.size(); ++i) TRY(unify({&lefts[i], &rights[i]}, what));
  auto set = std::make_shared<engine::SetPlan>();
  set->operation = static_cast<engine::SetOperation>(static_cast<int>(tree.set) - 1);
  set->all = tree.set_all;
  TRY_ASSIGN(set->left, converted(std::move(left), std::move(lefts), tree.left->span));
  TRY_ASSIGN(set->right, converted(std::move(right), std::move(rights), tree.right->span));
  SelectSource out;
  out.schema = set->left->output_schema();
  out.scope = Scope("", out.schema);
  out.plan.height = std::max(set->left->height, set->right->height) + 1;
  TRY(check_height(out.plan.height, tree.span));
  out.plan.set = std::move(set);
  return out;
}

class ReadCounter {
 public:
  size_t in(const SelectPlan& plan) {
    if (!seen_.insert(&plan).second) return 0;
    size_t count = plan.view || plan.stream || plan.dead_letters ? 1 : 0;
    if (plan.input) count += in(*plan.input);
    if (plan.set) count += in(*plan.set->left) + in(*plan.set->right);
    return count;
  }

 private:
  std::unordered_set<const SelectPlan*> seen_;
};

}  // namespace

std::string_view set_name(ast::SetOperation set) {
  if (set == ast::SetOperation::kUnion) return "UNION";
  return set == ast::SetOperation::kIntersect ? "INTERSECT" : "EXCEPT";
}

Result<SelectSource> bind_source(const ast::Query& tree, const BindContext& context) {
  if (tree.set != ast::SetOperation::kNone) return bind_set(tree, context);
  if (!tree.values.empty()) return bind_values(tree, context);
  if (tree.from) return bind_from(*tree.from, context);
  return SelectSource();
}

Status bind_ctes(const ast::Query& tree, const BindContext& context, CteScope& ctes) {
  for (const ast::Cte& cte : tree.with) {
    TRY(ctes.check_new(cte.name));
    TRY_ASSIGN(BoundSelect inner, bind_nested(*cte.query, context));
    std::vector<std::string*> names;
    for (auto& output : inner.plan.outputs) names.push_back(&output.name);
    TRY(rename_columns(cte.columns, cte.name.span, std::move(names)));
    ctes.add(cte.name.text, {std::make_shared<const SelectPlan>(std::move(inner.plan)), nullptr});
  }
  return {};
}

Status check_reads(const SelectPlan& plan, const SourceSpan& span) {
  if (ReadCounter().in(plan) <= kMaxReads) return {};
  return invalid_at(kTooComplex, span,
                    fmt::format("the statement reads more than {} streams and views", kMaxReads),
                    "split it up, or name a query in WITH and read it twice");
}

Result<Select> bind_select(const ast::Query& tree, const BindContext& context, bool by_name) {
  TRY_ASSIGN(BoundSelect bound, bind_nested(tree, context, by_name));
  TRY(check_reads(bound.plan, tree.span));
  return Select{std::move(bound.plan)};
}

}  // namespace millrace::sql
