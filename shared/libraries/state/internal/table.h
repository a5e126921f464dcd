// PagedTable: one table of the live store, as an extendible hash over row pages, with blobs beside them.
//
// Spread:    rows are placed by a hash of the key's bytes under the store's own seed (kept in snapshots),
//            never by the hash that comes with the key: that one may be equal for many keys, and clients
//            choose keys.
// Growth:    a page that is full grows, then splits in two; no work is ever proportional to the table but the
//            doubling of the index, 4 bytes a page.
// Shrinking: a page that is mostly holes moves to a smaller one. Pages do not merge.
#pragma once

#include <memory>
#include <vector>

#include "base/hash.h"
#include "state/internal/blob_page.h"
#include "state/internal/catalog.h"
#include "state/internal/row_page.h"

namespace millrace::state::internal {

class PagedTable final : public Table {
 public:
  // A new table.
  PagedTable(PageTable& pages, Catalog& catalog, uint64_t seed, const TableName& name, size_t value_bytes);
  // One that stands in the catalog already.
  PagedTable(PageTable& pages, Catalog& catalog, uint64_t seed, const CatalogEntry& entry);
  ~PagedTable() override = default;

  uint64_t place_of(std::string_view key) const override;
  void prefetch_index(uint64_t place) const override;
  void prefetch(uint64_t place) const override;
  char* upsert_at(uint64_t place, std::string_view key, uint64_t hash, bool& inserted) override;
  const char* find_at(uint64_t place, std::string_view key, uint64_t hash) const override;
  char* find_mutable(std::string_view key, uint64_t hash) override;
  bool erase(std::string_view key, uint64_t hash) override;
  size_t rows() const override { return rows_; }
  size_t value_bytes() const override { return value_bytes_; }
  void for_each(const std::function<void(const RowView&)>& visit) const override;
  uint64_t put_blob(std::string_view bytes) override;
  std::string_view blob(uint64_t id) const override;
  void free_blob(uint64_t id) override;

  void drop();  // gives all pages back; the table is gone then

 private:
  uint64_t internal_hash(std::string_view key) const { return seeded_hash(key, seed_); }
  PageId page_of(uint64_t h) const { return slots_[(h >> 1) >> shift_]; }
  TableIndex& own_index();
  void index_changed();
  // The page gets a successor of `capacity`, with room for rows of this average size.
  PagePtr rebuilt(const Page& page, uint32_t capacity, uint32_t average_row, uint32_t rows) const;
  uint32_t capacity_with_index(uint32_t least, uint32_t content, uint32_t average, uint32_t rows) const;
  // One of: compact, grow, split. False: the bound.
  bool make_room(uint64_t h, uint32_t bytes);
  bool replace(PageId id, PagePtr page);
  bool split(uint64_t h, uint32_t bytes);
  void point_upper_half_at(uint64_t prefix, uint32_t depth, PageId upper);
  void double_index();
  void shrink_if_sparse(PageId id);
  bool make_blob_room(PageId id, size_t bytes);
  PageId blob_page_for(size_t bytes);
  void find_roomy_pages();

  PageTable& pages_;
  Catalog& catalog_;
  const uint64_t seed_;
  const TableName name_;
  const uint32_t value_bytes_;
  const uint32_t value_pad_;
  size_t rows_ = 0;
  const PageId* slots_ = nullptr;  // of index_
  uint32_t shift_ = 63;            // 63 - depth
  std::shared_ptr<TableIndex> index_;
  PageId blob_page_ = kNoPage;  // where the next blob goes
  std::vector<PageId> roomy_;   // blob pages with a quarter or more of holes
  std::vector<PageId>
      empty_;  // those that held one blob: the next new page, of whatever size, takes its place

  static constexpr PageId kNoPage = 0xFFFFFFFF;
};

// The table itself, and its index.
size_t bytes_beside_pages(const TableIndex& index);
void visit_rows(const char* page, const std::function<void(const RowView&)>& visit);

// Visits each row page of a table once, by its number and its head: for what a page holds, lend() it.
template <typename Pages, typename Visit>
void for_each_row_page(const TableIndex& index, const Pages& pages, Visit visit) {
  for (size_t slot = 0; slot < index.slots.size();) {
    const RowHead& head = row_head(pages.peek(index.slots[slot])->data());
    visit(index.slots[slot], head);
    slot += size_t{1} << (index.depth - head.depth);
  }
}
// Every row of a table; fails with a page that cannot be read.
template <typename Pages>
Status visit_table(const TableIndex& index, const Pages& pages,
                   const std::function<void(const RowView&)>& visit) {
  Status read;
  for_each_row_page(index, pages, [&](PageId id, const RowHead&) {
    if (!read.ok()) return;
    const auto page = lend(*pages.peek(id));
    if (page.ok())
      visit_rows((*page)->data(), visit);
    else
      read = page.error();
  });
  return read;
}

// A blob's number: page and slot. Page 0 is meant by 1, so that 0 is never a blob.
inline uint64_t blob_id(PageId page, uint16_t slot) {
  return (uint64_t{page} + 1) << 16 | slot;
}
inline PageId blob_page_of(uint64_t id) {
  return static_cast<PageId>((id >> 16) - 1);
}
inline uint16_t blob_slot_of(uint64_t id) {
  return static_cast<uint16_t>(id);
}

}  // namespace millrace::state::internal
