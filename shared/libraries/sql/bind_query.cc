// CREATE MATERIALIZED VIEW and CREATE STREAM … AS: from a query to the plan that the engine runs for ever.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"
#include "sql/grouping.h"
#include "sql/options.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::NamedExpr;
using engine::Op;
using engine::QueryPlan;
using engine::StreamDef;
using engine::StreamPtr;
using Emit = ast::CreateQuery::Emit;

namespace {

// Rebuilds an expression with other columns; parts that are shared stay shared.
class ColumnMap {
 public:
  explicit ColumnMap(const std::vector<int>& read_columns) {
    for (size_t i = 0; i < read_columns.size(); ++i) places_.emplace(read_columns[i], static_cast<int>(i));
  }
  ExprPtr apply(const ExprPtr& expr) {
    if (!expr) return expr;
    const auto known = done_.find(expr.get());
    if (known != done_.end()) return known->second;
    auto out = std::make_shared<Expr>(*expr);
    if (out->op == Op::kColumn) out->column = places_.at(expr->column);
    for (auto& arg : out->args) arg = apply(arg);
    done_.emplace(expr.get(), out);
    return out;
  }

 private:
  std::unordered_map<int, int> places_;
  std::unordered_map<const Expr*, ExprPtr> done_;
};

void collect_columns(const ExprPtr& expr, std::vector<int>& out) {
  if (!expr) return;
  if (expr->op == Op::kColumn) out.push_back(expr->column);
  for (const auto& arg : expr->args) collect_columns(arg, out);
}

class QueryBinder {
 public:
  QueryBinder(const ast::CreateQuery& tree, const BindContext& context) : tree_(tree), context_(context) {}

  Result<CreateQuery> run() {
    TRY(check_new_name(context_, tree_.name, tree_.if_not_exists));
    TRY(refuse_clauses());
    TRY(bind_source());
    TRY_ASSIGN(scope_, make_scope(*tree_.query.from, plan_.source->columns));
    TRY(bind_body());
    TRY(check_windows(tree_.query, scope_, plan_));
    group_by_panes(plan_);
    TRY(check_emit());
    TRY(narrow());
    return finish();
  }

 private:
  bool is_view() const { return tree_.kind == ObjectKind::kView; }

  Status refuse_clauses() const {
    if (tree_.query.distinct_span.length > 0) {
      return unsupported_at(tree_.query.distinct_span,
                            "SELECT DISTINCT is not supported in a continuous query",
                            "group by the columns: SELECT a, b FROM s GROUP BY a, b");
    }
    if (tree_.query.tail_span.length > 0) {
      return unsupported_at(tree_.query.tail_span,
                            "ORDER BY, LIMIT and OFFSET are not supported in a continuous query",
                            "use them where you read: SELECT … FROM view ORDER BY …");
    }
    if (!tree_.query.from) {
      return invalid_at(kSyntaxError, tree_.query.span, "a continuous query needs FROM",
                        "add FROM and a stream");
    }
    if (!is_view() && tree_.emit != Emit::kDefault) {
      return unsupported_at(tree_.emit_span, "EMIT belongs to a materialized view",
                            "a stream's rows go out as they come");
    }
    return {};
  }

  Status bind_source() {
    const ast::TableRef& from = *tree_.query.from;
    TRY_ASSIGN(Relation relation, resolve_relation(context_, from.name));
    if (relation.view) {
      return unsupported_at(
          from.name.span,
          fmt::format("\"{}\" is a view: a query over a view is not supported yet", from.name.text),
          fmt::format("read the stream \"{}\" that it reads", relation.view->source->name));
    }
    if (relation.stream->kind == engine::StreamKind::kDeadLetters) {
      return unsupported_at(from.name.span, "a continuous query over dead_letters is not supported",
                            "read it with SELECT or SUBSCRIBE");
    }
    plan_.source = relation.stream;
    return {};
  }

  Status bind_body() {
    const ast::Query& query = tree_.query;
    if (query.where) {
      TRY_ASSIGN(plan_.filter, ExpressionBinder(scope_, "WHERE").bind_boolean(*query.where, "WHERE"));
    }
    ExpressionBinder binder(scope_, "");
    TRY_ASSIGN(columns_, bind_select_list(query, scope_, binder));
    if (query.having) {
      TRY_ASSIGN(plan_.having, binder.bind_boolean(*query.having, "HAVING"));
    }
    plan_.aggregates = binder.calls();
    order_by_time(plan_.aggregates, plan_.source.get());
    const bool grouped = !plan_.aggregates.empty() || query.group_span.length > 0 || query.having;
    if (grouped && !is_view()) return needs_window_view();
    if (!grouped) {
      plan_.shape = is_view() ? QueryPlan::Shape::kRows : QueryPlan::Shape::kStream;
      for (const auto& column : columns_) plan_.outputs.push_back({column.name, column.expr});
      return {};
    }
    plan_.shape = QueryPlan::Shape::kAggregate;
    TRY(bind_group_keys());
    return bind_grouped_outputs();
  }

