// Grouped queries over a stream with a primary key: an event takes the row before it out of its group.
#include <fmt/format.h>

#include "engine/aggregates.h"
#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::AggregateCall;
using engine::AggregateKind;
using engine::QueryPlan;

namespace {

// Forgets a value as exactly as it took it: counts and sums subtract; min, max and DISTINCT count how many rows have a
// value. (Intervals that compare equal are written differently, and a value would have to say how.)
bool can_retract(const AggregateCall& call) {
  switch (call.kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
    case AggregateKind::kBitXor:
    case AggregateKind::kPercentileCont:
    case AggregateKind::kPercentileDisc:
    case AggregateKind::kMode:
      return true;
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kAnyValue:
      return physical(call.argument->type) != Physical::kInterval;
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
    case AggregateKind::kVarSamp:
    case AggregateKind::kVarPop:
    case AggregateKind::kStddevSamp:
    case AggregateKind::kStddevPop:
      return physical(call.argument->type) != Physical::kDouble;
    default:
      return false;
  }
}

Error cannot_retract(const AggregateCall& call, const QueryPlan& plan) {
  const bool pairs = engine::is_of_pairs(call.kind);
  const bool doubles = physical(call.argument->type) == Physical::kDouble;
  const bool sums =
      call.kind == AggregateKind::kSum || call.kind == AggregateKind::kAvg || engine::is_variance(call.kind);
  return unsupported_at(
      call.argument->span,
      fmt::format("{} of {} over \"{}\", which has a primary key, is not supported", aggregate_name(call),
                  to_string(pairs ? Type::kDouble : call.argument->type), plan.source->name),
      doubles && sums
          ? "a sum of doubles cannot forget a row exactly: cast the argument to NUMERIC(27, 12)"
          : "it cannot forget a row: count, sum, avg, variance and stddev of exact numbers, min, max, "
            "bool_and, bool_or, any_value, bit_xor, percentile_cont, percentile_disc and mode can");
}

}  // namespace

// The group's rows, which say when it is gone: a count that is asked for, or one more.
int count_rows(std::vector<AggregateCall>& calls) {
  for (size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].kind == AggregateKind::kCountStar) return static_cast<int>(i);
  }
  calls.push_back(AggregateCall{.kind = AggregateKind::kCountStar});
  return static_cast<int>(calls.size()) - 1;
}

Status bind_retraction(QueryPlan& plan) {
  if (plan.count_key >= 0) {
    return unsupported_at(
        plan.group_keys[static_cast<size_t>(plan.count_key)].expr->span,
        fmt::format("a window of rows over \"{}\", which has a primary key, is not supported",
                    plan.source->name),
        "its rows change after they were counted: use a window of time");
  }
  if (plan.window.is_session()) {
    return unsupported_at(
        plan.group_keys[static_cast<size_t>(plan.window_key)].expr->span,
        fmt::format("SESSION over \"{}\", which has a primary key, is not supported", plan.source->name),
        "a row that goes would cut a session in two: use TUMBLE, HOP or CUMULATE");
  }
  for (const AggregateCall& call : plan.aggregates) {
    if (!can_retract(call)) return cannot_retract(call, plan);
  }
  plan.rows_aggregate = count_rows(plan.aggregates);
  return {};
}

}  // namespace millrace::sql
