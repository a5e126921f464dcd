// Catalog: table name -> the table's pages, in order of names, shared by epochs block by block.
//
// Why:     a query may keep a table for each of a hundred thousand windows; a freeze copies one pointer per
//          block of up to 128 tables, and a change afterwards copies one block.
// Threads: the live catalog is confined; a copy made by freezing is immutable and free.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "state/internal/page_table.h"
#include "state/state_store.h"

namespace millrace::state::internal {

// Where a table's pages are. The top `depth` bits of a key's internal hash choose the slot; a page that holds
// fewer bits stands in several neighbouring slots.
struct TableIndex {
  uint64_t generation = 0;
  uint32_t depth = 0;
  std::vector<PageId> slots;
  std::vector<PageId> blob_pages;
};

struct CatalogEntry {
  TableName name;
  uint32_t value_bytes = 0;
  std::shared_ptr<const TableIndex> index;
};

class Catalog {
 public:
  static constexpr size_t kBlockEntries = 128;

  // `generation`: as in PageTable; a block of an older one may be shared and is copied before it changes.
  void put(CatalogEntry entry, uint64_t generation);
  void erase(const TableName& name, uint64_t generation);
  const CatalogEntry* find(const TableName& name) const;
  // The tables of one slot of a query, by window; those in [first, last].
  std::vector<TableName> names(QueryId query, uint16_t slot, int64_t first = INT64_MIN,
                               int64_t last = INT64_MAX) const;
  std::vector<TableName> names() const;
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& block : blocks_) {
      for (const CatalogEntry& entry : block->entries) visit(entry);
    }
  }

 private:
  struct Block {
    uint64_t generation = 0;
    std::vector<CatalogEntry> entries;
  };
  size_t block_of(const TableName& name) const;  // the last that begins at or before it, or 0
  Block& own(size_t block, uint64_t generation);
  void split(size_t block);

  std::vector<std::shared_ptr<Block>> blocks_;  // none is empty
};

}  // namespace millrace::state::internal
