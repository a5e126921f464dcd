// Data files of snapshots: pages, appended in pieces and read back in pieces.
//
// Appending: batches begin at a multiple of 4096, so that a torn write can never reach bytes that an older
//            snapshot needs. Past the page cache and in pieces of 256 KB: the journal's syncs wait behind one
//            piece at most (0.17 ms on the machines we build on; a megabyte would be 0.44 ms).
// Threads:   the snapshot writer's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "state/internal/page_table.h"
#include "state/internal/snapshot_file.h"

namespace millrace::state::internal {

class DataFileWriter {
 public:
  static constexpr size_t kPieceBytes = 256 * 1024;

  // A new file; `number` must never have been used.
  static Result<std::unique_ptr<DataFileWriter>> create(Files& files, const std::string& directory,
                                                        uint32_t number);
  ~DataFileWriter();

  // Fills in place and checksum. Durable after finish().
  Result<StoredPage> append(PageId id, const Page& page);
  Status finish();  // to the next multiple of 4096, and sync
  uint32_t number() const { return number_; }
  uint64_t bytes() const { return end_ + filled_; }

 private:
  DataFileWriter(std::shared_ptr<File> file, uint32_t number);
  Status flush(size_t bytes);

  std::shared_ptr<File> file_;
  const uint32_t number_;
  uint64_t end_ = 0;  // of what is written
  char* piece_ = nullptr;
  size_t filled_ = 0;
};

std::string data_file_path(const std::string& directory, uint32_t number);

// Reads the pages and checks them. Calls take(stored, page) for each, in an order of its own.
Status read_pages(Files& files, const std::string& directory, std::vector<StoredPage> pages,
                  const std::function<void(const StoredPage&, PagePtr)>& take);

}  // namespace millrace::state::internal
