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

  void add(const engine::QueryPlan& plan) {
    for (const auto& source : plan.sources()) add(*source);
    if (plan.repartition) add(*plan.repartition_topic);
  }
  void remove(const engine::QueryPlan& plan) {
    for (const auto& source : plan.sources()) remove(*source);
    if (plan.repartition) remove(*plan.repartition_topic);
  }
  void clear() { streams_.clear(); }

  bool has(StreamPartition where) const {
    const auto found = streams_.find(where.stream.value);
    if (found == streams_.end()) return false;
    const auto& own = found->second.own;
    return where.partition.value < own.size() && own[where.partition.value] != 0;
  }
  // Valid as long as this.
  log::WantsRecords filter() const {
    return [this](StreamPartition where) { return has(where); };
  }

 private:
  struct Stream {
    uint32_t readers = 0;
    std::vector<uint8_t> own;
  };
  void add(const engine::StreamDef& stream) {
    auto& known = streams_[stream.id.value];
    if (known.readers++ == 0)
      known.own = own_partitions(stream.partitions, placement_.worker, placement_.workers);
  }
  void remove(const engine::StreamDef& stream) {
    const auto found = streams_.find(stream.id.value);
    if (found != streams_.end() && --found->second.readers == 0) streams_.erase(found);
  }

  const Placement placement_;
  std::unordered_map<uint32_t, Stream> streams_;
};

}  // namespace millrace::processor
