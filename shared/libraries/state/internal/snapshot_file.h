// The directory of a snapshot (docs/formats/snapshot.md): where its pages are, which tables they make, the
// cells.
//
// decode() trusts nothing: the checksum first, then every length and number against its bound.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "state/state_store.h"

namespace millrace::state::internal {

inline constexpr size_t kLargestSnapshotFile = size_t{1} << 30;

struct StoredPage {
  uint32_t id = 0;
  uint32_t capacity = 0;  // in memory
  uint32_t file = 0;      // number of the data file
  uint64_t offset = 0;
  uint32_t length = 0;  // 0: no such page
  uint32_t crc = 0;
};

struct StoredTable {
  TableName name;
  uint32_t value_bytes = 0;
  std::vector<uint32_t> row_pages;
  std::vector<uint32_t> blob_pages;
};

struct SnapshotFile {
  Cut cut;
  uint64_t seed = 0;
  uint64_t generation = 0;
  std::map<std::string, std::string> cells;
  std::vector<StoredPage> pages;  // by id, ascending
  std::vector<StoredTable> tables;
};

std::string encode(const SnapshotFile& snapshot);
Result<SnapshotFile> decode(std::string_view bytes);

}  // namespace millrace::state::internal
