#include "state/internal/page_table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "state/internal/page_memory.h"
#include "state/internal/spilled_page.h"

namespace millrace::state::internal {

static_assert(sizeof(Page) == 8, "content follows at a multiple of 8");

namespace {
// Pages that one settle() looks at: a step must not wait for a whole round.
constexpr size_t kMostLooks = 16'384;
}  // namespace

Page* Page::make(uint32_t capacity) {
  const size_t bytes = sizeof(Page) + capacity;
  const bool in_region = PageMemory::takes(bytes);
  void* memory = in_region ? PageMemory::of_process().allocate(bytes) : std::malloc(bytes);
  CHECK(memory != nullptr, "out of memory for a state page");
  Page* page = new (memory) Page{};
  page->in_region = in_region;
  page->refs.store(1, std::memory_order_relaxed);
  page->heat.store(Heat::kHot, std::memory_order_relaxed);
  page->capacity = capacity;
  return page;
}

void Page::release(Page* page) {
  if (page->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (page->spilled()) free_spilled(*page);
  const bool in_region = page->in_region;
  const size_t bytes = sizeof(Page) + page->capacity;
  page->~Page();
  in_region ? PageMemory::of_process().release(page, bytes) : std::free(page);
}

Result<PageLoan> lend(const Page& page) {
  if (!page.spilled()) return PageLoan(&page);
  TRY_ASSIGN(auto copy, read_spilled(page));
  return PageLoan(std::move(copy));
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

FrozenPages::FrozenPages(const std::vector<Chunk*>& chunks, uint64_t generation,
                         std::shared_ptr<SpillSpace> space)
    : chunks_(chunks), generation_(generation), space_(std::move(space)) {
  for (Chunk* chunk : chunks_) chunk->refs.fetch_add(1, std::memory_order_relaxed);
}

FrozenPages::~FrozenPages() {
  for (Chunk* chunk : chunks_) Chunk::release(chunk);
}

PageTable::PageTable(uint32_t page_bytes, size_t max_bytes, std::shared_ptr<SpillSpace> space)
    : page_bytes_(page_bytes), max_bytes_(max_bytes), space_(std::move(space)) {
  if (space_ != nullptr) space_->count_stores(1);
}

PageTable::~PageTable() {
  for (Chunk* chunk : chunks_) Chunk::release(chunk);
  if (space_ == nullptr) return;
  bytes_ = spilled_bytes_ = 0;
  tell_space();
  space_->count_stores(-1);
}

// By `sign`: the page comes (1) or goes (-1).
void PageTable::count(const Page& page, ptrdiff_t sign) {
  const ptrdiff_t size = page.capacity + kPageOverhead;
  bytes_ += static_cast<size_t>(sign * size);
  if (page.spilled())
    spilled_bytes_ += static_cast<size_t>(sign * (size - static_cast<ptrdiff_t>(kStubBytes)));
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

Page* PageTable::wake(PageId id) {
  Page* page = entry(id).page;
  if (!page->spilled()) {
    page->heat.store(Heat::kHot, std::memory_order_relaxed);
    return page;
  }
  auto content = read_spilled(*page);
  if (!content.ok()) fail(content.error());
  PagePtr in_memory = content.ok() ? std::move(*content) : stand_in_for(*page);
  const bool changed = changed_;
  Chunk::Entry& own = own_entry(id);
  changed_ = changed;  // what the page holds is the same
  count(*own.page, -1);
  Page::release(own.page);
  own.page = in_memory.release();
  count(*own.page, 1);
  return own.page;
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
  count(*page, 1);
  own_entry(id) = {page.release(), generation_};
  return id;
}

void PageTable::replace(PageId id, PagePtr page) {
  Chunk::Entry& entry = own_entry(id);
  count(*page, 1);
  count(*entry.page, -1);
  Page::release(entry.page);
  entry = {page.release(), generation_};
}

void PageTable::remove(PageId id) {
  Chunk::Entry& entry = own_entry(id);
  count(*entry.page, -1);
  Page::release(entry.page);
  entry = {};
  free_.push_back(id);
}

std::unique_ptr<FrozenPages> PageTable::freeze() {
  auto frozen = std::make_unique<FrozenPages>(chunks_, generation_, space_);
  ++generation_;
  changed_ = false;
  return frozen;
}

void PageTable::fail(const Error& why) {
  if (!failed_) failed_ = why;
}

void PageTable::tell_space() {
  const size_t memory = bytes_ - spilled_bytes_;
  space_->account(static_cast<ptrdiff_t>(memory - told_memory_),
                  static_cast<ptrdiff_t>(spilled_bytes_ - told_spilled_));
  told_memory_ = memory;
  told_spilled_ = spilled_bytes_;
}

// Without room on the disk memory may grow by an eighth more; then whoever has much of it ends.
Status PageTable::settle() {
  if (failed_) return *failed_;
  if (space_ == nullptr) return {};
  tell_space();
  const size_t wanted = space_->wanted_of(told_memory_);
  if (wanted == 0) return {};
  owed_ = std::min<ptrdiff_t>(owed_, 0) + static_cast<ptrdiff_t>(wanted);
  Status spilled = spill();
  tell_space();
  const bool bearable =
      spilled.ok() || space_->wanted_of(told_memory_) <= told_memory_ / 8 || !space_->is_large(told_memory_);
  return bearable ? Status() : std::move(spilled);
}

// The hand's way, after the clock algorithm: F. Corbato, "A paging experiment with the Multics system", 1968.
Status PageTable::spill() {
  const size_t end = chunks_.size() << kChunkBits;
  for (size_t looks = std::min(2 * end, kMostLooks); looks > 0 && owed_ > 0; --looks) {
    if (hand_ >= end) hand_ = 0;
    const size_t at = hand_++;
    Chunk& chunk = *chunks_[at >> kChunkBits];
    if (chunk.refs.load(std::memory_order_acquire) != 1) {  // an epoch's, too
      hand_ = (at | (kChunkPages - 1)) + 1;
      continue;
    }
    Page*& page = chunk.entries[at & (kChunkPages - 1)].page;
    if (page == nullptr || page->spilled() || page->refs.load(std::memory_order_acquire) != 1) continue;
    if (page->heat.exchange(Heat::kIdle, std::memory_order_relaxed) == Heat::kHot) continue;
    TRY_ASSIGN(PagePtr stub, spill_page(*space_, *page));
    owed_ -= static_cast<ptrdiff_t>(page->capacity + kPageOverhead - kStubBytes);
    count(*page, -1);
    Page::release(page);
    page = stub.release();
    count(*page, 1);
  }
  return {};
}

void PageTable::restore(PageId id, PagePtr page, uint64_t generation) {
  while (id >> kChunkBits >= chunks_.size()) chunks_.push_back(new Chunk);
  Chunk::Entry& entry = chunks_[id >> kChunkBits]->entries[id & (kChunkPages - 1)];
  count(*page, 1);
  entry = {page.release(), generation};
}

void PageTable::restored(uint64_t generation) {
  generation_ = generation;
  for (size_t i = chunks_.size() << kChunkBits; i-- > 0;) {
    if (peek(static_cast<PageId>(i)) == nullptr) free_.push_back(static_cast<PageId>(i));
  }
}

}  // namespace millrace::state::internal
