#include "state/internal/blob_page.h"

#include <cstring>

namespace millrace::state::internal {

namespace {
BlobSlot* slots_of(char* page) {
  return reinterpret_cast<BlobSlot*>(page + sizeof(BlobHead));
}
const BlobSlot* slots_of(const char* page) {
  return reinterpret_cast<const BlobSlot*>(page + sizeof(BlobHead));
}
}  // namespace

PagePtr make_blob_page(uint32_t capacity, uint16_t slot_room) {
  PagePtr page(Page::make(capacity));
  std::memset(page->data(), 0, blobs_begin(slot_room));
  BlobHead& head = blob_head(page->data());
  head.kind = kBlobPage;
  head.slot_room = slot_room;
  head.used = blobs_begin(slot_room);
  head.free_slot = kNoSlot;
  return page;
}

PagePtr rebuild_blob_page(const Page& page, uint32_t capacity, uint16_t slot_room) {
  PagePtr built = make_blob_page(capacity, slot_room);
  const BlobHead& from = blob_head(page.data());
  BlobHead& to = blob_head(built->data());
  for (uint32_t i = 0; i < from.slots; ++i) {
    BlobSlot slot = slots_of(page.data())[i];
    if (slot.offset != 0) {
      std::memcpy(built->data() + to.used, page.data() + slot.offset, slot.length);
      slot.offset = to.used;
      to.used += slot.length;
    }
    slots_of(built->data())[i] = slot;
  }
  to.slots = from.slots;
  to.free_slot = from.free_slot;
  to.live = from.live;
  return built;
}

bool blob_fits(const Page& page, size_t bytes) {
  const BlobHead& head = blob_head(page.data());
  return !slots_full(head) && head.used + bytes <= page.capacity;
}

uint16_t add_blob(char* page, std::string_view bytes) {
  BlobHead& head = blob_head(page);
  uint32_t index = head.free_slot;
  if (index == kNoSlot) {
    index = head.slots++;
  } else {
    head.free_slot = slots_of(page)[index].length;
  }
  slots_of(page)[index] = {head.used, static_cast<uint32_t>(bytes.size())};
  if (!bytes.empty()) std::memcpy(page + head.used, bytes.data(), bytes.size());
  head.used += static_cast<uint32_t>(bytes.size());
  ++head.live;
  return static_cast<uint16_t>(index);
}

std::string_view blob_at(const char* page, uint16_t slot) {
  const BlobHead& head = blob_head(page);
  if (head.kind != kBlobPage || slot >= head.slots) return {};
  const BlobSlot& found = slots_of(page)[slot];
  return found.offset == 0 ? std::string_view() : std::string_view(page + found.offset, found.length);
}

bool free_blob_at(char* page, uint16_t slot) {
  BlobHead& head = blob_head(page);
  if (head.kind != kBlobPage || slot >= head.slots) return false;
  BlobSlot& found = slots_of(page)[slot];
  if (found.offset == 0) return false;
  head.dead += found.length;
  found = {0, head.free_slot};
  head.free_slot = slot;
  if (--head.live > 0) return true;
  head.used = blobs_begin(head.slot_room);
  head.slots = head.dead = 0;
  head.free_slot = kNoSlot;
  return true;
}

bool is_blob_page(std::string_view content) {
  if (content.size() < sizeof(BlobHead)) return false;
  const BlobHead& head = blob_head(content.data());
  if (head.kind != kBlobPage || head.used != content.size() || head.slots > head.slot_room) return false;
  if (head.used < blobs_begin(head.slot_room)) return false;
  uint64_t live = 0;
  for (uint32_t i = 0; i < head.slots; ++i) {
    const BlobSlot& slot = slots_of(content.data())[i];
    if (slot.offset == 0 && slot.length != kNoSlot && slot.length >= head.slots) return false;
    if (slot.offset == 0) continue;
    if (slot.offset < blobs_begin(head.slot_room) || uint64_t{slot.offset} + slot.length > head.used)
      return false;
    ++live;
  }
  return live == head.live && (head.free_slot == kNoSlot || head.free_slot < head.slots);
}

}  // namespace millrace::state::internal
