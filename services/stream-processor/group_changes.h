// GroupChanges: what a step changed of a grouped query's rows, on its way into a derived stream.
//
// Upserts:   a stream with a primary key gets {"_op":"upsert", columns…} of each group that changed, and {"_op":"delete", the
//            columns of the key} of one that HAVING does not pass any more, whose output fails, or that has no rows left.
// Changelog: a stream without gets rows with what the change is in `op`: insert; update_before, with the row as it was
//            told, and update_after; delete, with that row.
// Told:      where a change follows from what was told before (a changelog, HAVING, groups that never change) that
//            is kept. Then a step may give nothing, and its bounds still decide what the next one gives.
// Order:     deletes of groups that are gone, then the groups by (window, key). A group's rows stand in its partition.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expr.h"
#include "engine/group_partition.h"
#include "engine/plan.h"
#include "engine/told_rows.h"
#include "formats/json.h"
#include "state/state_store.h"

namespace millrace::processor {

class GroupChanges {
 public:
  explicit GroupChanges(engine::PlanPtr plan);

  using Row = std::function<void(PartitionId, std::string_view row)>;
  // A group of which HAVING or an output fails, with its keys as JSON.
  using Failed = std::function<void(const RowError& error, std::string_view keys)>;
  // `groups` as they are now, `gone`: the keys of those that are not there any more.
  Status write(const Batch& groups, const Batch& gone, state::StateStore& store, const Row& row,
               const Failed& failed);

 private:
  void evaluate(const Batch& groups, const Failed& failed);
  void evaluate_names(const Batch& groups);
  Status show(const Batch& groups, size_t group, state::StateStore& store, const Row& row);
  void hide(const Batch& groups, size_t group, state::StateStore& store, const Row& row);
  void log(const Batch& groups, size_t group, std::string_view op, std::string_view told, const Row& row);

  const engine::PlanPtr plan_;
  const bool changelog_;
  engine::GroupPartition partition_;
  std::optional<engine::ToldRows> told_;
  formats::JsonRowWriter upserts_, deletes_, rows_, keys_;

  // Of the groups of one call.
  std::vector<engine::Evaluator> outputs_, names_;
  std::vector<const Column*> output_columns_, name_columns_;
  std::vector<bool> shown_;
  std::string text_, logged_;  // scratch
};

}  // namespace millrace::processor
