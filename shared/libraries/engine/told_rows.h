// ToldRows: what a stream of changes told last of each group, as bytes of whoever tells.
//
// Rows:    by the group's keys, in one table a window, which can be dropped when the window has closed. Not of SESSION,
//          whose windows grow.
// Threads: the worker's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/group_partition.h"
#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

class ToldRows {
 public:
  explicit ToldRows(const QueryPlan& plan) : plan_(plan), partition_(plan) {}

  // Of a row (group keys…, …) of `groups`. nullopt: nothing was told, or that it is gone.
  std::optional<std::string> find(const Batch& groups, size_t group, state::StateStore& store);
  Status put(const Batch& groups, size_t group, std::string_view row, state::StateStore& store);
  void erase(const Batch& groups, size_t group, state::StateStore& store);

 private:
  int64_t table_of(const Batch& groups, size_t group) const;
  void encode(const Batch& groups, size_t group);

  const QueryPlan& plan_;
  GroupPartition partition_;
  std::string key_;  // scratch
};

}  // namespace millrace::engine
