#include "node/restore.h"

#include <fmt/format.h>

#include <set>

#include "node/data_directory.h"

namespace millrace::cli {
namespace {

Status write_one(Files& files, const BackupFolder& from, const BackupFile& file, const std::string& path,
                 const BackupFolder::Tick& tick) {
  TRY_ASSIGN(const auto out, files.open(path, Files::Open::kWrite));
  uint64_t at = 0;
  TRY(from.read_object(
      file,
      [&](std::string_view piece) -> Status {
        TRY(out->write_at(at, piece));
        at += piece.size();
        return {};
      },
      tick));
  return out->sync();
}

Status check_empty(Files& files, const std::string& directory) {
  if (!files.exists(directory)) return {};
  TRY_ASSIGN(const auto names, files.list(directory));
  if (names.empty() || names == std::vector<std::string>{"lost+found"}) return {};
  return error(Code::kConflict, "MR-NODE-0020", fmt::format("{} is not empty", directory),
               "name a folder that is to be made, or an empty one: nothing was changed");
}

}  // namespace

Status restore(Files& files, const BackupFolder& from, const BackupManifest& manifest, const std::string& to,
               const BackupFolder::Tick& tick) {
  TRY(check_empty(files, to));
  for (const auto& file : manifest.files) TRY(from.read_object(file, nullptr, tick));
  TRY(files.make_directories(to));
  TRY_ASSIGN(const auto lock, files.lock(to + "/LOCK"));
  const std::string marker = to + "/" + node::kRestoring;
  TRY(write_file_atomically(files, marker, manifest.name + "\n"));
  std::set<std::string> folders{folder_of(to), to};
  for (const auto& file : manifest.files) {
    const std::string path = to + "/" + file.path;
    TRY(files.make_directories(folder_of(path)));
    TRY(write_one(files, from, file, path, tick));
    for (size_t end = file.path.find('/'); end != std::string::npos; end = file.path.find('/', end + 1))
      folders.insert(to + "/" + file.path.substr(0, end));
  }
  for (const auto& folder : folders) TRY(files.sync_directory(folder));
  TRY(files.remove(marker));
  return files.sync_directory(to);
}

}  // namespace millrace::cli
