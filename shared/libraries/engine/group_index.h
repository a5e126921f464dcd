// GroupIndex: which (window, key) pairs were seen since the last clear(), numbered as they came. Private to
// engine/.
//
// Open addressing over one string of keys; clear() keeps the capacity. The hash is the caller's, of the key,
// mixed here with a seed of this process and the window.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

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
    if ((groups_.size() + 1) * 2 > table_.size()) grow();
    const uint64_t hash = seeded_hash(key, seed_ ^ static_cast<uint64_t>(window));
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
