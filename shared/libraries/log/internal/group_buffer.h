// GroupBuffer: the memory that frames are written into once, that goes to the disk, and that readers view.
//
// Chunk:    aligned memory of a few groups. A group is a run of a chunk that starts and ends on a block.
// Lifetime: a frame's buffers share the chunk; it is used again when the last of them is gone.
// Threads:  chunks may be let go on any thread; all else on the core loop.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "log/journal.h"

namespace millrace::log {

class Chunk {
 public:
  explicit Chunk(size_t capacity);  // whole blocks
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk();
  char* data() const { return data_; }
  size_t capacity() const { return capacity_; }

 private:
  size_t capacity_;
  char* data_;
};

// Keeps a few chunks for their next use: fresh memory costs a page fault every 4 KB.
class ChunkPool : public std::enable_shared_from_this<ChunkPool> {
 public:
  explicit ChunkPool(size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}
  std::shared_ptr<Chunk> take(size_t at_least);

 private:
  static constexpr size_t kKept = 4;
  void give_back(std::unique_ptr<Chunk> chunk);

  const size_t chunk_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Chunk>> free_;  // guarded by mutex_
};

// One frame in a group that is not yet written.
struct PendingFrame {
  FramePtr frame;
  size_t at = 0;  // in the chunk
  uint32_t length = 0;
  uint32_t padding = 0;
  uint32_t body_checksum = 0;
  uint32_t controls = 0;  // written; the frame in memory has more only with a planted bug
};

struct PendingGroup {
  std::shared_ptr<Chunk> chunk;
  size_t begin = 0;
  size_t end = 0;
  std::vector<PendingFrame> frames;

  bool empty() const { return frames.empty(); }
  size_t bytes() const { return end - begin; }
  std::string_view view() const { return {chunk->data() + begin, end - begin}; }
};

}  // namespace millrace::log
