#include "engine/keyed_rows.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::engine {
namespace {

constexpr size_t kValueBytes = 8;  // the number of the blob that holds the row

Error rows_full() {
  return error(Code::kExhausted, "MR-SQL-0113", "the view's state has reached its bound",
               "filter more rows out, or group them");
}

}  // namespace

Error other_row() {
  return error(Code::kCorrupt, "MR-SQL-0116", "a stored row has another layout than the view's plan");
}

KeyedRows::KeyedRows(state::StateStore& store, const QueryPlan& plan, uint16_t slot, int64_t window)
    : table_(store.table({plan.id, slot, window}, kValueBytes)),
      partitions_(plan.source ? plan.source->partitions : 1) {}

uint64_t KeyedRows::hash_of(PartitionId partition, std::string_view key) const {
  const uint32_t key_group = (partition.value * kKeyGroups + partitions_ - 1) / partitions_;
  return (uint64_t{key_group} << 56) | (stable_hash(key) >> 8);
}

std::optional<std::string_view> KeyedRows::find(PartitionId partition, std::string_view key) const {
  const char* const value = table_.find(key, hash_of(partition, key));
  if (value == nullptr) return std::nullopt;
  return table_.blob(load_le<uint64_t>(value));
}

Status KeyedRows::put(PartitionId partition, std::string_view key, std::string_view row) {
  const uint64_t blob = table_.put_blob(row);
  if (blob == 0) return rows_full();
  bool inserted = false;
  char* const value = table_.upsert(key, hash_of(partition, key), inserted);
  if (value == nullptr) {
    table_.free_blob(blob);
    return rows_full();
  }
  const uint64_t old = load_le<uint64_t>(value);
  store_le(value, blob);
  if (old != 0) table_.free_blob(old);
  return {};
}

bool KeyedRows::erase(PartitionId partition, std::string_view key) {
  const uint64_t hash = hash_of(partition, key);
  const char* const value = table_.find(key, hash);
  if (value == nullptr) return false;
  const uint64_t blob = load_le<uint64_t>(value);
  table_.erase(key, hash);
  table_.free_blob(blob);
  return true;
}

}  // namespace millrace::engine
