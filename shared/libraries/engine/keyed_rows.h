// KeyedRows: rows by a key, each once, in one table of the state store: a view's rows, the last row of each primary key, or
// what was told last of each group. Private to engine/.
//
// Rows:    the table's value is the number of a blob, which holds the row's values (encode_value).
// Hash:    a row's key group is the first of its partition, so that it stays with the worker that reads the partition.
// Threads: the worker's. Made for a batch: it borrows the table.
#pragma once

#include <optional>
#include <string_view>

#include "base/types.h"
#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

Error other_row();  // MR-SQL-0116: what is stored is no row of the plan

class KeyedRows {
 public:
  KeyedRows(state::StateStore& store, const QueryPlan& plan, uint16_t slot, int64_t window = 0);

  // Valid until the next call on the store; nullopt: there is none.
  std::optional<std::string_view> find(PartitionId partition, std::string_view key) const;
  Status put(PartitionId partition, std::string_view key, std::string_view row);  // MR-SQL-0113
  bool erase(PartitionId partition, std::string_view key);                        // false: there was none

 private:
  uint64_t hash_of(PartitionId partition, std::string_view key) const;

  state::Table& table_;
  const uint32_t partitions_;
};

}  // namespace millrace::engine
