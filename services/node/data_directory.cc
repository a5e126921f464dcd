#include "node/data_directory.h"

#include <fmt/format.h>

namespace millrace::node {
namespace {
constexpr std::string_view kDataVersion = "millrace data 1\n";
}

Result<std::shared_ptr<void>> take_data_directory(Files& files, const std::string& directory) {
  TRY(files.make_directories(directory));
  auto lock = files.lock(directory + "/LOCK");
  if (!lock.ok()) {
    if (lock.error().code != Code::kConflict) return lock.error();
    return error(Code::kConflict, "MR-NODE-0001",
                 fmt::format("another process is using the data directory {}", directory),
                 "stop it, or choose another directory with --data");
  }
  const std::string version_file = directory + "/VERSION";
  if (!files.exists(version_file)) {
    TRY(write_file_atomically(files, version_file, kDataVersion));
    return lock;
  }
  TRY_ASSIGN(const auto version, read_whole_file(files, version_file, 256));
  if (version == kDataVersion) return lock;
  return error(Code::kUnsupported, "MR-NODE-0002",
               fmt::format("the data directory {} was written by another version of Millrace (\"{}\")",
                           directory, version.substr(0, version.find('\n'))),
               "use that version, or a newer one that can read it");
}

}  // namespace millrace::node
