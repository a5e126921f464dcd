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
    slots_.assign(slots, Slot{});
    for (uint32_t i = 0; i < names_.size(); ++i) {
      size_t at = place(names_[i]);
      while (slots_[at].number != kNone) at = (at + 1) & (slots - 1);
      slots_[at] = {ends(names_[i]), static_cast<uint32_t>(names_[i].size()), i};
    }
  }

  uint32_t find(std::string_view name) const {
    if (names_.empty()) return kNone;
    const uint64_t wanted = ends(name);
    for (size_t at = place(name); slots_[at].number != kNone; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.ends == wanted && slot.length == name.size() &&
          (name.size() <= 8 || names_[slot.number] == name)) {
        return slot.number;
      }
    }
    return kNone;
  }

 private:
  static constexpr size_t kFew = 64;

  struct Slot {
    uint64_t ends = 0;
    uint32_t length = 0;
    uint32_t number = kNone;
  };

  // The first four bytes and the last four: all of a name of at most eight.
  static uint64_t ends(std::string_view name) {
    if (name.size() >= 4) {
      uint32_t head = 0;
      uint32_t tail = 0;
      std::memcpy(&head, name.data(), 4);
      std::memcpy(&tail, name.data() + name.size() - 4, 4);
      return static_cast<uint64_t>(head) << 32 | tail;
    }
    uint64_t all = 0;
    for (const char c : name) all = all << 8 | static_cast<unsigned char>(c);
    return all;
  }

  size_t place(std::string_view name) const {
    const uint64_t hash = names_.size() > kFew ? seeded_hash(name, process_hash_seed())
                                               : ((ends(name) + name.size()) * 0x9e3779b97f4a7c15) >> 40;
    return hash & (slots_.size() - 1);
  }

  std::vector<std::string_view> names_;
  std::vector<Slot> slots_;  // a power of two
};

}  // namespace millrace::json_schema
