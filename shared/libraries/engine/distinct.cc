#include "engine/distinct.h"

#include <algorithm>
#include <bit>
#include <unordered_set>
#include <utility>

#include "base/hash.h"
#include "engine/aggregate.h"

namespace millrace::engine {
namespace {

constexpr size_t kBitsBytes = 8;
constexpr size_t kNumberBytes = 8;

char key_group_byte(uint64_t hash) {
  return static_cast<char>(key_group_of(hash));
}

// How a value's key names its group.
void append_group(std::string& out, uint64_t hash, uint64_t number) {
  out += key_group_byte(hash);
  append_varint(out, number);
}

}  // namespace

DistinctSets::DistinctSets(const QueryPlan& plan) : query_(plan.id), value_bytes_(kBitsBytes) {
  if (!has_distinct_sets(plan)) return;
  std::vector<std::string> columns;
  for (const int c : plan.read_columns) columns.push_back("column" + std::to_string(c));
  for (size_t i = 0; i < plan.aggregates.size(); ++i) {
    if (!plan.aggregates[i].distinct) continue;
    const std::string argument = to_string(unfiltered(*plan.aggregates[i].argument), columns);
    auto set = std::find_if(sets_.begin(), sets_.end(), [&](const Set& s) {
      return s.argument == argument && s.aggregates.size() < kMostCalls;
    });
    if (set == sets_.end()) {
      set = sets_.emplace(sets_.end());
      set->argument = argument;
    }
    set->aggregates.push_back(i);
    if (plan.updating()) value_bytes_ = std::max(value_bytes_, set->aggregates.size() * kCountBytes);
  }
}

void DistinctSets::of_row(const Arguments& arguments, size_t row, Row& out) const {
  out.values.resize(sets_.size());
  for (size_t s = 0; s < sets_.size(); ++s) {
    Value& value = out.values[s];
    value.calls = 0;
    for (size_t i = 0; i < sets_[s].aggregates.size(); ++i) {
      const Argument& argument = arguments[sets_[s].aggregates[i]];
      if (argument.is_null(row)) continue;
      if (value.calls == 0) {
        value.bytes.clear();
        encode_key(value.bytes, *argument.values, row);
      }
      value.calls |= uint64_t{1} << i;
    }
  }
}

int DistinctSets::too_long(const Row& row) const {
  for (size_t s = 0; s < sets_.size(); ++s) {
    const Value& value = row.values[s];
    if (value.calls == 0 || value.bytes.size() <= kMaxValueBytes) continue;
    return static_cast<int>(sets_[s].aggregates[static_cast<size_t>(std::countr_zero(value.calls))]);
  }
  return -1;
}

void DistinctSets::encode(const Row& row, std::string& out) const {
  for (const Value& value : row.values) {
    append_varint(out, value.calls);
    if (value.calls != 0) append_bytes(out, value.bytes);
  }
}

bool DistinctSets::decode(ByteReader& in, Row& out) const {
  out.values.resize(sets_.size());
  for (size_t s = 0; s < sets_.size(); ++s) {
    Value& value = out.values[s];
    value.calls = in.varint();
    if (value.calls != 0) value.bytes = in.bytes();
    if (value.calls != 0 && value.bytes.size() > kMaxValueBytes) return false;
    const size_t calls = sets_[s].aggregates.size();
    if (!in.ok() || (calls < kMostCalls && value.calls >> calls != 0)) return false;
  }
  return true;
}

void DistinctSets::use_window(state::StateStore& store, int64_t window, uint64_t hash, Row& row) {
  if (table_.store != &store || table_.window != window)
    table_ = {&store, window, &store.table({query_, kDistinctSlot, window}, value_bytes_)};
  row.table = table_.values;
  row.hash = hash;
  row.number = 0;
}

uint64_t DistinctSets::next_number(state::StateStore& store, int64_t window, uint64_t hash) const {
  bool inserted = false;
  char* const last = store.table({query_, kDistinctNumbersSlot, window}, kNumberBytes)
                         .upsert(std::string(1, key_group_byte(hash)), hash >> 56 << 56, inserted);
  if (last == nullptr) return 0;
  store_le(last, load_le<uint64_t>(last) + 1);
  return load_le<uint64_t>(last);
}

void DistinctSets::locate(Row& row, uint64_t number) const {
  row.number = number;
  for (size_t s = 0; s < row.values.size(); ++s) {
    Value& value = row.values[s];
    if (value.calls == 0) continue;
    value.key.clear();
    append_varint(value.key, s);
    append_group(value.key, row.hash, number);
    value.key += value.bytes;
    value.place = row.table->place_of(value.key);
  }
}

void DistinctSets::prefetch_index(const Row& row) const {
  if (row.number == 0) return;
  for (const Value& value : row.values) {
    if (value.calls != 0) row.table->prefetch_index(value.place);
  }
}

void DistinctSets::prefetch(const Row& row) const {
  if (row.number == 0) return;
  for (const Value& value : row.values) {
    if (value.calls != 0) row.table->prefetch(value.place);
  }
}

// Looks before it writes: a value that is known leaves its page as it is, for snapshots.
bool DistinctSets::take(Row& row, std::vector<Contribution>& contributions) const {
  for (Value& value : row.values) value.taken = false;
  for (size_t s = 0; s < row.values.size(); ++s) {
    Value& value = row.values[s];
    if (value.calls == 0) continue;
    const char* const bits = row.table->find_at(value.place, value.key, row.hash);
    value.known = bits == nullptr ? 0 : load_le<uint64_t>(bits);
    for (uint64_t known = value.known & value.calls; known != 0; known &= known - 1) {
      contributions[sets_[s].aggregates[static_cast<size_t>(std::countr_zero(known))]] = {};
    }
    if ((value.calls & ~value.known) == 0) continue;
    bool is_new = false;
    char* const own = row.table->upsert_at(value.place, value.key, row.hash, is_new);
    if (own == nullptr) {
      undo(row);
      return false;
    }
    store_le(own, value.known | value.calls);
    value.taken = true;
  }
  return true;
}

void DistinctSets::undo(Row& row) const {
  for (Value& value : row.values) {
    if (!std::exchange(value.taken, false)) continue;
    if (value.known == 0)
      row.table->erase(value.key, row.hash);
    else
      store_le(row.table->find_mutable(value.key, row.hash), value.known);
  }
}

void DistinctSets::sweep(state::StateStore& store, const NumberOf& number) {
  constexpr size_t kFew = 4096;
  state::Table* const values = store.find({query_, kDistinctSlot, 0});
  if (values == nullptr || values->rows() < 2 * left_ + kFew) return;
  std::unordered_set<std::string> open;  // as values' keys name them
  std::string name;
  store.find({query_, kGroupsSlot, 0})->for_each([&](const state::RowView& group) {
    const uint64_t own = number(group.value);
    if (own == 0) return;
    name.clear();
    append_group(name, group.hash, own);
    open.insert(name);
  });
  std::vector<std::pair<std::string, uint64_t>> gone;
  values->for_each([&](const state::RowView& value) {
    ByteReader in(value.key);
    in.varint();
    in.le<uint8_t>();
    name.clear();
    append_group(name, value.hash, in.varint());
    if (!open.contains(name)) gone.emplace_back(value.key, value.hash);
  });
  for (const auto& [key, hash] : gone) values->erase(key, hash);
  left_ = values->rows();
}

}  // namespace millrace::engine
