// One query of a view or a derived stream, over a stream or over a query that is flat already.
#include <fmt/format.h>

#include <algorithm>

#include "sql/errors.h"
#include "sql/flatten.h"
#include "sql/grouping.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::NamedExpr;
using engine::Op;
using engine::QueryPlan;
using Shape = engine::QueryPlan::Shape;

namespace {

class FlatBinder {
 public:
  FlatBinder(const ast::Query& tree, const BindContext& context, bool by_name)
      : tree_(tree), context_(context), ctes_(context.ctes), by_name_(by_name) {
    context_.ctes = &ctes_;
  }

  Result<FlatQuery> run() {
    TRY(refuse_clauses());
    TRY(bind_ctes());
    if (tree_.set != ast::SetOperation::kNone) {
      TRY_ASSIGN(flat_, flatten_set(tree_, context_));
      keep_ctes();
      return std::move(flat_);
    }
    TRY(bind_from());
    scope_.set_options(context_.catalog.options());
    if (over_groups_) {
      TRY(bind_over_groups());
    } else {
      TRY(bind_body());
    }
    if (is_nested_) TRY(check_size());
    keep_ctes();
    return std::move(flat_);
  }

 private:
  Status refuse_clauses() const {
    if (tree_.set_all && tree_.set != ast::SetOperation::kUnion) {
      return unsupported_at(tree_.set_span,
                            fmt::format("{} ALL is not supported in a continuous query", set_name(tree_.set)),
                            "leave ALL out: each row once; or count the rows of each side where you read");
    }
    if (!tree_.values.empty()) {
      return unsupported_at(tree_.span, "VALUES is not supported in a continuous query",
                            "a continuous query reads a stream");
    }
    if (tree_.tail_span.length > 0) {
      return unsupported_at(tree_.tail_span,
                            "ORDER BY, LIMIT and OFFSET are not supported in a continuous query",
                            "use them where you read: SELECT … FROM view ORDER BY …");
    }
    if (tree_.from || tree_.set != ast::SetOperation::kNone) return {};
    return invalid_at(kSyntaxError, tree_.span, "a continuous query needs FROM", "add FROM and a stream");
  }

  Status bind_ctes() {
    for (const ast::Cte& cte : tree_.with) {
      TRY(ctes_.check_new(cte.name));
      TRY_ASSIGN(FlatQuery inner, flatten(*cte.query, context_));
      std::vector<std::string*> names;
      for (auto& output : inner.plan.outputs) names.push_back(&output.name);
      TRY(rename_columns(cte.columns, cte.name.span, std::move(names)));
      ctes_.add(cte.name.text, {nullptr, std::make_shared<const FlatQuery>(std::move(inner))});
    }
    return {};
  }

  // What a query of WITH reads has to stay, also where nobody reads the query: the text names it.
  void keep_ctes() {
    for (const ast::Cte& cte : tree_.with) {
      const QueryPlan& inner = ctes_.find(cte.name.text)->flat->plan;
      std::vector<QueryId>& views = plan().views;
      views.insert(views.end(), inner.views.begin(), inner.views.end());
      for (const auto& source : inner.sources()) views.push_back(query_of(definition_of(source->id)));
    }
    std::vector<QueryId>& views = plan().views;
    std::ranges::sort(views);
    views.erase(std::unique(views.begin(), views.end()), views.end());
    for (const auto& source : plan().sources()) std::erase(views, query_of(definition_of(source->id)));
  }

