// OwnBatches: the batches that queries of a worker look into: those of its partitions of the streams that they read.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/plan.h"
#include "log/journal.h"
#include "stream-processor/step_record.h"
#include "stream-processor/stream_rows.h"

namespace millrace::processor {

class OwnBatches {
 public:
  explicit OwnBatches(Placement placement) : placement_(placement) {}

  void add(const engine::QueryPlan& plan) { count(plan, 1); }
  void remove(const engine::QueryPlan& plan) { count(plan, -1); }
  void clear() { readers_.clear(); }

  bool has(StreamPartition where) const {
    const auto found = readers_.find(where.stream.value);
    return found != readers_.end() && where.partition.value < found->second.size() &&
           found->second[where.partition.value] > 0;
  }
  // Valid as long as this.
  log::WantsRecords filter() const {
    return [this](StreamPartition where) { return has(where); };
  }

 private:
  void count(const engine::QueryPlan& plan, int32_t by) {
    const auto own = own_partitions(plan.source->partitions, placement_.worker, placement_.workers);
    if (plan.arms.empty()) count(*plan.source, own, 0, by);
    for (const auto& arm : plan.arms) count(*arm.source, own, arm.first_partition, by);
    if (!plan.repartition) return;
    const auto& topic = *plan.repartition_topic;
    count(topic, own_partitions(topic.partitions, placement_.worker, placement_.workers), 0, by);
  }
  // The stream's partitions stand in `own` from `first` on.
  void count(const engine::StreamDef& stream, const std::vector<uint8_t>& own, size_t first, int32_t by) {
    auto& readers = readers_[stream.id.value];
    readers.resize(stream.partitions);
    for (size_t p = 0; p < readers.size(); ++p) readers[p] += own[first + p] != 0 ? by : 0;
  }

  const Placement placement_;
  std::unordered_map<uint32_t, std::vector<int32_t>>
      readers_;  // by stream and partition: how often it is read
};

}  // namespace millrace::processor
