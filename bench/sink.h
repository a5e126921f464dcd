// Sink: what queries gave, counted and hashed: the same for the same events, however often, on however many workers and
// wherever they run.
// Threads: confined to a worker's; `file` may be shared.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "base/hash.h"

namespace millrace::bench {

struct Sink {
  uint64_t rows = 0;
  uint64_t hash = 0;     // of the rows that it has seen, in any order
  uint64_t changes = 0;  // of views, told on the way: how many depends on how far a step reaches
  uint64_t changes_hash = 0;
  std::FILE* file = nullptr;  // or: the rows themselves, too

  void take(std::string_view row) {
    ++rows;
    hash += stable_hash(row);
    if (file != nullptr) fmt::print(file, "{}\n", row);
  }
  void count(uint64_t unseen) { rows += unseen; }
  void take_change(std::string_view row) {
    ++changes;
    changes_hash += stable_hash(row);
  }
  void add(const Sink& other) {
    rows += other.rows;
    hash += other.hash;
    changes += other.changes;
    changes_hash += other.changes_hash;
  }
};

}  // namespace millrace::bench
