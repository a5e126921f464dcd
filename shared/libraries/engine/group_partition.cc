#include "engine/group_partition.h"

#include "base/hash.h"
#include "engine/aggregate.h"
#include "formats/json.h"

namespace millrace::engine {

int partition_key_of(const QueryPlan& plan) {
  if (!plan.source || plan.source->key_column < 0) return -1;
  for (size_t i = 0; i < plan.group_keys.size(); ++i) {
    const Expr& e = *plan.group_keys[i].expr;
    if (e.op != Op::kColumn || static_cast<size_t>(e.column) >= plan.read_columns.size()) continue;
    if (plan.read_columns[static_cast<size_t>(e.column)] == plan.source->key_column && plan.in_every_set(i))
      return static_cast<int>(i);
  }
  return -1;
}

PartitionId GroupPartition::of(const Batch& groups, size_t row) {
  key_.clear();
  for (size_t i = 0; partition_key_ < 0 && i < plan_.group_keys.size(); ++i) {
    const int key = static_cast<int>(i);
    if (key != plan_.window_key && key != plan_.window_end_key) encode_key(key_, groups.columns[i], row);
  }
  if (partition_key_ >= 0)
    formats::append_key_text(key_, groups.columns[static_cast<size_t>(partition_key_)], row);
  const uint32_t partition =
      partition_of_key_group(key_group_of(stable_hash(key_)), plan_.source->partitions);
  return PartitionId(static_cast<uint16_t>(partition));
}

}  // namespace millrace::engine
