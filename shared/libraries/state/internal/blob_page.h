// A page of variable-length values: numbered slots that stay put while the bytes behind them move together.
//
// Content: head | slots (offset u32, length u32) | bytes A free slot has offset 0 and links to the next free
//          one. Freed bytes are holes until the page is rebuilt.
#pragma once

#include <string_view>

#include "state/internal/page_table.h"

namespace millrace::state::internal {

struct BlobHead {
  uint8_t kind;
  uint8_t unused;
  uint16_t slot_room;
  uint32_t used;
  uint32_t slots;  // given out so far, free ones included
  uint32_t free_slot;
  uint32_t live;
  uint32_t dead;  // bytes
};
static_assert(sizeof(BlobHead) == 24);
struct BlobSlot {
  uint32_t offset;
  uint32_t length;
};

inline constexpr uint32_t kNoSlot = 0xFFFFFFFF;
inline constexpr size_t kLargestBlob = 16 << 20;

inline BlobHead& blob_head(char* page) {
  return *reinterpret_cast<BlobHead*>(page);
}
inline const BlobHead& blob_head(const char* page) {
  return *reinterpret_cast<const BlobHead*>(page);
}
inline uint32_t blobs_begin(uint32_t slot_room) {
  return static_cast<uint32_t>(sizeof(BlobHead) + slot_room * sizeof(BlobSlot));
}

PagePtr make_blob_page(uint32_t capacity, uint16_t slot_room);
// A copy without holes in a page of its own size.
PagePtr rebuild_blob_page(const Page& page, uint32_t capacity, uint16_t slot_room);
bool blob_fits(const Page& page, size_t bytes);
uint16_t add_blob(char* page, std::string_view bytes);
std::string_view blob_at(const char* page, uint16_t slot);  // empty if there is none
// False if there was none.
bool free_blob_at(char* page, uint16_t slot);
inline uint32_t live_bytes(const BlobHead& head) {
  return head.used - blobs_begin(head.slot_room) - head.dead;
}
inline bool slots_full(const BlobHead& head) {
  return head.free_slot == kNoSlot && head.slots == head.slot_room;
}
bool is_blob_page(std::string_view content);

}  // namespace millrace::state::internal
