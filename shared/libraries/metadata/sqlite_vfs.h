// SqliteVfs: SQLite's files, kept on `Files`, so that a simulation owns the metadata store's bytes like all
// others.
//
// Why:        a crash may keep or lose any unsynced write; SQLite's rollback journal has to meet the same
//             disk as ours.
// Locks:      none: one process owns the data directory and one connection the file (locking_mode=EXCLUSIVE,
//             no shared memory).
// Durability: the first sync of a file that was created here also syncs its directory, else its name might
//             not survive.
// Errors:     SQLite knows only numbers; last_error() has the words of the last failing file call.
// Threads:    one connection at a time uses it.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>

#include "base/files.h"

namespace millrace::metadata {

class SqliteVfs {
 public:
  // Registers with SQLite under a name of its own until the object goes; `files` outlives it.
  explicit SqliteVfs(Files& files);
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  const std::string& name() const { return name_; }
  Files& files() { return files_; }
  const std::optional<Error>& last_error() const { return last_error_; }
  // Remembers the error and answers SQLite's number for it; kExhausted is SQLITE_FULL, others `otherwise`.
  int failed(const Error& error, int otherwise);

 private:
  Files& files_;
  std::string name_;
  sqlite3_vfs vfs_{};
  std::optional<Error> last_error_;
};

}  // namespace millrace::metadata
