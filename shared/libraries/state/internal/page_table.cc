#include "state/internal/page_table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/result.h"

namespace millrace::state::internal {

static_assert(sizeof(Page) == 8, "content follows at a multiple of 8");

Page* Page::make(uint32_t capacity) {
  void* memory = std::malloc(sizeof(Page) + capacity);
  CHECK(memory != nullptr, "out of memory for a state page");
  Page* page = new (memory) Page{};
  page->refs.store(1, std::memory_order_relaxed);
  page->capacity = capacity;
  return page;
}

void Page::release(Page* page) {
  if (page->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  page->~Page();
  std::free(page);
}

void Chunk::release(Chunk* chunk) {
  if (chunk->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (Entry& entry : chunk->entries) {
    if (entry.page != nullptr) Page::release(entry.page);
  }
  delete chunk;
}

uint32_t capacity_for(size_t content, uint32_t page_bytes) {
  const size_t wanted = content + kPageOverhead;
  size_t size = 512;
  while (size < wanted && size < page_bytes / 2) size *= 2;
  const size_t step =
      size < wanted && wanted > page_bytes ? page_bytes / 2 : std::max<size_t>(page_bytes / 8, 64);
  if (size < wanted) size = (wanted + step - 1) / step * step;
  return static_cast<uint32_t>(size - kPageOverhead);
}

FrozenPages::FrozenPages(const std::vector<Chunk*>& chunks, uint64_t generation)
    : chunks_(chunks), generation_(generation) {
  for (Chunk* chunk : chunks_) chunk->refs.fetch_add(1, std::memory_order_relaxed);
}

FrozenPages::~FrozenPages() {
  for (Chunk* chunk : chunks_) Chunk::release(chunk);
}

PageTable::~PageTable() {
  for (Chunk* chunk : chunks_) Chunk::release(chunk);
}

Chunk* PageTable::own_chunk(size_t index) {
  changed_ = true;
  Chunk* chunk = chunks_[index];
  if (chunk->refs.load(std::memory_order_acquire) == 1) return chunk;
  auto* own = new Chunk;
  for (size_t i = 0; i < kChunkPages; ++i) {
    own->entries[i] = chunk->entries[i];
    if (own->entries[i].page != nullptr) own->entries[i].page->refs.fetch_add(1, std::memory_order_relaxed);
  }
  chunks_[index] = own;
  Chunk::release(chunk);
  return own;
}

Page* PageTable::unshare(PageId id) {
  Chunk::Entry& entry = own_entry(id);
  if (entry.page->refs.load(std::memory_order_acquire) != 1) {
    Page* copy = Page::make(entry.page->capacity);
    std::memcpy(copy->data(), entry.page->data(), entry.page->used());
    Page::release(entry.page);
    entry.page = copy;
  }
  entry.generation = generation_;
  return entry.page;
}

PageId PageTable::add(PagePtr page) {
  if (free_.empty()) {
    const auto first = static_cast<PageId>(chunks_.size() << kChunkBits);
    chunks_.push_back(new Chunk);
    for (PageId i = kChunkPages; i-- > 0;) free_.push_back(first + i);
  }
  const PageId id = free_.back();
  free_.pop_back();
  Chunk::Entry& entry = own_entry(id);
  bytes_ += page->capacity + kPageOverhead;
  entry = {page.release(), generation_};
  return id;
}

void PageTable::replace(PageId id, PagePtr page) {
  Chunk::Entry& entry = own_entry(id);
  bytes_ += page->capacity;
  bytes_ -= entry.page->capacity;
  Page::release(entry.page);
  entry = {page.release(), generation_};
}

void PageTable::remove(PageId id) {
  Chunk::Entry& entry = own_entry(id);
  bytes_ -= entry.page->capacity + kPageOverhead;
  Page::release(entry.page);
  entry = {};
  free_.push_back(id);
}

std::unique_ptr<FrozenPages> PageTable::freeze() {
  auto frozen = std::make_unique<FrozenPages>(chunks_, generation_);
  ++generation_;
  changed_ = false;
  return frozen;
}

void PageTable::restore(PageId id, PagePtr page, uint64_t generation) {
  while (id >> kChunkBits >= chunks_.size()) chunks_.push_back(new Chunk);
  Chunk::Entry& entry = chunks_[id >> kChunkBits]->entries[id & (kChunkPages - 1)];
  bytes_ += page->capacity + kPageOverhead;
  entry = {page.release(), generation};
}

void PageTable::restored(uint64_t generation) {
  generation_ = generation;
  for (size_t i = chunks_.size() << kChunkBits; i-- > 0;) {
    if (at(static_cast<PageId>(i)) == nullptr) free_.push_back(static_cast<PageId>(i));
  }
}

}  // namespace millrace::state::internal
