#include "engine/distinct.h"

#include <algorithm>

#include "engine/aggregate.h"

namespace millrace::engine {
namespace {

constexpr size_t kValueBytes = 8;

// FILTER makes an argument NULL where its condition is not true: it does not change the values.
const Expr& unfiltered(const Expr& argument) {
  const bool filtered = argument.op == Op::kCase && argument.args.size() == 3 &&
                        argument.args[2]->op == Op::kLiteral &&
                        std::holds_alternative<std::monostate>(argument.args[2]->literal);
  return filtered ? *argument.args[1] : argument;
}

}  // namespace

DistinctSets::DistinctSets(const QueryPlan& plan) : query_(plan.id) {
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
  }
}

void DistinctSets::of_row(const std::vector<const Column*>& arguments,
                          const std::vector<Contribution>& contributions, size_t row) {
  for (Set& set : sets_) {
    set.calls = 0;
    for (size_t i = 0; i < set.aggregates.size(); ++i) {
      const size_t aggregate = set.aggregates[i];
      if (contributions[aggregate].count == 0) continue;  // NULL
      if (set.calls == 0) {
        set.value.clear();
        encode_key(set.value, *arguments[aggregate], row);
      }
      set.calls |= uint64_t{1} << i;
    }
  }
}

void DistinctSets::encode(std::string& out) const {
  for (const Set& set : sets_) {
    append_varint(out, set.calls);
    if (set.calls != 0) append_bytes(out, set.value);
  }
}

bool DistinctSets::decode(ByteReader& in) {
  for (Set& set : sets_) {
    set.calls = in.varint();
    if (set.calls != 0) set.value = in.bytes();
    const size_t calls = set.aggregates.size();
    if (!in.ok() || (calls < kMostCalls && set.calls >> calls != 0)) return false;
  }
  return true;
}

state::Table& DistinctSets::table(state::StateStore& store) {
  return store.table({query_, kDistinctSlot, window_}, kValueBytes);
}

void DistinctSets::take_known(state::StateStore& store, int64_t window, std::string_view group, uint64_t hash,
                              std::vector<Contribution>& contributions) {
  window_ = window;
  hash_ = hash;
  const state::Table& rows = table(store);
  for (size_t s = 0; s < sets_.size(); ++s) {
    Set& set = sets_[s];
    set.inserted = false;
    if (set.calls == 0) continue;
    set.key.clear();
    append_varint(set.key, s);
    append_bytes(set.key, group);
    set.key += set.value;
    const char* const bits = rows.find(set.key, hash);
    set.known = bits == nullptr ? 0 : load_le<uint64_t>(bits);
    for (size_t i = 0; i < set.aggregates.size(); ++i) {
      if ((set.known >> i & 1) != 0) contributions[set.aggregates[i]] = {};
    }
  }
}

bool DistinctSets::insert(state::StateStore& store) {
  state::Table& rows = table(store);
  for (Set& set : sets_) {
    if ((set.calls & ~set.known) == 0) continue;
    bool is_new = false;
    char* const bits = rows.upsert(set.key, hash_, is_new);
    if (bits == nullptr) {
      undo(store);
      return false;
    }
    store_le(bits, set.known | set.calls);
    set.inserted = true;
  }
  return true;
}

void DistinctSets::undo(state::StateStore& store) {
  state::Table& rows = table(store);
  for (Set& set : sets_) {
    if (!std::exchange(set.inserted, false)) continue;
    if (set.known == 0)
      rows.erase(set.key, hash_);
    else
      store_le(rows.find_mutable(set.key, hash_), set.known);
  }
}

}  // namespace millrace::engine
