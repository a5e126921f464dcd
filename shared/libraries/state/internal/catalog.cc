#include "state/internal/catalog.h"

#include <algorithm>

namespace millrace::state::internal {

namespace {
bool before(const CatalogEntry& entry, const TableName& name) {
  return entry.name < name;
}
}  // namespace

size_t Catalog::block_of(const TableName& name) const {
  auto after =
      std::upper_bound(blocks_.begin(), blocks_.end(), name,
                       [](const TableName& n, const auto& block) { return n < block->entries.front().name; });
  return after == blocks_.begin() ? 0 : static_cast<size_t>(after - blocks_.begin()) - 1;
}

Catalog::Block& Catalog::own(size_t block, uint64_t generation) {
  auto& owner = blocks_[block];
  if (owner->generation != generation) {
    owner = std::make_shared<Block>(*owner);
    owner->generation = generation;
  }
  return *owner;
}

void Catalog::split(size_t block) {
  auto upper = std::make_shared<Block>();
  auto& entries = blocks_[block]->entries;
  upper->generation = blocks_[block]->generation;
  // Windows are made in rising order: a block that grows at its end keeps its entries, and blocks stay full.
  const auto middle =
      entries.begin() +
      static_cast<ptrdiff_t>(block + 1 == blocks_.size() ? entries.size() - 1 : entries.size() / 2);
  upper->entries.assign(std::make_move_iterator(middle), std::make_move_iterator(entries.end()));
  entries.erase(middle, entries.end());
  blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(block) + 1, std::move(upper));
}

void Catalog::put(CatalogEntry entry, uint64_t generation) {
  if (blocks_.empty()) {
    blocks_.push_back(std::make_shared<Block>());
    blocks_[0]->generation = generation;
    blocks_[0]->entries.push_back(std::move(entry));
    return;
  }
  const size_t block = block_of(entry.name);
  auto& entries = own(block, generation).entries;
  auto at = std::lower_bound(entries.begin(), entries.end(), entry.name, before);
  if (at != entries.end() && at->name == entry.name) {
    *at = std::move(entry);
    return;
  }
  entries.insert(at, std::move(entry));
  if (entries.size() > kBlockEntries) split(block);
}

void Catalog::erase(const TableName& name, uint64_t generation) {
  if (find(name) == nullptr) return;
  const size_t block = block_of(name);
  auto& entries = own(block, generation).entries;
  entries.erase(std::lower_bound(entries.begin(), entries.end(), name, before));
  if (entries.empty()) blocks_.erase(blocks_.begin() + static_cast<ptrdiff_t>(block));
}

const CatalogEntry* Catalog::find(const TableName& name) const {
  if (blocks_.empty()) return nullptr;
  const auto& entries = blocks_[block_of(name)]->entries;
  auto at = std::lower_bound(entries.begin(), entries.end(), name, before);
  return at != entries.end() && at->name == name ? &*at : nullptr;
}

std::vector<TableName> Catalog::names(QueryId query, uint16_t slot, int64_t first, int64_t last) const {
  std::vector<TableName> found;
  if (blocks_.empty()) return found;
  const TableName from{query, slot, first};
  const TableName to{query, slot, last};
  for (size_t block = block_of(from); block < blocks_.size(); ++block) {
    for (const CatalogEntry& entry : blocks_[block]->entries) {
      if (entry.name < from) continue;
      if (entry.name > to) return found;
      found.push_back(entry.name);
    }
  }
  return found;
}

std::vector<TableName> Catalog::names() const {
  std::vector<TableName> all;
  for_each([&](const CatalogEntry& entry) { all.push_back(entry.name); });
  return all;
}

}  // namespace millrace::state::internal
