// GroupPartition: the partition that a group belongs to. That of its events, if the source is partitioned by one of
// the group's keys; else that of its records in the repartition topic. The worker that holds the group reads it.
#pragma once

#include <string>

#include "engine/plan.h"

namespace millrace::engine {

// Which group key is the source's partition key, as it is; -1: none.
int partition_key_of(const QueryPlan& plan);

class GroupPartition {
 public:
  explicit GroupPartition(const QueryPlan& plan) : plan_(plan), partition_key_(partition_key_of(plan)) {}

  // Of a row (group keys…, aggregates…).
  PartitionId of(const Batch& groups, size_t row);

 private:
  const QueryPlan& plan_;
  const int partition_key_;
  std::string key_;  // scratch
};

}  // namespace millrace::engine
