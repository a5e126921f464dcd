// GroupIndex: which (window, key) pairs were seen since the last clear(), numbered as they came. Private to
// engine/.
//
// Open addressing over one string of keys; clear() keeps the capacity. A key's hash is seeded; who has one already (a
// table's place_of()) gives it. For many groups, in steps: prefetch(), prefetch_group(), prefetch_key(), then find_or_add().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/prefetch.h"

namespace millrace::engine {

class GroupIndex {
 public:
  struct Group {
    uint64_t hash = 0;
    int64_t window = 0;
    size_t offset = 0;
    size_t size = 0;
  };

  // The group's number; `added` if it is new.
  size_t find_or_add(int64_t window, std::string_view key, bool& added) {
    return find_or_add(window, key, seeded_hash(key, seed_), added);
  }
  // One key, one hash.
  size_t find_or_add(int64_t window, std::string_view key, uint64_t key_hash, bool& added) {
    if ((groups_.size() + 1) * 2 > table_.size()) grow();
    const uint64_t hash = hash_of(window, key_hash);
    size_t at = hash & (table_.size() - 1);
    for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
      const Group& g = groups_[table_[at] - 1];
      if (g.hash == hash && g.window == window && key_of(g) == key) return added = false, table_[at] - 1;
    }
    groups_.push_back({hash, window, keys_.size(), key.size()});
    keys_ += key;
    table_[at] = static_cast<uint32_t>(groups_.size());
    added = true;
    return groups_.size() - 1;
  }
  void prefetch(int64_t window, uint64_t key_hash) const {
    if (!table_.empty()) prefetch_line(&table_[hash_of(window, key_hash) & (table_.size() - 1)]);
  }
  void prefetch_group(int64_t window, uint64_t key_hash) const {
    const uint32_t number = first_met(window, key_hash);
    if (number != 0) prefetch_line(&groups_[number - 1]);
  }
  void prefetch_key(int64_t window, uint64_t key_hash) const {
    const uint32_t number = first_met(window, key_hash);
    if (number != 0) prefetch_line(keys_.data() + groups_[number - 1].offset);
  }
  void clear() {
    if (groups_.empty()) return;
    groups_.clear();
    keys_.clear();
    std::fill(table_.begin(), table_.end(), 0);
  }
  size_t size() const { return groups_.size(); }
  int64_t window(size_t number) const { return groups_[number].window; }
  std::string_view key(size_t number) const { return key_of(groups_[number]); }

 private:
  static uint64_t hash_of(int64_t window, uint64_t key_hash) {
    const uint64_t mixed = static_cast<uint64_t>(window) * 0x9E3779B97F4A7C15;  // 2^64 / the golden ratio
    return key_hash ^ mixed ^ (mixed >> 32);
  }
  // Most often the group's own number + 1; 0: none.
  uint32_t first_met(int64_t window, uint64_t key_hash) const {
    return table_.empty() ? 0 : table_[hash_of(window, key_hash) & (table_.size() - 1)];
  }
  std::string_view key_of(const Group& g) const { return std::string_view(keys_).substr(g.offset, g.size); }
  void grow() {
    table_.assign(table_.empty() ? 64 : table_.size() * 2, 0);
    for (size_t i = 0; i < groups_.size(); ++i) {
      size_t at = groups_[i].hash & (table_.size() - 1);
      while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
      table_[at] = static_cast<uint32_t>(i + 1);
    }
  }

  std::vector<Group> groups_;
  std::vector<uint32_t> table_;  // number + 1; 0: empty
  std::string keys_;
  const uint64_t seed_ = process_hash_seed();
};

}  // namespace millrace::engine
