// Files: the only way to a disk. Asynchronous for the journal's writes, synchronous for everything off the
// hot path.
//
// Why:        the simulation replaces it, and with it decides what a crash keeps, tears, flips or refuses.
// Threads:    open/list/remove/… and File's synchronous calls may be used from any thread. submit() and
//             poll() of one Files are called by one thread (the core loop); completions come back through
//             poll(), in order of submission. wake_fd/wake: a real implementation calls `wake` (any thread)
//             after a completion is ready.
// Errors:     kNotFound, kExhausted (no space), kUnavailable (I/O error; never retried by callers), kConflict
//             (lock).
// Durability: a file's bytes are durable after sync(); its name after sync_directory(). Nothing else is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace {

// Alignment of direct writes: address, length and file position.
inline constexpr size_t kDirectAlignment = 4096;

class File {
 public:
  virtual ~File() = default;
  virtual Result<size_t> read_at(uint64_t position, char* out,
                                 size_t size) = 0;  // short at the end of the file
  virtual Status write_at(uint64_t position, std::string_view bytes) = 0;
  virtual Status sync() = 0;  // data and size
  virtual Result<uint64_t> size() = 0;
  virtual Status resize(uint64_t size) = 0;
};

struct WriteRequest {
  std::shared_ptr<File> file;
  uint64_t position = 0;
  std::string_view bytes;  // stays valid until the completion; aligned if the file was opened direct
  bool sync = true;        // write, then sync, as one operation
  uint64_t token = 0;
};

struct WriteCompletion {
  uint64_t token = 0;
  Status status;
};

class Files {
 public:
  enum class Open : uint8_t {
    kRead,         // must exist
    kWrite,        // created if missing; read and write through the page cache
    kDirectWrite,  // created if missing; past the page cache where the filesystem can, else like kWrite
    kDirectRead,   // must exist; past the page cache where the filesystem can
  };

  virtual ~Files() = default;
  virtual Result<std::shared_ptr<File>> open(const std::string& path, Open mode) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;  // names, sorted
  virtual bool exists(const std::string& path) = 0;
  virtual Status make_directories(const std::string& path) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // atomic, replaces
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
  // An exclusive lock that ends with the returned object or the process. kConflict if another process holds
  // it.
  virtual Result<std::shared_ptr<void>> lock(const std::string& path) = 0;

  virtual void submit(WriteRequest request) = 0;
  virtual void poll(std::vector<WriteCompletion>& out) = 0;  // appends; never blocks
  virtual void set_wake(std::function<void()> wake) = 0;     // called when poll() has something new
};

std::unique_ptr<Files> make_system_files();

// Writes a whole small file so that a crash leaves the old or the new one: temporary name, sync, rename, sync
// the directory.
Status write_file_atomically(Files& files, const std::string& path, std::string_view bytes);
Result<std::string> read_whole_file(Files& files, const std::string& path, size_t bound);

}  // namespace millrace