  Status bind_from() {
    const ast::TableRef& from = *tree_.from;
    if (from.subquery) {
      TRY_ASSIGN(FlatQuery inner, flatten(*from.subquery, context_));
      return read_query(std::move(inner));
    }
    if (const auto* cte = ctes_.find(from.name.text)) return read_query(*cte->flat);
    TRY_ASSIGN(Relation relation, resolve_relation(context_, from.name));
    if (relation.view) {
      TRY_ASSIGN(FlatQuery inner, flatten_view(*relation.view));
      return read_query(std::move(inner));
    }
    if (relation.stream->kind == engine::StreamKind::kDeadLetters) {
      return unsupported_at(from.name.span, "a continuous query over dead_letters is not supported",
                            "read it with SELECT or SUBSCRIBE");
    }
    plan().source = relation.stream;
    Schema schema = relation.stream->row_columns();
    std::vector<std::string*> names;
    for (auto& column : schema) names.push_back(&column.name);
    TRY(rename_columns(from.columns, from.span, std::move(names)));
    Scope scope(from.alias ? from.alias.text : from.name.text, schema);
    allow_append_time(scope);
    scope.refuse_system_columns();
    TRY_ASSIGN(scope_, make_scope(from, std::move(scope)));
    if (scope_.has_window()) flat_.window_from = &from;
    return {};
  }

  void allow_append_time(Scope& scope) {
    if (plan().updating())
      scope.set_updating(plan().source->name);
    else
      scope.allow_append_time();
  }

  // Its plan as if it were written here: over the source's columns again, with places in this text.
  Result<FlatQuery> flatten_view(const QueryPlan& view) const {
    const SourceSpan& span = tree_.from->name.span;
    if (view.start != QueryPlan::Start::kOldest) {
      return unsupported_at(span,
                            fmt::format("\"{}\" does not begin at the oldest event: a query over it is not "
                                        "supported",
                                        view.name),
                            fmt::format("read \"{}\" WITH the same start", view.source->name));
    }
    if (view.on_error == engine::OnError::kNull) {
      return unsupported_at(
          span, fmt::format("\"{}\" gives NULL for what fails: a query over it is not supported", view.name),
          "what fails would be other expressions here: read it where you SELECT");
    }
    FlatQuery out;
    out.closes_windows = view.closes_windows() || view.processing_time();
    out.plan = view;
    QueryPlan& plan = out.plan;
    plan.id = QueryId();
    plan.views.push_back(view.id);
    plan.read_columns.clear();
    plan.repartition_topic = nullptr;
    plan.late_stream = nullptr;  // that is the view's
    plan.emit_every_us = 0;
    ColumnMap map = ColumnMap::from_places(view.read_columns, span);
    plan.filter = map.apply(plan.filter);
    for (auto& arm : plan.arms) {
      context_.work->copied += place_at(arm, span);
      if (context_.work->copied > kMaxCopiedParts) return too_large(span);
    }
    for (auto& key : plan.group_keys) key.expr = map.apply(key.expr);
    for (auto& call : plan.aggregates) {
      call.each_expr([&](ExprPtr& expr) { expr = map.apply(expr); });
    }
    const size_t width = plan.group_keys.size() + plan.aggregates.size();
    std::vector<int> same(width);
    for (size_t i = 0; i < width; ++i) same[i] = static_cast<int>(i);
    const bool grouped = plan.shape == Shape::kAggregate;
    ColumnMap read = ColumnMap::from_places(grouped ? same : view.read_columns, span);
    plan.having = read.apply(plan.having);
    for (auto& output : plan.outputs) output.expr = read.apply(output.expr);
    context_.work->copied += map.parts() + read.parts();
    if (context_.work->copied > kMaxCopiedParts) return too_large(span);
    return out;
  }

  // FROM is a query that is flat: its outputs are the columns.
  Status read_query(FlatQuery inner) {
    const ast::TableRef& from = *tree_.from;
    flat_ = std::move(inner);
    is_nested_ = true;
    over_groups_ = plan().shape == Shape::kAggregate;
    auto columns = inlined_columns(plan().outputs, kMaxExpressionNodes, context_.work->measure);
    if (!columns) return too_large(from.span);
    std::vector<std::string*> names;
    for (auto& column : *columns) names.push_back(&column.name);
    TRY(rename_columns(from.columns, from.span, std::move(names)));
    plan().outputs.clear();
    flat_.unknown.clear();
    Scope scope(from.alias ? from.alias.text : from.name.text, std::move(*columns));
    if (over_groups_ && from.window != ast::WindowFunction::kNone)
      return groups_again(from.span, window_name(from));
    scope.take_window(flat_.windows);
    if (!over_groups_ && plan().views.empty()) allow_append_time(scope);
    scope.refuse_system_columns();
    TRY_ASSIGN(scope_, make_scope(from, std::move(scope)));
    if (from.window != ast::WindowFunction::kNone) flat_.window_from = &from;
    return {};
  }

