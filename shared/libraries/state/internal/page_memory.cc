#include "state/internal/page_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace millrace::state::internal {

// Lies in its first unit.
struct PageMemory::Region {
  static constexpr size_t kUnits = kRegionBytes / kUnitBytes;
  static constexpr size_t kWordBits = 64;

  explicit Region(size_t i) : index(i) { mark(0, 1, true); }

  static Region* of(void* memory) {
    return reinterpret_cast<Region*>(reinterpret_cast<uintptr_t>(memory) & ~(kRegionBytes - 1));
  }
  char* at(size_t unit) { return reinterpret_cast<char*>(this) + unit * kUnitBytes; }
  size_t unit_of(const void* memory) const {
    return static_cast<size_t>(static_cast<const char*>(memory) - reinterpret_cast<const char*>(this)) /
           kUnitBytes;
  }

  bool is_empty() const { return used == 1; }
  bool is_taken(size_t unit) const { return (taken[unit / kWordBits] >> (unit % kWordBits) & 1) != 0; }
  void mark(size_t from, size_t count, bool value) {
    for (size_t unit = from; unit < from + count; ++unit) {
      const uint64_t bit = uint64_t{1} << (unit % kWordBits);
      value ? taken[unit / kWordBits] |= bit : taken[unit / kWordBits] &= ~bit;
    }
    used = value ? used + count : used - count;
  }
  // The first unit from there on that is taken, or is not; kUnits: none.
  size_t next(size_t from, bool value) const {
    for (size_t word = from / kWordBits; word < taken.size(); ++word) {
      uint64_t bits = value ? taken[word] : ~taken[word];
      if (word == from / kWordBits) bits &= ~uint64_t{0} << (from % kWordBits);
      if (bits != 0) return std::min(kUnits, word * kWordBits + static_cast<size_t>(std::countr_zero(bits)));
    }
    return kUnits;
  }
  // Where so many are free; kUnits: nowhere.
  size_t find_run(size_t count) const {
    for (size_t at = next(0, false); at + count <= kUnits;) {
      const size_t end = next(at, true);
      if (end - at >= count) return at;
      at = next(end, false);
    }
    return kUnits;
  }
  // How long the free run around `unit` is, up to kMostUnits.
  size_t run_around(size_t unit) const {
    size_t from = unit;
    while (from > 0 && unit - from < kMostUnits && !is_taken(from - 1)) --from;
    return std::min(kMostUnits, next(unit, true) - from);
  }

  size_t index;
  size_t used = 0;
  std::array<uint64_t, (kUnits + kWordBits - 1) / kWordBits> taken{};
};

namespace {

size_t units_of(size_t bytes) {
  return (bytes + PageMemory::kUnitBytes - 1) / PageMemory::kUnitBytes;
}

// A region's worth of memory at a multiple of its size.
void* map_region() {
  constexpr size_t kBytes = PageMemory::kRegionBytes;
  void* const mapped =
      ::mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(mapped);
  const size_t before = (kBytes - reinterpret_cast<uintptr_t>(begin) % kBytes) % kBytes;
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + kBytes, kBytes - before);
  // Where the kernel has no huge pages, it is memory all the same.
  ::madvise(begin + before, kBytes, MADV_HUGEPAGE);
  return begin + before;
}

}  // namespace

PageMemory& PageMemory::of_process() {
  static auto* const memory = new PageMemory;  // for ever: an epoch may end after everything else
  return *memory;
}

PageMemory::~PageMemory() {
  for (Region* region : regions_) {
    if (region != nullptr) ::munmap(region, kRegionBytes);
  }
}

PageMemory::Region* PageMemory::make_region() {
  void* const memory = map_region();
  if (memory == nullptr) return nullptr;
  ++empty_;
  const auto place =
      static_cast<size_t>(std::find(regions_.begin(), regions_.end(), nullptr) - regions_.begin());
  if (place == regions_.size()) {
    regions_.emplace_back();
    room_.emplace_back();
  }
  room_[place] = kMostUnits;
  return regions_[place] = new (memory) Region(place);
}

void PageMemory::drop_region(Region* region) {
  regions_[region->index] = nullptr;
  room_[region->index] = 0;
  ::munmap(region, kRegionBytes);
}

void* PageMemory::allocate(size_t bytes) {
  const size_t units = units_of(bytes);
  const std::lock_guard<std::mutex> hold(mutex_);
  const auto take = [&](Region& region, size_t unit) {
    if (region.is_empty()) --empty_;
    region.mark(unit, units, true);
    return region.at(unit);
  };
  for (size_t i = 0; i < room_.size(); ++i) {
    if (room_[i] < units) continue;
    const size_t unit = regions_[i]->find_run(units);
    if (unit < Region::kUnits) return take(*regions_[i], unit);
    room_[i] = static_cast<uint8_t>(units - 1);
  }
  Region* const made = make_region();
  return made == nullptr ? nullptr : take(*made, made->find_run(units));
}

void PageMemory::release(void* memory, size_t bytes) {
  const std::lock_guard<std::mutex> hold(mutex_);
  Region* const region = Region::of(memory);
  const size_t unit = region->unit_of(memory);
  region->mark(unit, units_of(bytes), false);
  uint8_t& room = room_[region->index];
  room = std::max(room, static_cast<uint8_t>(region->run_around(unit)));
  if (!region->is_empty()) return;
  if (empty_ < kMostEmpty)
    ++empty_;
  else
    drop_region(region);
}

size_t PageMemory::regions() const {
  const std::lock_guard<std::mutex> hold(mutex_);
  return regions_.size() - static_cast<size_t>(std::count(regions_.begin(), regions_.end(), nullptr));
}

}  // namespace millrace::state::internal
