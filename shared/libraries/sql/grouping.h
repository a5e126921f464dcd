// Grouping: GROUP BY's keys, and outputs of a grouped query, in views and in ad-hoc SELECTs.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "sql/binder.h"

namespace millrace::sql {

inline constexpr size_t kMaxGroupingKeys = 16;  // of GROUPING SETS

bool is_window_start(engine::Op op);
bool is_window_end(engine::Op op);
bool is_count_window(engine::Op op);  // an end of a window of rows
engine::Op start_of(engine::Op end);  // of a window, from its end

// Over the source row, each once; a window is one key, whichever end was written.
// With GROUPING SETS the last key is the set's number.
struct GroupKeys {
  std::vector<engine::NamedExpr> keys;
  std::vector<int64_t> sets;  // QueryPlan::grouping_sets
  int set_key = -1;

  void move_to(engine::QueryPlan& plan) &&;
};
Result<GroupKeys> bind_group_keys(const ast::Query& query, const Scope& scope,
                                  const std::vector<SelectColumn>& columns, const Schema& source);

// SELECT DISTINCT groups by what it selects.
Result<std::vector<engine::NamedExpr>> bind_distinct_keys(const std::vector<SelectColumn>& columns,
                                                          const SourceSpan& span);

// Outputs of a grouped query: from expressions over the source row to expressions over (group keys…,
// aggregates…). Borrows what it is given.
class GroupedOutputs {
 public:
  GroupedOutputs(const engine::QueryPlan& plan, const Schema& source);
  Result<engine::ExprPtr> apply(const engine::ExprPtr& expr);

 private:
  uint64_t hash_of(const engine::Expr& expr);
  std::optional<size_t> key_of(const engine::Expr& expr);
  Result<engine::ExprPtr> rewrite(const engine::ExprPtr& expr);
  Result<engine::ExprPtr> grouping(const engine::Expr& expr);
  Result<engine::ExprPtr> window_end(const engine::Expr& expr);
  Result<engine::ExprPtr> count_window(const engine::Expr& expr);
  std::optional<size_t> key_of_value(const engine::Expr& expr) const;
  Error not_grouped(const engine::Expr& expr) const;

  const std::vector<engine::NamedExpr>& keys_;
  const int set_key_;
  const Schema& source_;
  std::unordered_multimap<uint64_t, size_t> by_hash_;
  std::unordered_map<const engine::Expr*, uint64_t> hashes_;
  std::unordered_map<const engine::Expr*, engine::ExprPtr> done_;
};

}  // namespace millrace::sql
