// StateStore: all keyed state of one task, in pages, with copy-on-write epochs. Operators keep state nowhere
// else.
//
// Why:     snapshots, ad-hoc reads and AS OF need the state at a cut while the work goes on; one mechanism
//          serves all.
// Tables:  a table is named by (query, slot, window): slot tells an operator's tables apart, window is a
//          window's start (or 0). Rows: key bytes -> a fixed number of value bytes. The key's stable hash is
//          kept with the row: its top byte is the key group, by which state is split when the number of
//          workers changes.
// Epochs:  freeze() is O(page directory); the first write to a frozen page copies it. An Epoch is immutable,
//          may be read from any thread and lives as long as its shared_ptr.
// Cells:   small named values (watermarks, positions, counters) that belong to the same epochs and snapshots.
// Threads: the store is confined to its worker; epochs are free.
// Bound:   max_bytes of pages; beyond it upsert answers nullptr, state unchanged. What is in memory of them is
//          bounded by the SpillSpace that a node's stores share: settle().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "state/spill_space.h"

namespace millrace::state {

struct TableName {
  QueryId query;
  uint16_t slot = 0;
  int64_t window = 0;
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

class TableView;  // read side, over an epoch
class Epoch;      // a frozen store

// What a row's visitor gets. Views are valid during the call.
struct RowView {
  std::string_view key;
  uint64_t hash = 0;  // base/hash.h stable_hash of the part of the key that decides the key group
  const char* value = nullptr;
};

class Table {
 public:
  virtual ~Table() = default;
  // The row's value bytes, zeroed if new (then `inserted`); valid until the next call on the table that may change it,
  // and settle() or freeze(). nullptr: the bound.
  char* upsert(std::string_view key, uint64_t hash, bool& inserted) {
    return upsert_at(place_of(key), key, hash, inserted);
  }
  const char* find(std::string_view key, uint64_t hash) const { return find_at(place_of(key), key, hash); }
  virtual char* find_mutable(std::string_view key, uint64_t hash) = 0;
  virtual bool erase(std::string_view key, uint64_t hash) = 0;
  virtual size_t rows() const = 0;
  virtual size_t value_bytes() const = 0;
  virtual void for_each(const std::function<void(const RowView&)>& visit) const = 0;  // no order promised
  // The same in steps, for many keys: while the memory fetches what one key's look-up will read, the next one's
  // place is found. A place follows from the key alone and stays. Each step wants the one before to have been some time
  // ago: place_of(), prefetch_index(), prefetch(), then find_at() or upsert_at(); all work without.
  virtual uint64_t place_of(std::string_view key) const = 0;
  virtual void prefetch_index(uint64_t place) const = 0;
  virtual void prefetch(uint64_t place) const = 0;
  virtual char* upsert_at(uint64_t place, std::string_view key, uint64_t hash, bool& inserted) = 0;
  virtual const char* find_at(uint64_t place, std::string_view key, uint64_t hash) const = 0;
  // Variable-length values (text minima, …): stored beside the rows, referred to by number from value bytes.
  virtual uint64_t put_blob(
      std::string_view bytes) = 0;  // 0 is never a blob; kept until the table is dropped or freed
  virtual std::string_view blob(uint64_t id) const = 0;
  virtual void free_blob(uint64_t id) = 0;
};

// What a visitor gets is valid during the call, a blob as long as the epoch: it keeps the pages of blobs that it
// had to read from the disk.
class Epoch {
 public:
  virtual ~Epoch() = default;
  virtual std::vector<TableName> tables(QueryId query, uint16_t slot) const = 0;  // by window, ascending
  virtual void for_each(const TableName& name, const std::function<void(const RowView&)>& visit) const = 0;
  virtual std::string_view blob(const TableName& name, uint64_t id) const = 0;
  virtual size_t rows(const TableName& name) const = 0;
  virtual size_t bytes(const TableName& name) const = 0;  // its part of StateStore::bytes()
  virtual const std::map<std::string, std::string>& cells() const = 0;
  virtual size_t value_bytes(const TableName& name) const = 0;
  // Of everything read so far: a page that could not be read from the disk was left out.
  virtual Status status() const = 0;
};

class StateStore {
 public:
  struct Options {
    size_t page_bytes = 16 * 1024;
    size_t max_bytes = size_t{2} << 30;
    uint64_t hash_seed =
        0;  // of the rows' placement; 0: this process's. Kept in snapshots. For reproducible runs.
    std::shared_ptr<SpillSpace> spill;  // none: everything stays in memory
  };
  static std::unique_ptr<StateStore> make(Options options);

  virtual ~StateStore() = default;
  virtual Table& table(const TableName& name, size_t value_bytes) = 0;  // made if missing
  virtual Table* find(const TableName& name) = 0;
  virtual void drop(const TableName& name) = 0;
  virtual void drop_query(QueryId query) = 0;         // tables and cells with the prefix "q<id>."
  virtual std::vector<TableName> tables() const = 0;  // ordered
  // By window, ascending; the second: of windows in [first, last].
  virtual std::vector<TableName> tables(QueryId query, uint16_t slot) const = 0;
  virtual std::vector<TableName> tables(QueryId query, uint16_t slot, int64_t first, int64_t last) const = 0;
  virtual void set_cell(const std::string& name, std::string value) = 0;
  virtual void erase_cell(const std::string& name) = 0;
  virtual const std::map<std::string, std::string>& cells() const = 0;
  virtual size_t bytes() const = 0;  // pages in use by the live store, in memory or not
  // To be called when a piece of work is done: pages may move to the disk, and every pointer ends. Fails if the
  // disk has no room for what is too much in memory (MR-STATE-0007), or did not give back what it had: then
  // what was done since the last call is void.
  virtual Status settle() = 0;
  virtual std::shared_ptr<const Epoch> freeze() = 0;
};

}  // namespace millrace::state