  Error groups_again(const SourceSpan& span, std::string_view what) const {
    return unsupported_at(
        span, fmt::format("{} over rows that are grouped is not supported in a continuous query", what),
        over_groups_
            ? stream_of_groups()
            : "group once, in a view, and do the rest where you read: SELECT … FROM view GROUP BY …");
  }

  // How to have the inner groups as a stream, which the outer query can group.
  std::string stream_of_groups() const {
    constexpr size_t kLongest = 500;
    const ast::TableRef& from = *tree_.from;
    const ast::Query* inner = from.subquery.get();
    for (const ast::Cte& cte : tree_.with) {
      if (inner == nullptr && cte.name.text == from.name.text) inner = cte.query.get();
    }
    const std::string& name = (from.name ? from.name : from.alias).text;
    std::string query = inner == nullptr ? "SELECT * FROM " + from.name.text : written(inner->span);
    if (query.empty() || query.size() > kLongest) query = "the inner query";
    if (from.window != ast::WindowFunction::kNone) {
      return fmt::format("windows are over streams whose rows do not change: CREATE STREAM {}_closed AS {}{}",
                         name, query, plan().emit_on_close ? "" : " EMIT ON WINDOW CLOSE");
    }
    const bool asks = flat_.closes_windows && !plan().emit_on_close;
    return fmt::format("make a stream of the groups, and read that instead: CREATE STREAM {}_changes AS {}{}",
                       name, query, asks ? " EMIT CHANGES" : "");
  }

  std::string written(const SourceSpan& span) const {
    if (span.offset < context_.text_offset) return {};
    const size_t from = span.offset - context_.text_offset;
    return from > context_.text.size() ? std::string() : std::string(context_.text.substr(from, span.length));
  }

  Status bind_over_groups() {
    if (tree_.distinct_span.length > 0) return groups_again(tree_.distinct_span, "SELECT DISTINCT");
    if (tree_.group_span.length > 0) return groups_again(tree_.group_span, "GROUP BY");
    if (tree_.having) return groups_again(tree_.having->span, "HAVING");
    if (tree_.where) {
      TRY_ASSIGN(const ExprPtr passes, ExpressionBinder(scope_, "WHERE").bind_boolean(*tree_.where, "WHERE"));
      plan().having = both(plan().having, passes);
    }
    ExpressionBinder binder(scope_, "");
    TRY_ASSIGN(columns_, bind_select_list(tree_, scope_, binder, by_name_));
    if (binder.groups()) return groups_again(tree_.items.front().expr->span, "an aggregate");
    for (const auto& column : columns_) plan().outputs.push_back({column.name, column.expr});
    return {};
  }

