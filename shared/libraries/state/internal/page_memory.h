// PageMemory: where the larger pages lie: in regions that the kernel may back with huge pages.
//
// Why:     every look-up goes to another page of the state. With huge pages it misses the TLB less often, and with pages
//          that begin at all distances their heads and indexes do not share a few sets of the caches.
// Regions: 2 MB each, cut into units. A page is a run of units, the first that fits: so the last regions empty, and go
//          back to the kernel, but for kMostEmpty: state that comes and goes finds its memory there. What becomes free
//          joins its neighbours, for it is bits in a map.
// Units:   an odd number of cache lines. J. Bonwick, "The Slab Allocator", 1994, calls it colouring.
// Sizes:   pages below kLeastBytes or above kMostBytes are malloc's: a node with little state takes no region.
// Threads: any, since epochs end anywhere; a lock, which is a leaf.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace millrace::state::internal {

class PageMemory {
 public:
  static constexpr size_t kUnitBytes = 2048 + 64;
  static constexpr size_t kMostUnits = 32;
  static constexpr size_t kLeastBytes = 4096 + 1;
  static constexpr size_t kMostBytes = kUnitBytes * kMostUnits;
  static constexpr size_t kRegionBytes = size_t{2} << 20;
  static constexpr size_t kMostEmpty = 16;

  static PageMemory& of_process();
  static bool takes([[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
    return false;  // malloc's pages are watched
#else
    return bytes >= kLeastBytes && bytes <= kMostBytes;
#endif
  }

  PageMemory() = default;
  ~PageMemory();
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;

  // Nullptr: the kernel has no more.
  void* allocate(size_t bytes);
  void release(void* memory, size_t bytes);  // as it was allocated
  size_t regions() const;

 private:
  struct Region;
  Region* make_region();
  void drop_region(Region* region);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Region*> regions_;  // nullptr: one that went back
  std::vector<uint8_t> room_;     // of each, in units: no free run is longer, up to kMostUnits
  size_t empty_ = 0;              // how many have no page
};

}  // namespace millrace::state::internal
