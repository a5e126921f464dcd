// PartitionTable: every partition's offsets and every named position, as of the end and as of the durable
// cut.
//
// Threads: changed on the core loop; range() and position() from any thread (leaf lock).
// Bound:   kMostPositions names; partitions are as many as the definitions make.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "log/journal.h"
#include "log/segment.h"

namespace millrace::log {

class PartitionTable {
 public:
  static constexpr size_t kMostPositions = 100'000;

  void load(Carry state);
  // What the oldest segment's carry says: offsets before are gone. All partitions not in it start at 0.
  void set_starts(std::unordered_map<StreamPartition, Offset> starts);

  // Takes `count` offsets for each batch of the group; sets the places' first.
  void assign(std::vector<BatchPlace>& places);
  void commit(const Frame& frame);   // its offsets and positions are durable
  void recover(const Frame& frame);  // the same for a frame that an earlier process appended
  void raise_starts(
      const std::vector<std::pair<StreamPartition, Offset>>& ends);  // retention removed up to here

  OffsetRange range(StreamPartition where) const;  // committed
  Result<std::string> position(const std::string& name) const;
  size_t positions() const;
  Carry carry() const;  // as committed: a segment begins when everything before it is durable

 private:
  struct Offsets {
    int64_t next = 0;
    int64_t durable = 0;
  };
  mutable std::mutex mutex_;
  std::unordered_map<StreamPartition, Offsets> offsets_;
  std::unordered_map<StreamPartition, Offset> starts_;
  std::map<std::string, std::string> positions_;
};

}  // namespace millrace::log
