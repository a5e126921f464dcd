#include "log/internal/group_buffer.h"

#include <sys/mman.h>

#include <algorithm>

#include "log/segment.h"

namespace millrace::log {

Chunk::Chunk(size_t capacity) : capacity_(capacity) {
  // One block more: what stands behind the last frame is readable too.
  void* p =
      ::mmap(nullptr, capacity + kSegmentBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(p != MAP_FAILED, "memory for a chunk of the journal");
  data_ = static_cast<char*>(p);
}

Chunk::~Chunk() {
  ::munmap(data_, capacity_ + kSegmentBlock);
}

std::shared_ptr<Chunk> ChunkPool::take(size_t at_least) {
  const size_t capacity = std::max(chunk_bytes_, static_cast<size_t>(round_to_block(at_least)));
  std::unique_ptr<Chunk> chunk;
  if (capacity == chunk_bytes_) {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      chunk = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (chunk == nullptr) chunk = std::make_unique<Chunk>(capacity);
  return {chunk.release(),
          [pool = shared_from_this()](Chunk* c) { pool->give_back(std::unique_ptr<Chunk>(c)); }};
}

void ChunkPool::give_back(std::unique_ptr<Chunk> chunk) {
  if (chunk->capacity() != chunk_bytes_) return;
  const std::lock_guard lock(mutex_);
  if (free_.size() < kKept) free_.push_back(std::move(chunk));
}

}  // namespace millrace::log
