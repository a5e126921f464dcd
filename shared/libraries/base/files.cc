#include "base/files.h"

namespace millrace {
namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_temporary(Files& files, const std::string& path, std::string_view bytes) {
  TRY_ASSIGN(auto file, files.open(path, Files::Open::kWrite));
  TRY(file->resize(0));
  TRY(file->write_at(0, bytes));
  return file->sync();
}

}  // namespace

Status write_file_atomically(Files& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  TRY(write_temporary(files, temporary, bytes));
  TRY(files.rename(temporary, path));
  return files.sync_directory(directory_of(path));
}

Result<std::string> read_whole_file(Files& files, const std::string& path, size_t bound) {
  TRY_ASSIGN(auto file, files.open(path, Files::Open::kRead));
  TRY_ASSIGN(const uint64_t size, file->size());
  if (size > bound) {
    return error(Code::kInvalid, "MR-FILE-0004",
                 path + " has " + std::to_string(size) + " bytes, more than the " + std::to_string(bound) +
                     " that are read",
                 "is it the right file?");
  }
  std::string bytes(size, '\0');
  TRY_ASSIGN(const size_t got, file->read_at(0, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

}  // namespace millrace
