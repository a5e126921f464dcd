#include "state/internal/paged_store.h"

#include <algorithm>
#include <atomic>

#include "base/result.h"

namespace millrace::state {

std::unique_ptr<StateStore> StateStore::make(Options options) {
  return std::make_unique<internal::PagedStore>(options);
}

namespace internal {

namespace {
uint64_t next_store() {
  static std::atomic<uint64_t> stores{0};
  return stores.fetch_add(1, std::memory_order_relaxed) + 1;
}
uint32_t usable_page_bytes(size_t wanted) {
  size_t bytes = 1024;
  while (bytes < wanted && bytes < 64 * 1024) bytes *= 2;
  return static_cast<uint32_t>(bytes);
}
}  // namespace

void PagedEpoch::for_each(const TableName& name, const std::function<void(const RowView&)>& visit) const {
  const CatalogEntry* table = catalog_.find(name);
  if (table == nullptr) return;
  const Status read = visit_table(*table->index, *pages_, visit);
  if (!read.ok()) fail(read.error());
}

void PagedEpoch::fail(const Error& why) const {
  std::lock_guard<std::mutex> hold(mutex_);
  if (!failed_) failed_ = why;
}

Status PagedEpoch::status() const {
  std::lock_guard<std::mutex> hold(mutex_);
  return failed_ ? Status(*failed_) : Status();
}

const Page* PagedEpoch::blob_page(PageId id) const {
  const Page* page = pages_->peek(id);
  if (page == nullptr || !page->spilled()) return page;
  {
    std::lock_guard<std::mutex> hold(mutex_);
    if (const auto found = blob_pages_.find(id); found != blob_pages_.end()) return &*found->second;
  }
  auto loan = lend(*page);
  if (!loan.ok()) {
    fail(loan.error());
    return nullptr;
  }
  std::lock_guard<std::mutex> hold(mutex_);
  return &*blob_pages_.try_emplace(id, std::move(*loan)).first->second;
}

std::string_view PagedEpoch::blob(const TableName& name, uint64_t id) const {
  if (catalog_.find(name) == nullptr || id >> 16 == 0 || blob_page_of(id) >= pages_->limit()) return {};
  const Page* page = blob_page(blob_page_of(id));
  return page == nullptr ? std::string_view() : blob_at(page->data(), blob_slot_of(id));
}

size_t PagedEpoch::rows(const TableName& name) const {
  const CatalogEntry* table = catalog_.find(name);
  if (table == nullptr) return 0;
  size_t rows = 0;
  for_each_row_page(*table->index, *pages_, [&](PageId, const RowHead& head) { rows += head.rows; });
  return rows;
}

size_t PagedEpoch::bytes(const TableName& name) const {
  const CatalogEntry* table = catalog_.find(name);
  if (table == nullptr) return 0;
  size_t bytes = bytes_beside_pages(*table->index);
  const auto add = [&](PageId id) { bytes += pages_->peek(id)->capacity + kPageOverhead; };
  for_each_row_page(*table->index, *pages_, [&](PageId id, const RowHead&) { add(id); });
  for (const PageId id : table->index->blob_pages) add(id);
  return bytes;
}

size_t PagedEpoch::value_bytes(const TableName& name) const {
  const CatalogEntry* table = catalog_.find(name);
  return table == nullptr ? 0 : table->value_bytes;
}

PagedStore::PagedStore(Options options)
    : pages_(usable_page_bytes(options.page_bytes), options.max_bytes, std::move(options.spill)),
      seed_(options.hash_seed != 0 ? options.hash_seed : process_hash_seed()),
      store_(next_store()) {}

Table& PagedStore::table(const TableName& name, size_t value_bytes) {
  auto& table = tables_[name];
  if (table == nullptr) table = std::make_unique<PagedTable>(pages_, catalog_, seed_, name, value_bytes);
  CHECK(table->value_bytes() == value_bytes, "a state table is asked for with another size of value");
  return *table;
}

Table* PagedStore::find(const TableName& name) {
  auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : found->second.get();
}

void PagedStore::drop(const TableName& name) {
  auto found = tables_.find(name);
  if (found == tables_.end()) return;
  found->second->drop();
  tables_.erase(found);
}

void PagedStore::drop_query(QueryId query) {
  auto at = tables_.lower_bound({query, 0, INT64_MIN});
  while (at != tables_.end() && at->first.query == query) {
    at->second->drop();
    at = tables_.erase(at);
  }
  const std::string prefix = "q" + std::to_string(query.value) + ".";
  const auto is_its = [&](auto cell) { return cell != cells_->end() && cell->first.starts_with(prefix); };
  if (!is_its(cells_->lower_bound(prefix))) return;
  Cells& cells = own_cells();
  for (auto cell = cells.lower_bound(prefix); is_its(cell);) cell = cells.erase(cell);
}

Cells& PagedStore::own_cells() {
  if (cells_shared_) cells_ = std::make_shared<Cells>(*cells_);
  cells_shared_ = false;
  pages_.set_changed();
  return *cells_;
}

void PagedStore::set_cell(const std::string& name, std::string value) {
  auto found = cells_->find(name);
  if (found != cells_->end() && found->second == value) return;
  own_cells()[name] = std::move(value);
}

void PagedStore::erase_cell(const std::string& name) {
  if (cells_->contains(name)) own_cells().erase(name);
}

std::shared_ptr<const Epoch> PagedStore::freeze() {
  if (!pages_.changed_since_freeze()) {
    if (auto same = last_epoch_.lock()) return same;
  }
  cells_shared_ = true;
  auto epoch = std::make_shared<PagedEpoch>(pages_.freeze(), catalog_, cells_, seed_, store_);
  last_epoch_ = epoch;
  return epoch;
}

std::shared_ptr<TableIndex> index_from_pages(const PageTable& pages, const std::vector<PageId>& row_pages) {
  auto index = std::make_shared<TableIndex>();
  const auto head_of = [&](PageId id) -> const RowHead* {
    const Page* page = pages.peek_or_null(id);
    return page == nullptr || row_head(page->data()).kind != kRowPage ? nullptr : &row_head(page->data());
  };
  uint64_t covered = 0;  // in units of 2^-32 of the hash space
  for (const PageId id : row_pages) {
    if (head_of(id) == nullptr) return nullptr;
    index->depth = std::max<uint32_t>(index->depth, head_of(id)->depth);
    covered += (uint64_t{1} << 32) >> head_of(id)->depth;
  }
  if (covered != uint64_t{1} << 32 || index->depth > 28) return nullptr;
  constexpr PageId kNone = 0xFFFFFFFF;
  index->slots.assign(size_t{1} << index->depth, kNone);
  for (const PageId id : row_pages) {
    const size_t first = (head_of(id)->prefix >> 1) >> (63 - index->depth);
    const size_t count = size_t{1} << (index->depth - head_of(id)->depth);
    if (first % count != 0 || index->slots[first] != kNone) return nullptr;
    std::fill_n(index->slots.begin() + static_cast<ptrdiff_t>(first), count, id);
  }
  const bool whole = std::find(index->slots.begin(), index->slots.end(), kNone) == index->slots.end();
  return whole ? index : nullptr;
}

bool PagedStore::restore_table(const TableName& name, uint32_t value_bytes,
                               const std::vector<PageId>& row_pages, std::vector<PageId> blob_pages) {
  auto index = index_from_pages(pages_, row_pages);
  if (index == nullptr || value_bytes > kLargestValue || catalog_.find(name) != nullptr) return false;
  for (const PageId id : row_pages) {
    if (row_head(pages_.peek(id)->data()).value_pad != ((value_bytes + 7) & ~7u)) return false;
  }
  for (const PageId id : blob_pages) {
    const Page* page = pages_.peek_or_null(id);
    if (page == nullptr || blob_head(page->data()).kind != kBlobPage) return false;
  }
  index->blob_pages = std::move(blob_pages);
  pages_.account(static_cast<ptrdiff_t>((index->slots.size() - 1) * sizeof(PageId)));
  catalog_.put({name, value_bytes, std::move(index)}, 0);
  return true;
}

void PagedStore::restored(uint64_t seed, uint64_t generation, Cells cells) {
  seed_ = seed;
  *cells_ = std::move(cells);
  pages_.restored(generation);
  std::vector<CatalogEntry> entries;
  catalog_.for_each([&](const CatalogEntry& entry) { entries.push_back(entry); });
  for (const CatalogEntry& entry : entries) {
    tables_[entry.name] = std::make_unique<PagedTable>(pages_, catalog_, seed_, entry);
  }
}

}  // namespace internal
}  // namespace millrace::state
