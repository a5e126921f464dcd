// A change of the number of workers: each row goes to the store of its key group.
#include <cstring>

#include "base/hash.h"
#include "engine/accumulator.h"
#include "engine/aggregate.h"
#include "engine/group_read.h"

namespace millrace::engine {
namespace {

// A key group of the same partition that the partition's reader owns: rows go where their partition is read.
uint32_t owning_key_group(const QueryPlan& plan, uint64_t hash) {
  const StreamPtr& input = plan.repartition ? plan.repartition_topic : plan.source;
  const uint32_t partitions = input ? input->partitions : 1;
  const uint32_t partition = partition_of_key_group(key_group_of(hash), partitions);
  return (partition * kKeyGroups + partitions - 1) / partitions;
}

}  // namespace

Status split_state(const QueryPlan& plan, const state::Epoch& from,
                   const std::function<state::StateStore&(uint32_t key_group)>& target) {
  const Accumulators accumulators(plan);
  for (const uint16_t slot : {kGroupsSlot, kRowsSlot, kLateSlot, kDistinctSlot, kDistinctNumbersSlot,
                              kNumbersSlot, kLastRowsSlot}) {
    for (const state::TableName& name : from.tables(plan.id, slot)) {
      const size_t value_bytes = from.value_bytes(name);
      const bool groups = slot == kGroupsSlot || slot == kLateSlot;
      if (groups && value_bytes != accumulators.value_bytes()) return wrong_layout();
      const auto blobs = [&](uint64_t id) { return from.blob(name, id); };
      bool full = false;
      std::string value;
      from.for_each(name, [&](const state::RowView& row) {
        state::Table& to = target(owning_key_group(plan, row.hash)).table(name, value_bytes);
        value.assign(row.value, value_bytes);
        if (groups) {
          full = full || !accumulators.move_blobs(value.data(), blobs, to);
        } else if (slot == kRowsSlot || slot == kLastRowsSlot) {
          const uint64_t id = to.put_blob(blobs(load_le<uint64_t>(value.data())));
          full = full || id == 0;
          store_le(value.data(), id);
        }
        bool inserted = false;
        char* const place = full ? nullptr : to.upsert(row.key, row.hash, inserted);
        full = place == nullptr;
        if (!full) std::memcpy(place, value.data(), value_bytes);
      });
      TRY(from.status());
      if (full) return state_full();
    }
  }
  return {};
}

}  // namespace millrace::engine