  Status bind_body() {
    if (tree_.where) {
      TRY_ASSIGN(const ExprPtr passes, ExpressionBinder(scope_, "WHERE").bind_boolean(*tree_.where, "WHERE"));
      plan().filter = both(plan().filter, passes);
    }
    ExpressionBinder binder(scope_, "");
    TRY_ASSIGN(columns_, bind_select_list(tree_, scope_, binder, by_name_));
    if (tree_.having) {
      TRY_ASSIGN(plan().having, binder.bind_boolean(*tree_.having, "HAVING"));
    }
    plan().aggregates = binder.calls();
    order_by_time(plan().aggregates, plan().source.get());
    const bool distinct = tree_.distinct_span.length > 0;
    const bool grouped = binder.groups() || tree_.group_span.length > 0 || tree_.having;
    if (grouped && distinct) return groups_again(tree_.distinct_span, "SELECT DISTINCT");
    if (!grouped && !distinct) {
      // Its rows have numbers within the groups of the same SELECT.
      if (scope_.count_window().any()) return check_windows(*flat_.window_from, scope_, plan());
      plan().shape = Shape::kRows;
      for (const auto& column : columns_) {
        plan().outputs.push_back({column.name, column.expr});
        flat_.unknown.push_back(column.unknown);
      }
      flat_.windows = scope_;
      return {};
    }
    plan().shape = Shape::kAggregate;
    if (distinct) {
      TRY_ASSIGN(plan().group_keys, bind_distinct_keys(columns_, tree_.distinct_span));
    } else {
      TRY_ASSIGN(GroupKeys groups, bind_group_keys(tree_, scope_, columns_, plan().source->columns));
      std::move(groups).move_to(plan());
    }
    find_window();
    if (plan().window_key >= 0 && !plan().in_every_set(static_cast<size_t>(plan().window_key))) {
      return window_in_no_set(tree_);
    }
    TRY(bind_grouped_outputs());
    if (flat_.window_from != nullptr) TRY(check_windows(*flat_.window_from, scope_, plan()));
    if (plan().updating()) TRY(bind_retraction(plan()));
    TRY(check_count_window(tree_, plan(), *plan().source, plan().repartition));
    group_by_panes(plan());
    flat_.windows = Scope();
    return {};
  }

  // A window closes by the watermark, or by append times; a TUMBLE over another column is a key like any other.
  void find_window() {
    if (scope_.count_window().any()) return take_count_window(plan(), scope_.count_window());
    for (size_t i = 0; i < plan().group_keys.size(); ++i) {
      const Expr& key = *plan().group_keys[i].expr;
      if (!is_window_start(key.op)) continue;
      // A view's TUMBLE below a window function of many windows is a key like any other.
      if (scope_.has_many_windows() && key.op != Op::kWindowStart) continue;
      const bool over_watermark =
          key.args[0]->op == Op::kColumn && key.args[0]->column == plan().source->watermark_column;
      const bool closes = over_watermark || key.args[0]->op == Op::kProctime;
      if (!closes && key.op == Op::kTumbleStart) continue;
      flat_.closes_windows = closes;
      take_window(plan(), i, scope_);
      return;
    }
  }

  Status bind_grouped_outputs() {
    GroupedOutputs outputs(plan(), plan().source->columns);
    for (const auto& column : columns_) {
      TRY_ASSIGN(ExprPtr expr, outputs.apply(column.expr));
      plan().outputs.push_back({column.name, std::move(expr)});
    }
    if (plan().having) {
      TRY_ASSIGN(plan().having, outputs.apply(plan().having));
    }
    const int key = plan().source->key_column;
    const bool has_key =
        key >= 0 && std::any_of(plan().group_keys.begin(), plan().group_keys.end(), [&](const auto& k) {
          const auto at = static_cast<size_t>(&k - plan().group_keys.data());
          return k.expr->op == Op::kColumn && k.expr->column == key && plan().in_every_set(at);
        });
    plan().repartition = plan().source->partitions > 1 && !has_key;
    return {};
  }

  Status check_size() {
    Measure& measure = context_.work->measure;
    bool fits = true;
    const auto check = [&](const ExprPtr& expr) { fits = fits && (!expr || measure.of(expr).fits()); };
    check(plan().filter);
    check(plan().having);
    for (const auto& key : plan().group_keys) check(key.expr);
    for (const auto& call : plan().aggregates) call.each_expr(check);
    for (const auto& output : plan().outputs) check(output.expr);
    return fits ? Status() : Status(too_large(tree_.span));
  }

  QueryPlan& plan() { return flat_.plan; }
  const QueryPlan& plan() const { return flat_.plan; }

  const ast::Query& tree_;
  BindContext context_;
  CteScope ctes_;
  const bool by_name_;
  Scope scope_;
  std::vector<SelectColumn> columns_;
  FlatQuery flat_;
  bool is_nested_ = false;    // FROM is a query, not a stream
  bool over_groups_ = false;  // … that groups
};

}  // namespace

Result<FlatQuery> flatten(const ast::Query& tree, const BindContext& context, bool by_name) {
  return FlatBinder(tree, context, by_name).run();
}

}  // namespace millrace::sql
