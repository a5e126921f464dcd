#include "engine/grouping_sets.h"

#include "engine/aggregate.h"

namespace millrace::engine {

GroupingSets::GroupingSets(const QueryPlan& plan) : plan_(plan) {
  if (!any()) return;
  numbers_.type = Type::kInteger;
  for (const int64_t set : plan.grouping_sets) numbers_.append(Scalar(set));
  for (const NamedExpr& key : plan.group_keys) {
    nulls_.emplace_back().type = key.expr->type;
    nulls_.back().append_null();
  }
}

void GroupingSets::encode(size_t set, const std::vector<const Column*>& keys, size_t row,
                          std::string& out) const {
  out.clear();
  for (size_t i = 0; i < nulls_.size(); ++i) {
    if (is_window(i)) continue;
    if (static_cast<int>(i) == plan_.set_key) {
      encode_key(out, numbers_, set);
    } else if (has(set, i)) {
      encode_key(out, *keys[i], row);
    } else {
      encode_key(out, nulls_[i], 0);
    }
  }
}

std::vector<std::string> GroupingSets::empty_groups() const {
  if (plan_.group_keys.empty()) return {std::string()};
  std::vector<std::string> out;
  std::vector<const Column*> keys;
  for (const Column& column : nulls_) keys.push_back(&column);
  for (size_t set = 0; set < plan_.grouping_sets.size(); ++set) {
    bool empty = true;
    for (size_t i = 0; i < nulls_.size(); ++i) empty &= static_cast<int>(i) == plan_.set_key || !has(set, i);
    if (empty) encode(set, keys, 0, out.emplace_back());
  }
  return out;
}

}  // namespace millrace::engine
