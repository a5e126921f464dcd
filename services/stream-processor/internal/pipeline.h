// The evaluators of one task over the columns that its rows have. Scratch only: no state.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream-processor/query_task.h"

namespace millrace::processor {

struct QueryTask::Pipeline {
  Pipeline(const engine::PlanPtr& original, const std::vector<int>& columns)
      : plan(remap(original, columns)) {
    if (plan->filter) filter.emplace(plan->filter, plan->on_error);
    if (plan->window_key >= 0) {
      const auto& start = *plan->group_keys[static_cast<size_t>(plan->window_key)].expr;
      if (start.args[0]->op == engine::Op::kColumn) time_column = start.args[0]->column;
    }
    for (const auto& output : plan->outputs) names.push_back(output.name);
    switch (plan->shape) {
      case engine::QueryPlan::Shape::kAggregate:
        aggregation.emplace(plan);
        break;
      case engine::QueryPlan::Shape::kRows:
        rows_view.emplace(plan);
        [[fallthrough]];
      case engine::QueryPlan::Shape::kStream:
        for (const auto& output : plan->outputs) outputs.emplace_back(output.expr, plan->on_error);
        writer.emplace(names);
    }
  }

  engine::PlanPtr plan;
  std::vector<std::string> names;
  std::optional<engine::Evaluator> filter;
  std::vector<engine::Evaluator> outputs;
  std::optional<engine::Aggregation> aggregation;
  std::optional<engine::RowsView> rows_view;
  std::optional<formats::JsonRowWriter> writer;
  int time_column = -1;        // of the batch
  std::vector<int64_t> ended;  // by row: what had ended when it came; empty where windows share no panes
  std::string row;             // scratch
};

}  // namespace millrace::processor
