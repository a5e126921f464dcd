// The store and its epochs as snapshots know them; everybody else sees state_store.h.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "state/internal/catalog.h"
#include "state/internal/table.h"
#include "state/state_store.h"

namespace millrace::state::internal {

using Cells = std::map<std::string, std::string>;

class PagedEpoch final : public Epoch {
 public:
  PagedEpoch(std::unique_ptr<FrozenPages> pages, Catalog catalog, std::shared_ptr<const Cells> cells,
             uint64_t seed, uint64_t store)
      : pages_(std::move(pages)),
        catalog_(std::move(catalog)),
        cells_(std::move(cells)),
        seed_(seed),
        store_(store) {}

  std::vector<TableName> tables(QueryId query, uint16_t slot) const override {
    return catalog_.names(query, slot);
  }
  void for_each(const TableName& name, const std::function<void(const RowView&)>& visit) const override;
  std::string_view blob(const TableName& name, uint64_t id) const override;
  size_t rows(const TableName& name) const override;
  size_t bytes(const TableName& name) const override;
  const Cells& cells() const override { return *cells_; }
  size_t value_bytes(const TableName& name) const override;
  Status status() const override;

  const FrozenPages& pages() const { return *pages_; }
  const Catalog& catalog() const { return catalog_; }
  uint64_t seed() const { return seed_; }
  uint64_t store() const { return store_; }  // which store of this process: a snapshot builds only on its own

 private:
  const Page* blob_page(PageId id) const;
  void fail(const Error& why) const;

  std::unique_ptr<FrozenPages> pages_;
  Catalog catalog_;
  std::shared_ptr<const Cells> cells_;
  uint64_t seed_;
  uint64_t store_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  mutable std::map<PageId, PageLoan> blob_pages_;  // those read from the disk
  mutable std::optional<Error> failed_;
};

class PagedStore final : public StateStore {
 public:
  explicit PagedStore(Options options);

  Table& table(const TableName& name, size_t value_bytes) override;
  Table* find(const TableName& name) override;
  void drop(const TableName& name) override;
  void drop_query(QueryId query) override;
  std::vector<TableName> tables() const override { return catalog_.names(); }
  std::vector<TableName> tables(QueryId query, uint16_t slot, int64_t first, int64_t last) const override {
    return catalog_.names(query, slot, first, last);
  }
  std::vector<TableName> tables(QueryId query, uint16_t slot) const override {
    return catalog_.names(query, slot);
  }
  void set_cell(const std::string& name, std::string value) override;
  void erase_cell(const std::string& name) override;
  const Cells& cells() const override { return *cells_; }
  size_t bytes() const override { return pages_.bytes(); }
  std::shared_ptr<const Epoch> freeze() override;
  Status settle() override { return pages_.settle(); }

  uint64_t store() const { return store_; }

  // Coming back from a snapshot: all pages, then the tables with their pages, then the cells.
  void restore_page(PageId id, PagePtr page, uint64_t generation) {
    pages_.restore(id, std::move(page), generation);
  }
  // False: the pages do not make a table.
  bool restore_table(const TableName& name, uint32_t value_bytes, const std::vector<PageId>& row_pages,
                     std::vector<PageId> blob_pages);
  void restored(uint64_t seed, uint64_t generation, Cells cells);

 private:
  Cells& own_cells();

  PageTable pages_;
  Catalog catalog_;
  std::map<TableName, std::unique_ptr<PagedTable>> tables_;
  std::shared_ptr<Cells> cells_ = std::make_shared<Cells>();
  bool cells_shared_ = false;
  uint64_t seed_;
  const uint64_t store_;
  std::weak_ptr<const Epoch> last_epoch_;  // given out again while nothing has changed
};

// A table's index from its pages, each of which knows its part of the hash space. nullptr: they do not cover
// it once.
std::shared_ptr<TableIndex> index_from_pages(const PageTable& pages, const std::vector<PageId>& row_pages);

}  // namespace millrace::state::internal