  Error needs_window_view() const {
    SourceSpan span = tree_.query.items.front().expr->span;
    if (tree_.query.having) span = tree_.query.having->span;
    if (tree_.query.group_span.length > 0) span = tree_.query.group_span;
    return error_at(Code::kUnsupported, kNeedsWindowView, span,
                    "an aggregate in CREATE STREAM … AS needs a window view",
                    "write CREATE MATERIALIZED VIEW … AS SELECT … FROM TUMBLE(…) GROUP BY window_start EMIT "
                    "ON WINDOW CLOSE, "
                    "and SUBSCRIBE to it");
  }

  Status bind_group_keys() {
    TRY_ASSIGN(plan_.group_keys, sql::bind_group_keys(tree_.query, scope_, columns_, plan_.source->columns));
    find_window();
    return {};
  }

  // A window closes by the watermark, so a TUMBLE over another column is a key like any other.
  void find_window() {
    for (size_t i = 0; i < plan_.group_keys.size(); ++i) {
      const Expr& key = *plan_.group_keys[i].expr;
      if (!is_window_start(key.op)) continue;
      const bool over_watermark =
          key.args[0]->op == Op::kColumn && key.args[0]->column == plan_.source->watermark_column;
      if (!over_watermark && key.op == Op::kTumbleStart) continue;
      closes_windows_ = over_watermark;
      plan_.window_key = static_cast<int>(i);
      plan_.window = scope_.window();
      using Kind = engine::WindowSpec::Kind;
      const bool both_ends = plan_.window.kind == Kind::kCumulate || plan_.window.kind == Kind::kSession;
      if (both_ends) add_window_end(key);
      return;
    }
  }

  // Windows of CUMULATE that start together end apart, and a session's length is its own.
  void add_window_end(const Expr& start) {
    auto end = std::make_shared<Expr>(start);
    end->op = Op::kWindowEnd;
    plan_.window_end_key = static_cast<int>(plan_.group_keys.size());
    plan_.group_keys.push_back({"window_end", std::move(end)});
  }

  Status bind_grouped_outputs() {
    GroupedOutputs outputs(plan_.group_keys, plan_.source->columns);
    for (const auto& column : columns_) {
      TRY_ASSIGN(ExprPtr expr, outputs.apply(column.expr));
      plan_.outputs.push_back({column.name, std::move(expr)});
    }
    if (plan_.having) {
      TRY_ASSIGN(plan_.having, outputs.apply(plan_.having));
    }
    const int key = plan_.source->key_column;
    const bool has_key =
        key >= 0 && std::any_of(plan_.group_keys.begin(), plan_.group_keys.end(), [&](const auto& k) {
          return k.expr->op == Op::kColumn && k.expr->column == key;
        });
    plan_.repartition = plan_.source->partitions > 1 && !has_key;
    return {};
  }

  Status check_emit() {
    plan_.emit_on_close = tree_.emit == Emit::kOnClose;
    if (!plan_.emit_on_close || closes_windows_) return {};
    if (plan_.source->watermark_column < 0) {
      return invalid_at(kNeedsWindow, tree_.emit_span,
                        fmt::format("EMIT ON WINDOW CLOSE needs a watermark, and the stream \"{}\" has none",
                                    plan_.source->name),
                        "declare one: WATERMARK FOR column AS column - INTERVAL '10 minutes'");
    }
    const std::string& column =
        plan_.source->columns[static_cast<size_t>(plan_.source->watermark_column)].name;
    return invalid_at(kNeedsWindow, tree_.emit_span, "EMIT ON WINDOW CLOSE needs a GROUP BY over a window",
                      fmt::format("write FROM TUMBLE({}, {}, INTERVAL '1 hour') GROUP BY window_start",
                                  plan_.source->name, column));
  }

  // Keeps only the columns that the query reads, and counts in them from here on.
  Status narrow() {
    std::vector<int>& used = plan_.read_columns;
    collect_columns(plan_.filter, used);
    for (const auto& key : plan_.group_keys) collect_columns(key.expr, used);
    for (const auto& call : plan_.aggregates) {
      call.each_expr([&](const ExprPtr& expr) { collect_columns(expr, used); });
    }
    const bool grouped = plan_.shape == QueryPlan::Shape::kAggregate;
    for (const auto& output : plan_.outputs) {
      if (!grouped) collect_columns(output.expr, used);
    }
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    ColumnMap map(used);
    plan_.filter = map.apply(plan_.filter);
    for (auto& key : plan_.group_keys) key.expr = map.apply(key.expr);
    for (auto& call : plan_.aggregates) {
      call.each_expr([&](ExprPtr& expr) { expr = map.apply(expr); });
    }
    if (grouped) return {};
    bind_output_stream();
    for (auto& output : plan_.outputs) output.expr = map.apply(output.expr);
    return {};
  }

