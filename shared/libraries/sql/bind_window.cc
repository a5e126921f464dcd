// Window functions in FROM: their arguments, their columns, and the panes that the engine keeps for them.
#include <fmt/format.h>

#include <unordered_set>

#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"
#include "sql/grouping.h"

namespace millrace::sql {

using ast::WindowFunction;
using engine::Expr;
using engine::ExprPtr;
using engine::Op;
using engine::WindowSpec;

namespace {

Result<int64_t> positive_interval(const ast::Expr& expr, std::string_view what) {
  TRY_ASSIGN(const int64_t micros, constant_interval_us(expr, fmt::format("a window's {}", what)));
  if (micros > 0) return micros;
  return invalid_at(kBadWindow, expr.span, fmt::format("a window's {} must be above zero", what),
                    "for example INTERVAL '1 hour'");
}

Status check_step(const ast::TableRef& from, const WindowSpec& window) {
  const bool hop = window.kind == WindowSpec::Kind::kHop;
  if (window.step_us > window.size_us) {
    return invalid_at(
        kBadWindow, from.step->span,
        hop ? "a HOP window's slide is larger than its size: events between windows would be lost"
            : "a CUMULATE window's step is larger than its size",
        "the order is slide or step, then size");
  }
  if (!hop && window.size_us % window.step_us != 0) {
    return invalid_at(kBadWindow, from.size->span, "a CUMULATE window's size is a multiple of its step",
                      "for example INTERVAL '1 hour', INTERVAL '1 day'");
  }
  const int64_t panes = window.size_us / window.pane_us();
  if (panes <= engine::kMaxPanes) return {};
  return invalid_at(
      kBadWindow, from.size->span,
      fmt::format("the windows would be made of {} panes, and the bound is {}", panes, engine::kMaxPanes),
      "a pane is the largest interval that divides both; choose a larger slide or step, or a "
      "smaller size");
}

Result<WindowSpec> window_of(const ast::TableRef& from) {
  WindowSpec window;
  if (from.step) {
    const bool hop = from.window == WindowFunction::kHop;
    window.kind = hop ? WindowSpec::Kind::kHop : WindowSpec::Kind::kCumulate;
    TRY_ASSIGN(window.step_us, positive_interval(*from.step, hop ? "slide" : "step"));
  }
  const bool session = from.window == WindowFunction::kSession;
  if (session) window.kind = WindowSpec::Kind::kSession;
  TRY_ASSIGN(window.size_us, positive_interval(*from.size, session ? "gap" : "size"));
  if (from.step) TRY(check_step(from, window));
  if (from.offset) {
    TRY_ASSIGN(const int64_t offset, constant_interval_us(*from.offset, "a window's offset"));
    const int64_t period = window.kind == WindowSpec::Kind::kHop ? window.step_us : window.size_us;
    window.offset_us = (offset % period + period) % period;
  }
  return window;
}

bool is_never_computed(Op op) {
  return op == Op::kWindowStart || op == Op::kWindowEnd || is_count_window(op);
}

class WindowColumnFinder {
 public:
  // The first column of a window inside the expression; null: there is none.
  const Expr* in(const ExprPtr& expr) {
    if (!expr || !seen_.insert(expr.get()).second) return nullptr;
    if (is_never_computed(expr->op)) return expr.get();
    for (const auto& arg : expr->args) {
      if (const Expr* found = in(arg)) return found;
    }
    return nullptr;
  }

