// NameTable: from the names of members to small numbers, for looking up every member of every event.
//
// Few names are hashed by their ends, which is the fastest; with many, who writes a schema must not be able to choose names
// that meet, so their hash is seeded.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace millrace::json_schema {

class NameTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The names must outlive the table. Each stands for its place among them.
  void fill(std::vector<std::string_view> names) {
    names_ = std::move(names);
    size_t slots = 8;
    while (slots < names_.size() * 4) slots *= 2;
    slots_.assign(slots, kNone);
    for (uint32_t i = 0; i < names_.size(); ++i) slots_[free_slot(names_[i])] = i;
  }

  uint32_t find(std::string_view name) const {
    if (names_.empty()) return kNone;
    const size_t mask = slots_.size() - 1;
    for (size_t slot = hash(name) & mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
      const std::string_view candidate = names_[slots_[slot]];
      if (candidate.size() == name.size() && std::memcmp(candidate.data(), name.data(), name.size()) == 0) {
        return slots_[slot];
      }
    }
    return kNone;
  }

  const std::vector<std::string_view>& names() const { return names_; }

 private:
  static constexpr size_t kFew = 64;

  size_t free_slot(std::string_view name) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = hash(name) & mask;
    while (slots_[slot] != kNone) slot = (slot + 1) & mask;
    return slot;
  }

  uint64_t hash(std::string_view name) const {
    if (names_.size() > kFew) return seeded_hash(name, process_hash_seed());
    uint64_t hash = name.size();
    if (name.size() >= 4) {
      uint32_t head = 0;
      uint32_t tail = 0;
      std::memcpy(&head, name.data(), 4);
      std::memcpy(&tail, name.data() + name.size() - 4, 4);
      hash += static_cast<uint64_t>(head) << 32 | tail;
    } else if (!name.empty()) {
      hash += static_cast<uint64_t>(static_cast<unsigned char>(name[0])) << 32 |
              static_cast<unsigned char>(name.back());
    }
    return (hash * 0x9e3779b97f4a7c15) >> 40;
  }

  std::vector<std::string_view> names_;
  std::vector<uint32_t> slots_;  // a power of two
};

}  // namespace millrace::json_schema
