#include "engine/told_rows.h"

#include "engine/aggregate.h"
#include "engine/keyed_rows.h"

namespace millrace::engine {

// Windows differ in their ends, and the last moment of one lies in no window that ends earlier.
int64_t ToldRows::table_of(const Batch& groups, size_t group) const {
  if (plan_.window_key < 0) return 0;
  const auto at = [&](int key) { return groups.columns[static_cast<size_t>(key)].integers[group]; };
  const int64_t end =
      plan_.window_end_key >= 0 ? at(plan_.window_end_key) : at(plan_.window_key) + plan_.window.size_us;
  return end - 1;
}

void ToldRows::encode(const Batch& groups, size_t group) {
  key_.clear();
  for (size_t i = 0; i < plan_.group_keys.size(); ++i) {
    const int key = static_cast<int>(i);
    if (key != plan_.window_key && key != plan_.window_end_key) encode_key(key_, groups.columns[i], group);
  }
}

std::optional<std::string> ToldRows::find(const Batch& groups, size_t group, state::StateStore& store) {
  encode(groups, group);
  const auto row =
      KeyedRows(store, plan_, kRowsSlot, table_of(groups, group)).find(partition_.of(groups, group), key_);
  return row ? std::optional(std::string(*row)) : std::nullopt;
}

Status ToldRows::put(const Batch& groups, size_t group, std::string_view row, state::StateStore& store) {
  encode(groups, group);
  return KeyedRows(store, plan_, kRowsSlot, table_of(groups, group))
      .put(partition_.of(groups, group), key_, row);
}

void ToldRows::erase(const Batch& groups, size_t group, state::StateStore& store) {
  encode(groups, group);
  KeyedRows(store, plan_, kRowsSlot, table_of(groups, group)).erase(partition_.of(groups, group), key_);
}

}  // namespace millrace::engine
