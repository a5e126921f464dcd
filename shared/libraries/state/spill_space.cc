#include "state/spill_space.h"

#include <bit>

#include "base/crc32c.h"

namespace millrace::state {

namespace {
constexpr uint64_t kBlockBytes = 4096;      // the page cache's: a page never shares one with another
constexpr uint64_t kGrowBytes = 16u << 20;  // the disk is asked for room once for so much
constexpr uint32_t kMostExactBlocks = 16;   // larger runs come in powers of two, so that they fit again

uint32_t blocks_for(uint32_t length) {
  const auto blocks = static_cast<uint32_t>((length + kBlockBytes - 1) / kBlockBytes);
  return blocks <= kMostExactBlocks ? blocks : std::bit_ceil(blocks);
}

Error no_room(const std::string& why) {
  return error(Code::kExhausted, "MR-STATE-0007",
               "the state takes more memory than it may have, and the disk has no room for the rest: " + why,
               "free some space on the disk, or start with a larger --state-memory-mb");
}

Error unreadable(const std::string& why) {
  return error(
      Code::kCorrupt, "MR-STATE-0008", "state that was moved to the disk cannot be read back: " + why,
      "look at the disk; a start works the state out again from the newest snapshot and the journal");
}
}  // namespace

SpillSpace::SpillSpace(Files& files, Options options) : files_(files), options_(std::move(options)) {}

Status SpillSpace::open() {
  const std::string path = options_.directory + "/state.spill";
  TRY_ASSIGN(auto file, files_.open(path, Files::Open::kWrite));
  TRY(files_.remove(path));
  file_ = std::move(file);
  return {};
}

Result<uint64_t> SpillSpace::take_place(uint32_t blocks) {
  std::lock_guard<std::mutex> hold(mutex_);
  auto& free = free_[blocks];
  if (!free.empty()) {
    const uint64_t offset = free.back();
    free.pop_back();
    return offset;
  }
  if (file_ == nullptr) TRY(open());
  const uint64_t end = end_ + blocks * kBlockBytes;
  if (end > room_until_) {
    TRY_ASSIGN(const uint64_t room, files_.free_bytes(options_.directory));
    const uint64_t wanted = end - room_until_ + kGrowBytes;
    if (room < options_.reserve_bytes || room - options_.reserve_bytes < wanted)
      return no_room("what is free there is reserved for the journal");
    room_until_ += wanted;
  }
  return std::exchange(end_, end);
}

Result<SpillSpace::Place> SpillSpace::write(std::string_view page) {
  const auto length = static_cast<uint32_t>(page.size());
  TRY_ASSIGN(const uint64_t offset, take_place(blocks_for(length)));
  const Place place{offset, length, crc32c(0, page)};
  // Whole blocks: of a part the kernel would have to read the rest first.
  std::string blocks(page);
  blocks.resize((page.size() + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
  if (const Status written = file_->write_at(offset, blocks); !written.ok()) {
    free(place);
    return written.error().code == Code::kExhausted ? no_room(written.error().message) : written.error();
  }
  written_.fetch_add(1, std::memory_order_relaxed);
  return place;
}

Status SpillSpace::read(const Place& place, char* out) {
  const auto got = file_->read_at(place.offset, out, place.length);
  if (!got.ok()) return unreadable(got.error().message);
  if (*got != place.length || crc32c(0, {out, place.length}) != place.crc)
    return unreadable("its checksum does not hold");
  read_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void SpillSpace::free(const Place& place) {
  std::lock_guard<std::mutex> hold(mutex_);
  free_[blocks_for(place.length)].push_back(place.offset);
}

void SpillSpace::account(ptrdiff_t memory, ptrdiff_t spilled) {
  memory_.fetch_add(static_cast<size_t>(memory), std::memory_order_relaxed);
  spilled_.fetch_add(static_cast<size_t>(spilled), std::memory_order_relaxed);
}

size_t SpillSpace::wanted_of(size_t bytes) const {
  const size_t all = memory_.load(std::memory_order_relaxed);
  if (all <= options_.memory_bytes) return 0;
  const double share = static_cast<double>(bytes) / static_cast<double>(all);
  return static_cast<size_t>(share * static_cast<double>(all - options_.memory_bytes));
}

bool SpillSpace::is_large(size_t bytes) const {
  const auto stores = static_cast<size_t>(stores_.load(std::memory_order_relaxed));
  return bytes * stores >= memory_.load(std::memory_order_relaxed);
}

SpillSpace::Counters SpillSpace::counters() const {
  std::lock_guard<std::mutex> hold(mutex_);
  return {memory_.load(std::memory_order_relaxed), spilled_.load(std::memory_order_relaxed), end_,
          written_.load(std::memory_order_relaxed), read_.load(std::memory_order_relaxed)};
}

}  // namespace millrace::state
