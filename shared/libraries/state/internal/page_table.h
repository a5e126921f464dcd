// PageTable: page numbers -> pages, with epochs that share what has not changed since.
//
// Why:        one mechanism for snapshots, reads beside the work and AS OF. freeze() copies one pointer per
//             128 pages; the first write to a frozen page copies the page, the first in a frozen chunk copies
//             the chunk's pointers.
// Generation: counts freezes. A page whose entry carries the current generation belongs to the live side
// alone:      that is the whole test on the hot path. A snapshot writes the pages whose generation is above
//             its predecessor's.
// Sizes:      a page is as large as it needs to be: 512 B, doubling to half of page_bytes, then in eighths of
//             it; a row or blob that is larger gets a larger page. 16 bytes of each size are the page's and
//             the allocator's own.
// Threads:    the table is confined; FrozenPages may be read and destroyed on any thread (counts are atomic).
// Bound:      max_bytes; allocation asks may_add() first. Copies that only epochs hold are not counted.
// Spilling:   settle() moves pages that were not in use lately to the SpillSpace; a stub (spilled_page.h) takes
//             their place until at() brings them back. Which pages: a clock's hand passes over all; what at() has
//             not met since it passed goes. Pages that an epoch shares stay.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "state/spill_space.h"

namespace millrace::state::internal {

using PageId = uint32_t;

// A page's content is valid up to `used`; what follows is never read, copied or stored.
struct PageHead {
  uint8_t kind;
  uint8_t depth;
  uint16_t buckets;
  uint32_t used;
};
inline constexpr uint8_t kRowPage = 1;
inline constexpr uint8_t kBlobPage = 2;
inline constexpr uint32_t kPageOverhead = 16;
inline constexpr uint32_t kSmallestPage = 512 - kPageOverhead;
inline constexpr uint32_t kLargestRowPage = 512 * 1024 - kPageOverhead;  // row places are 16 bits of 8 bytes

// The live side's knowledge of a page.
enum class Heat : uint8_t {
  kHot,      // met since the hand passed
  kIdle,     // not met
  kSpilled,  // a stub: the content is on the disk
};

struct Page {
  std::atomic<uint16_t> refs;  // epochs that differ, at most: reads and snapshots under way are far fewer
  std::atomic<Heat> heat;
  bool in_region;  // of PageMemory; else it is malloc's
  uint32_t capacity;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  uint32_t used() const { return reinterpret_cast<const PageHead*>(data())->used; }
  bool spilled() const { return heat.load(std::memory_order_relaxed) == Heat::kSpilled; }
  static Page* make(uint32_t capacity);
  static void release(Page* page);
};
struct PageDeleter {
  void operator()(Page* page) const { Page::release(page); }
};
using PagePtr = std::unique_ptr<Page, PageDeleter>;

// A page to read: where it is in memory itself, else a copy that lives as long as this.
class PageLoan {
 public:
  explicit PageLoan(const Page* page) : page_(page) {}
  explicit PageLoan(PagePtr copy) : page_(copy.get()), copy_(std::move(copy)) {}
  const Page* operator->() const { return page_; }
  const Page& operator*() const { return *page_; }

 private:
  const Page* page_;
  PagePtr copy_;
};
Result<PageLoan> lend(const Page& page);

// The capacity of the smallest page that holds `content` bytes.
uint32_t capacity_for(size_t content, uint32_t page_bytes);

inline constexpr uint32_t kChunkBits = 7;
inline constexpr uint32_t kChunkPages = 1u << kChunkBits;

struct Chunk {
  struct Entry {
    Page* page = nullptr;
    uint64_t generation = 0;
  };
  std::atomic<uint32_t> refs{1};
  Entry entries[kChunkPages];
  static void release(Chunk* chunk);
};

class FrozenPages {
 public:
  FrozenPages(const std::vector<Chunk*>& chunks, uint64_t generation, std::shared_ptr<SpillSpace> space);
  ~FrozenPages();
  FrozenPages(const FrozenPages&) = delete;
  FrozenPages& operator=(const FrozenPages&) = delete;