 private:
  std::unordered_set<const Expr*> seen_;
};

// A session is of all group keys together, so PARTITION BY names them all, or is left out.
Status check_partition(const ast::TableRef& from, const Scope& scope, const engine::QueryPlan& plan) {
  if (from.partition_by.empty()) return {};
  std::vector<bool> named(plan.group_keys.size());
  for (const auto& tree : from.partition_by) {
    TRY_ASSIGN(const ExprPtr expr, ExpressionBinder(scope, "PARTITION BY").bind_typed(*tree));
    bool found = false;
    for (size_t i = 0; i < named.size() && !found; ++i) {
      found = same_expr(*expr, *plan.group_keys[i].expr);
      if (found) named[i] = true;
    }
    if (found) continue;
    return invalid_at(kBadWindow, tree->span, "SESSION is partitioned by what is no group key",
                      "a session is of one group: name the keys of GROUP BY, or leave PARTITION BY out");
  }
  for (size_t i = 0; i < named.size(); ++i) {
    const int key = static_cast<int>(i);
    if (named[i] || key == plan.window_key || key == plan.window_end_key || key == plan.set_key) continue;
    return unsupported_at(from.partition_by.front()->span,
                          "SESSION partitioned by some of the group keys only is not supported",
                          "a session is of one group: name all keys of GROUP BY, or leave PARTITION BY out");
  }
  return {};
}

}  // namespace

std::string_view window_name(const ast::TableRef& from) {
  switch (from.window) {
    case WindowFunction::kHop:
      return "HOP";
    case WindowFunction::kCumulate:
      return "CUMULATE";
    case WindowFunction::kSession:
      return "SESSION";
    default:
      return "TUMBLE";
  }
}

Result<Scope> make_scope(const ast::TableRef& from, Scope scope) {
  if (from.window == WindowFunction::kNone) return scope;
  if (scope.has_window()) {
    return unsupported_at(from.span,
                          fmt::format("{} over rows that have a window is not supported", window_name(from)),
                          "give the query one window function");
  }
  if (from.of_rows) {
    TRY_ASSIGN(const engine::CountWindow window, bind_count_window(from));
    scope.add_count_window(window);
    return scope;
  }
  ExpressionBinder binder(scope, window_name(from));
  TRY_ASSIGN(const ExprPtr time, binder.bind_typed(*from.time));
  const bool takes = (time->op == Op::kColumn && is_timestamp(time->type)) || time->op == Op::kProctime;
  if (!takes) {
    const bool steps = from.step != nullptr;
    return invalid_at(
        kBadWindow, from.time->span,
        fmt::format("the second argument of {} is a column of type timestamptz or timestamp, or PROCTIME()",
                    window_name(from)),
        fmt::format("write {}(stream, column, {}INTERVAL '1 hour')", window_name(from),
                    steps ? "INTERVAL '5 minutes', " : ""));
  }
  TRY_ASSIGN(const WindowSpec window, window_of(from));
  scope.add_window(time, window);
  return scope;
}

Status check_windows(const ast::TableRef& from, const Scope& scope, const engine::QueryPlan& plan) {
  if (!scope.has_many_windows()) return {};
  const std::string_view name = window_name(from);
  if (plan.window_key < 0 && plan.count_key < 0) {
    return unsupported_at(from.span, fmt::format("{} needs a GROUP BY over its window", name),
                          "add GROUP BY window_start");
  }
  TRY(check_partition(from, scope, plan));
  for (const auto& call : plan.aggregates) {
    if (!call.distinct || !from.of_rows || !plan.count_window.shares_panes()) continue;
    return unsupported_at(call.argument->span,
                          fmt::format("DISTINCT in an aggregate over {} of rows is not supported", name),
                          "its windows are put together from parts: use TUMBLE, or leave DISTINCT out");
  }
  WindowColumnFinder finder;
  const Expr* found = finder.in(plan.filter);
  for (const auto& call : plan.aggregates) {
    call.each_expr([&](const ExprPtr& expr) {
      if (found == nullptr) found = finder.in(expr);
    });
  }
  for (const auto& key : plan.group_keys) {
    if (found == nullptr && !is_never_computed(key.expr->op)) found = finder.in(key.expr);
  }
  if (found == nullptr) return {};
  return unsupported_at(
      found->span,
      fmt::format("a window's column of {} may only be a group key or stand in the SELECT list", name),
      "group by window_start, and filter where you read the view");
}

void take_window(engine::QueryPlan& plan, size_t key, const Scope& scope) {
  const Expr start = *plan.group_keys[key].expr;
  plan.window_key = static_cast<int>(key);
  plan.window = scope.window();
  if (start.op == Op::kTumbleStart) {
    plan.window = {};
    plan.window.size_us = start.window_us;
    plan.window.offset_us = start.window_offset_us;
  }
  // Windows of CUMULATE that start together end apart, and a session's length is its own.
  if (plan.window.kind != WindowSpec::Kind::kCumulate && !plan.window.is_session()) return;
  auto end = std::make_shared<Expr>(start);
  end->op = Op::kWindowEnd;
  plan.window_end_key = static_cast<int>(plan.group_keys.size());
  plan.group_keys.push_back({"window_end", std::move(end)});
}

Error window_in_no_set(const ast::Query& tree) {
  return unsupported_at(tree.group_span, "a grouping set without the window is not supported",
                        "write GROUP BY window_start, ROLLUP (…), and sum up over windows where you read");
}

void group_by_panes(engine::QueryPlan& plan) {
  if (!plan.window.made_of_panes()) return;
  for (auto& key : plan.group_keys) {
    const bool start = key.expr->op == Op::kWindowStart;
    if (!start && key.expr->op != Op::kWindowEnd) continue;
    auto pane = std::make_shared<Expr>(*key.expr);
    pane->op = start ? Op::kTumbleStart : Op::kTumbleEnd;
    pane->window_us = plan.window.pane_us();
    pane->window_offset_us = plan.window.offset_us % pane->window_us;
    key.expr = std::move(pane);
  }
  if (!plan.window.is_session()) return;
  const ExprPtr time = plan.group_keys[static_cast<size_t>(plan.window_key)].expr->args[0];
  for (const auto kind : {engine::AggregateKind::kMin, engine::AggregateKind::kMax}) {
    plan.aggregates.push_back({kind, time, time->type});
  }
}

}  // namespace millrace::sql