  // The derived stream keeps key and watermark if their columns are selected as they are.
  void bind_output_stream() {
    const StreamDef& source = *plan_.source;
    output_.kind = engine::StreamKind::kDerived;
    output_.partitions = source.partitions;
    for (size_t i = 0; i < plan_.outputs.size(); ++i) {
      const Expr& expr = *plan_.outputs[i].expr;
      output_.columns.push_back({plan_.outputs[i].name, expr.type});
      if (expr.op != Op::kColumn) continue;
      if (expr.column == source.key_column && output_.key_column < 0)
        output_.key_column = static_cast<int>(i);
      if (expr.column == source.watermark_column && output_.watermark_column < 0) {
        output_.watermark_column = static_cast<int>(i);
        output_.disorder_us = source.disorder_us;
      }
    }
    output_.idle_timeout_us = source.idle_timeout_us;
  }

  Result<CreateQuery> finish() {
    for (const auto& option : tree_.options) TRY(is_view() ? view_option(option) : stream_option(option));
    plan_.name = output_.name = tree_.name.text;
    plan_.tenant = output_.tenant = context_.tenant;
    plan_.sql = std::string(context_.text);
    if (plan_.repartition) plan_.repartition_topic = repartition_topic();
    CreateQuery out;
    if (plan_.shape == QueryPlan::Shape::kStream) {
      plan_.output_stream = std::make_shared<StreamDef>(output_);
      out.output = std::move(output_);
    }
    out.plan = std::move(plan_);
    out.if_not_exists = tree_.if_not_exists;
    return out;
  }

  StreamPtr repartition_topic() const {
    auto topic = std::make_shared<StreamDef>();
    topic->tenant = context_.tenant;
    topic->name = tree_.name.text + "/repartition";  // no stream of a user has a slash
    topic->kind = engine::StreamKind::kRepartition;
    topic->partitions = plan_.source->partitions;
    topic->idle_timeout_us = plan_.source->idle_timeout_us;
    return topic;
  }

  Status start_option(const ast::Option& option) {
    if (option.value == "oldest" || option.value == "now") {
      plan_.start = option.value == "now" ? QueryPlan::Start::kNow : QueryPlan::Start::kOldest;
      return {};
    }
    const auto time = parse_timestamp(option.value);
    if (!time.ok()) {
      return invalid_at(kBadOption, option.value_span, "option \"start\" takes 'oldest', 'now' or a time",
                        "write a time like '2001-01-01T00:00:00Z'");
    }
    plan_.start = QueryPlan::Start::kTime;
    plan_.start_time = AppendTime(time->micros);
    return {};
  }

  Status view_option(const ast::Option& option) {
    const std::string& name = option.name.text;
    if (name == "start") return start_option(option);
    if (name != "retention") return unknown_option(option, {"start", "retention"}, "a view");
    TRY_ASSIGN(plan_.view_retention_us, option_duration_us(option));
    if (plan_.view_retention_us == 0 || closes_windows_) return {};
    return invalid_at(kNeedsWindow, option.name.span,
                      "a view's retention needs a GROUP BY over a window of the watermark's column",
                      "write FROM TUMBLE(stream, column, INTERVAL '1 hour') GROUP BY window_start");
  }

  Status stream_option(const ast::Option& option) {
    const std::string& name = option.name.text;
    if (name == "start") return start_option(option);
    if (name == "format") return option_one_of(option, "json");
    if (name == "key" || name == "partitions") {
      return unsupported_at(option.name.span,
                            fmt::format("option \"{}\" of a derived stream follows from its source", name),
                            "take it away");
    }
    if (name == "idle_timeout") {
      TRY_ASSIGN(output_.idle_timeout_us, option_duration_us(option));
      return {};
    }
    if (name == "retention") {
      TRY_ASSIGN(output_.retention_us, option_duration_us(option));
      return {};
    }
    if (name == "retention_bytes") {
      TRY_ASSIGN(output_.retention_bytes, option_bytes(option));
      return {};
    }
    return unknown_option(option, {"start", "format", "idle_timeout", "retention", "retention_bytes"},
                          "a derived stream");
  }

  const ast::CreateQuery& tree_;
  const BindContext& context_;
  Scope scope_;
  std::vector<SelectColumn> columns_;
  QueryPlan plan_;
  StreamDef output_;
  bool closes_windows_ = false;  // grouped by a window over the watermark's column
};

}  // namespace

Result<CreateQuery> bind_create_query(const ast::CreateQuery& tree, const BindContext& context) {
  return QueryBinder(tree, context).run();
}

}  // namespace millrace::sql
