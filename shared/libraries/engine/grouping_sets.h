// GROUPING SETS: the groups that a row counts in, one a set. Private to engine/.
//
// A set has a number, which is the value of one more group key (QueryPlan::set_key): bit i says that key i is not in it.
// Those keys are NULL in its groups.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "event/batch.h"

namespace millrace::engine {

class GroupingSets {
 public:
  explicit GroupingSets(const QueryPlan& plan);
  bool any() const { return !plan_.grouping_sets.empty(); }
  size_t count() const { return any() ? plan_.grouping_sets.size() : 1; }  // groups of a row

  // The row's group in a set, encoded without the window.
  void encode(size_t set, const std::vector<const Column*>& keys, size_t row, std::string& out) const;
  // The groups that are there from the beginning: that of a query without GROUP BY, and those of sets without keys.
  std::vector<std::string> empty_groups() const;

 private:
  bool has(size_t set, size_t key) const { return (plan_.grouping_sets[set] >> key & 1) == 0; }
  bool is_window(size_t key) const {
    return static_cast<int>(key) == plan_.window_key || static_cast<int>(key) == plan_.window_end_key;
  }

  const QueryPlan& plan_;
  Column numbers_;             // of the sets
  std::vector<Column> nulls_;  // by key, one row
};

}  // namespace millrace::engine
