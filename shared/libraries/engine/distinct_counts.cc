// DistinctSets of an updating source: a value is there for as long as some row has it.
#include "engine/distinct.h"

namespace millrace::engine {

bool DistinctSets::count(Row& row, int weight, std::vector<Contribution>& contributions) const {
  for (size_t s = 0; s < sets_.size(); ++s) {
    Value& value = row.values[s];
    if (value.calls != 0 && !count_set(sets_[s], value, row, weight, contributions)) return false;
  }
  return true;
}

bool DistinctSets::count_set(const Set& set, Value& value, const Row& row, int weight,
                             std::vector<Contribution>& contributions) const {
  bool inserted = false;
  char* counts = row.table->upsert_at(value.place, value.key, row.hash, inserted);
  if (counts == nullptr) return false;
  bool any = false;
  for (size_t i = 0; i < set.aggregates.size(); ++i, counts += kCountBytes) {
    int64_t rows = load_le<int64_t>(counts);
    if ((value.calls >> i & 1) != 0) {
      rows += weight;
      store_le(counts, rows);
      const bool turns = rows == (weight > 0 ? 1 : 0);
      if (!turns) contributions[set.aggregates[i]] = {};
    }
    any |= rows != 0;
  }
  if (!any) row.table->erase(value.key, row.hash);
  return true;
}

}  // namespace millrace::engine