  // nullptr: no such page. Its head alone is sure.
  const Page* peek(PageId id) const { return entry(id).page; }
  const Chunk::Entry& entry(PageId id) const {
    return chunks_[id >> kChunkBits]->entries[id & (kChunkPages - 1)];
  }
  PageId limit() const { return static_cast<PageId>(chunks_.size()) << kChunkBits; }
  uint64_t generation() const { return generation_; }

 private:
  std::vector<Chunk*> chunks_;
  uint64_t generation_;
  std::shared_ptr<SpillSpace> space_;  // stubs refer to it
};

class PageTable {
 public:
  // Without a space nothing is ever spilled.
  PageTable(uint32_t page_bytes, size_t max_bytes, std::shared_ptr<SpillSpace> space);
  ~PageTable();
  PageTable(const PageTable&) = delete;
  PageTable& operator=(const PageTable&) = delete;

  uint32_t page_bytes() const { return page_bytes_; }
  size_t bytes() const { return bytes_; }
  uint64_t generation() const { return generation_; }
  bool may_add(size_t bytes) const { return bytes_ + bytes <= max_bytes_; }
  void account(ptrdiff_t bytes) { bytes_ += static_cast<size_t>(bytes); }  // of what lies beside the pages

  // Brings the page back if it is on the disk.
  const Page* at(PageId id) {
    Page* page = entry(id).page;
    if (page->heat.load(std::memory_order_relaxed) == Heat::kHot) [[likely]]
      return page;
    return wake(id);
  }
  // Leaves it where it is: its head alone is sure.
  const Page* peek(PageId id) const { return entry(id).page; }
  // nullptr for a number that was never given out or is free.
  const Page* peek_or_null(PageId id) const { return id >> kChunkBits < chunks_.size() ? peek(id) : nullptr; }
  const Page* at_or_null(PageId id) { return peek_or_null(id) == nullptr ? nullptr : at(id); }
  // Of a page that at() has brought since the last settle().
  Page* writable(PageId id) {
    const Chunk::Entry& found = entry(id);
    return found.generation == generation_ ? found.page : unshare(id);
  }
  PageId add(PagePtr page);
  void replace(PageId id, PagePtr page);
  void remove(PageId id);

  std::unique_ptr<FrozenPages> freeze();
  bool changed_since_freeze() const { return changed_; }
  void set_changed() { changed_ = true; }

  // Between two calls on the store, when nobody holds a pointer: says what went wrong since the last time, and
  // gives up memory if the space asks for it.
  Status settle();
  void fail(const Error& why);

  // A store coming back from a snapshot: pages under their old numbers, then the generation to go on from.
  void restore(PageId id, PagePtr page, uint64_t generation);
  void restored(uint64_t generation);

 private:
  const Chunk::Entry& entry(PageId id) const {
    return chunks_[id >> kChunkBits]->entries[id & (kChunkPages - 1)];
  }
  Page* wake(PageId id);
  Page* unshare(PageId id);
  void count(const Page& page, ptrdiff_t sign);
  void tell_space();
  Status spill();
  Chunk* own_chunk(size_t index);
  Chunk::Entry& own_entry(PageId id) { return own_chunk(id >> kChunkBits)->entries[id & (kChunkPages - 1)]; }

  const uint32_t page_bytes_;
  const size_t max_bytes_;
  std::vector<Chunk*> chunks_;
  std::vector<PageId> free_;  // numbers to use again, the last first
  uint64_t generation_ = 1;
  size_t bytes_ = 0;
  bool changed_ = true;

  const std::shared_ptr<SpillSpace> space_;
  size_t spilled_bytes_ = 0;  // of bytes_, not in memory
  size_t told_memory_ = 0;
  size_t told_spilled_ = 0;
  size_t hand_ = 0;
  ptrdiff_t owed_ = 0;  // bytes to give up; below 0: given already, for pages are whole
  std::optional<Error> failed_;
};

}  // namespace millrace::state::internal
