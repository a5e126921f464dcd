// SpillSpace: the memory that the stores of one node share, and the file that takes what does not fit.
//
// Why:     state larger than the memory that it may have makes its query slower, not the process larger.
// File:    one, without a name once it is open, made when the first page goes there: nothing of it is left after a
//          crash. Places are runs of blocks, given to other pages when they are free; bytes are found by whoever
//          holds the place, and checked.
// Memory:  what the file holds may also stand in the kernel's page cache, which is the kernel's to give up.
// Threads: all calls from any thread; a place belongs to whoever got it.
// Bound:   the disk: reserve_bytes of it stay free. Beyond it write() answers kExhausted.
// Errors:  a write that fails changes nothing for its caller, who keeps the page in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace millrace::state {

class SpillSpace {
 public:
  struct Options {
    std::string directory;  // exists
    size_t memory_bytes = SIZE_MAX;
    uint64_t reserve_bytes = 0;
  };
  struct Place {
    uint64_t offset = 0;
    uint32_t length = 0;
    uint32_t crc = 0;
  };
  struct Counters {
    size_t memory_bytes = 0;  // of the stores, in memory
    size_t spilled_bytes = 0;
    uint64_t file_bytes = 0;
    uint64_t pages_written = 0;
    uint64_t pages_read = 0;
  };

  SpillSpace(Files& files, Options options);

  Result<Place> write(std::string_view page);
  // `out` has room for place.length bytes.
  Status read(const Place& place, char* out);
  void free(const Place& place);

  // A store tells by how much it has changed.
  void account(ptrdiff_t memory, ptrdiff_t spilled);
  void count_stores(int change) { stores_.fetch_add(change, std::memory_order_relaxed); }
  // What a store that has `bytes` in memory should give up: its share of what is too much.
  size_t wanted_of(size_t bytes) const;
  // Whether a store has no less in memory than one has on average.
  bool is_large(size_t bytes) const;
  size_t memory_limit() const { return options_.memory_bytes; }
  Counters counters() const;

 private:
  Status open();
  Result<uint64_t> take_place(uint32_t blocks);

  Files& files_;
  const Options options_;
  std::atomic<size_t> memory_{0};
  std::atomic<size_t> spilled_{0};
  std::atomic<int64_t> stores_{0};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> read_{0};
  mutable std::mutex mutex_;
  // Guarded by mutex_; file_ never changes once there is a place.
  std::shared_ptr<File> file_;
  uint64_t end_ = 0;
  uint64_t room_until_ = 0;                         // the disk had room up to here when it was asked
  std::map<uint32_t, std::vector<uint64_t>> free_;  // by blocks
};

}  // namespace millrace::state
