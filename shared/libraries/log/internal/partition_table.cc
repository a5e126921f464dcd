#include "log/internal/partition_table.h"

#include <algorithm>

namespace millrace::log {

void PartitionTable::load(Carry state) {
  const std::lock_guard lock(mutex_);
  for (const auto& [where, next] : state.next) offsets_[where] = {next.value, next.value};
  positions_ = std::move(state.positions);
}

void PartitionTable::set_starts(std::unordered_map<StreamPartition, Offset> starts) {
  const std::lock_guard lock(mutex_);
  starts_ = std::move(starts);
}

void PartitionTable::assign(std::vector<BatchPlace>& places) {
  const std::lock_guard lock(mutex_);
  for (auto& place : places) {
    Offsets& offsets = offsets_[place.where];
    place.first = Offset(offsets.next);
    offsets.next += place.count;
  }
}

void PartitionTable::commit(const Frame& frame) {
  const std::lock_guard lock(mutex_);
  for (const auto& batch : frame.batches) {
    offsets_[batch.where].durable = batch.first.value + batch.count;
  }
  for (const auto& control : frame.controls) {
    std::string_view name;
    std::string_view position;
    if (control.kind == ControlKind::kPosition && decode_position(control.payload.view(), name, position)) {
      positions_[std::string(name)] = std::string(position);
    }
  }
}

void PartitionTable::recover(const Frame& frame) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& batch : frame.batches) offsets_[batch.where].next = batch.first.value + batch.count;
  }
  commit(frame);
}

void PartitionTable::raise_starts(const std::vector<std::pair<StreamPartition, Offset>>& ends) {
  const std::lock_guard lock(mutex_);
  for (const auto& [where, end] : ends) {
    Offset& start = starts_[where];
    start = std::max(start, end);
  }
}

OffsetRange PartitionTable::range(StreamPartition where) const {
  const std::lock_guard lock(mutex_);
  const auto start = starts_.find(where);
  const auto it = offsets_.find(where);
  const Offset first = start == starts_.end() ? Offset(0) : start->second;
  return {first, it == offsets_.end() ? Offset(0) : Offset(it->second.durable)};
}

Result<std::string> PartitionTable::position(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto it = positions_.find(name);
  if (it == positions_.end()) {
    return error(Code::kNotFound, "MR-LOG-0009", "no position was ever committed under the name " + name);
  }
  return it->second;
}

size_t PartitionTable::positions() const {
  const std::lock_guard lock(mutex_);
  return positions_.size();
}

Carry PartitionTable::carry() const {
  const std::lock_guard lock(mutex_);
  Carry carry;
  carry.next.reserve(offsets_.size());
  for (const auto& [where, offsets] : offsets_) {
    if (offsets.durable > 0) carry.next[where] = Offset(offsets.durable);
  }
  carry.positions = positions_;
  return carry;
}

}  // namespace millrace::log
