// Snapshots: an epoch on disk, written in proportion to what changed since the one before.
//
// Files:   DIR/<cut>.snap (page directory, tables, cells, checksums) and DIR/pages-<n>.data (pages,
//          appended). A snapshot refers to pages in older data files; a data file that no kept snapshot needs
//          is removed; when less than half of a data file is live, its live pages are written again.
// Valid:   only if its own checksum and those of its pages hold; the newest two are kept; a damaged one is
//          reported, renamed to *.damaged and the one before is used.
// Threads: write() runs beside the work (any one thread), over an immutable epoch; load() at a start.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "state/state_store.h"

namespace millrace::state {

struct SnapshotInfo {
  Cut cut;
  uint64_t bytes_written = 0;  // by this snapshot alone
  uint64_t pages_written = 0;
  uint64_t pages_total = 0;
};

struct LoadedSnapshot {
  Cut cut;
  std::unique_ptr<StateStore> store;  // its cells hold whatever the task put there
  std::vector<Error>
      damaged;  // newer snapshots that did not hold, for the log; their files are *.damaged now
};

class Snapshots {
 public:
  static std::unique_ptr<Snapshots> make(Files& files, std::string directory);
  virtual ~Snapshots() = default;
  // `epoch` must come from the same store, or from one load()ed here, as the snapshot before; else all pages
  // are written.
  virtual Result<SnapshotInfo> write(Cut cut, const Epoch& epoch) = 0;
  // The newest valid snapshot at or before `upto` (later ones are ahead of the log: removed). None:
  // kNotFound.
  virtual Result<LoadedSnapshot> load(Cut upto, StateStore::Options options) = 0;
  virtual std::vector<Cut> list() = 0;  // ascending
};

}  // namespace millrace::state
