// The evaluators of one task over the columns that its rows have. Scratch only: no state.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/last_rows.h"
#include "engine/shared_values.h"
#include "stream-processor/group_rows.h"
#include "stream-processor/query_task.h"

namespace millrace::processor {

struct QueryTask::Pipeline {
  // What is aggregated of an updating source are changes, which have the plan's own columns.
  Pipeline(const engine::PlanPtr& original, const std::vector<int>& columns)
      : plan(retracts(*original) ? original : remap(original, columns)),
        shared(over_rows(*plan), original->options) {
    if (original->updating()) upserts.emplace(*original->source, columns);
    if (retracts(*original)) last_rows.emplace(original, columns);
    if (plan->filter) filter.emplace(plan->filter, plan->on_error, plan->options, &shared);
    if (plan->window_key >= 0) {
      const auto& start = *plan->group_keys[static_cast<size_t>(plan->window_key)].expr;
      if (start.args[0]->op == engine::Op::kColumn) time_column = start.args[0]->column;
    }
    event_time_column = time_column;
    if (last_rows && time_column >= 0) event_time_column = place_of(*original, time_column, columns);
    switch (plan->shape) {
      case engine::QueryPlan::Shape::kAggregate:
        aggregation.emplace(plan, &shared);
        if (plan->count_window.any() && plan->output_stream) group_rows.emplace(plan);
        break;
      case engine::QueryPlan::Shape::kRows:
        rows_view.emplace(plan);
        [[fallthrough]];
      case engine::QueryPlan::Shape::kStream:
        if (plan->updating()) {
          rows_view.emplace(plan);
          row_changes.emplace(*plan);
        }
        for (const auto& output : plan->outputs)
          outputs.emplace_back(output.expr, plan->on_error, plan->options, &shared);
        writer.emplace(engine::names_of(plan->outputs));
    }
  }

  // The expressions that are evaluated over rows, not over groups.
  static std::vector<engine::ExprPtr> over_rows(const engine::QueryPlan& plan) {
    std::vector<engine::ExprPtr> all{plan.filter};
    if (plan.shape == engine::QueryPlan::Shape::kAggregate) {
      for (const auto& key : plan.group_keys) all.push_back(key.expr);
      for (const auto& call : plan.aggregates) {
        all.push_back(call.argument);
        for (const auto& sort : call.order_by) all.push_back(sort.expr);
      }
    } else {
      for (const auto& output : plan.outputs) all.push_back(output.expr);
    }
    return all;
  }

  static bool retracts(const engine::QueryPlan& plan) {
    return plan.updating() && plan.shape == engine::QueryPlan::Shape::kAggregate;
  }

  // In the events, where a column of the plan's rows stands.
  static int place_of(const engine::QueryPlan& plan, int column, const std::vector<int>& columns) {
    const int wanted = plan.read_columns[static_cast<size_t>(column)];
    return static_cast<int>(std::lower_bound(columns.begin(), columns.end(), wanted) - columns.begin());
  }

  engine::PlanPtr plan;
  engine::SharedValues shared;
  std::optional<engine::Upserts> upserts;
  std::optional<engine::LastRows> last_rows;
  Batch changes;                          // that last_rows made of the events
  std::optional<RowChanges> row_changes;  // of rows by primary key
  std::optional<engine::Evaluator> filter;
  std::vector<engine::Evaluator> outputs;
  std::optional<engine::Aggregation> aggregation;
  std::optional<GroupRows> group_rows;  // windows of rows, into a stream
  std::optional<engine::RowsView> rows_view;
  std::optional<formats::JsonRowWriter> writer;
  int time_column = -1;        // of the batch; of an updating source: of the changes …
  int event_time_column = -1;  // … and of the events
  std::vector<int64_t> ended;  // by row: what had ended when it came; empty where windows share no panes
};

// Of an updating source rows come and go.
inline bool comes(const Batch& batch, uint32_t row) {
  return batch.weights.empty() || batch.weights[row] > 0;
}
inline size_t rows_that_come(const Batch& batch, const Selection& selection) {
  if (batch.weights.empty()) return selection.size();
  return static_cast<size_t>(
      std::ranges::count_if(selection, [&](uint32_t row) { return comes(batch, row); }));
}

}  // namespace millrace::processor
