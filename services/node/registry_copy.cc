#include "node/registry_copy.h"

namespace millrace::node {
namespace {

constexpr size_t kPiece = 1u << 20;

// SQLite cuts its journal off with each change that is done; one that it finds at its start it plays back, and zeroes its head.
Result<bool> is_at_rest(Files& files, const std::string& directory) {
  const std::string journal = directory + "/" + kRegistryJournal;
  if (!files.exists(journal)) return true;
  TRY_ASSIGN(const auto opened, files.open(journal, Files::Open::kRead));
  char first = 0;
  TRY(opened->read_at(0, &first, 1));
  return first == 0;
}

Status write_copy(Files& files, const std::string& directory) {
  TRY_ASSIGN(const bool at_rest, is_at_rest(files, directory));
  if (!at_rest) {
    return error(
        Code::kUnavailable, "MR-NODE-0027", "a change of the schema registry is not taken back yet",
        "see to the disk that it failed on; then register a schema, or start the server again, which takes "
        "it back, and run the backup again");
  }
  TRY_ASSIGN(const auto from, files.open(directory + "/" + kRegistryFile, Files::Open::kRead));
  TRY_ASSIGN(const auto to, files.open(directory + "/" + kRegistryCopy, Files::Open::kWrite));
  TRY(to->resize(0));
  std::string piece(kPiece, '\0');
  for (uint64_t done = 0;;) {
    TRY_ASSIGN(const size_t got, from->read_at(done, piece.data(), piece.size()));
    if (got == 0) return {};
    TRY(to->write_at(done, {piece.data(), got}));
    done += got;
  }
}

}  // namespace

// Half of one would take room of a disk that may be full.
Status copy_registry(Files& files, const std::string& directory) {
  Status copied = write_copy(files, directory);
  if (!copied.ok()) (void)remove_registry_copy(files, directory);  // the first error is the one to tell
  return copied;
}

Status remove_registry_copy(Files& files, const std::string& directory) {
  const std::string copy = directory + "/" + kRegistryCopy;
  return files.exists(copy) ? files.remove(copy) : Status();
}

}  // namespace millrace::node
