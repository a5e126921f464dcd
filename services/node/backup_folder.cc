#include "node/backup_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/sha256.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kVersion = "millrace backups 1\n";
constexpr size_t kPiece = 1u << 20;
constexpr uint64_t kSyncEvery = 32u << 20;  // so that the last sync of a large object is no long one
constexpr size_t kBlock = 4096;
constexpr size_t kLargestManifest = 256u << 20;

Error cannot_be_read(const BackupFile& file, const char* why) {
  return error(Code::kCorrupt, "MR-NODE-0022",
               fmt::format("the object {} of {} is {}", file.sha256, file.path, why),
               "a new backup of a running node copies it again; or use another backup");
}

Result<std::string> read_block(File& file, uint64_t position) {
  std::string block(kBlock, '\0');
  TRY_ASSIGN(const size_t got, file.read_at(position, block.data(), block.size()));
  block.resize(got);
  return block;
}

// By its name's parts, which are numbers: the time, the last frame, and which one of that moment.
bool is_older(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view left = a.substr(0, a.find('-')), right = b.substr(0, b.find('-'));
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
    a.remove_prefix(std::min(a.size(), left.size() + 1));
    b.remove_prefix(std::min(b.size(), right.size() + 1));
  }
  return a.empty() && !b.empty();
}

}  // namespace

std::string folder_of(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? 0 : path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status BackupFolder::check_version() const {
  if (!files_->exists(path_ + "/VERSION")) {
    return error(Code::kNotFound, "MR-NODE-0021", fmt::format("{} is not a folder of backups", path_),
                 "name the one that `millrace backup --to` was given");
  }
  TRY_ASSIGN(const auto version, read_whole_file(*files_, path_ + "/VERSION", kBlock));
  if (version == kVersion) return {};
  if (version.starts_with("millrace data ")) {
    return error(Code::kNotFound, "MR-NODE-0021",
                 fmt::format("{} is a data directory, not a folder of backups", path_),
                 "name the folder that `millrace backup --to` was given");
  }
  return error(Code::kUnsupported, "MR-NODE-0023",
               fmt::format("{} has another format than this Millrace reads", path_),
               "use the Millrace that made it, or a newer one");
}

Result<BackupFolder> BackupFolder::make(Files& files, const std::string& path) {
  BackupFolder folder(files, path);
  TRY(files.make_directories(path));
  TRY(files.sync_directory(folder_of(path)));
  TRY_ASSIGN(const auto names, files.list(path));
  const bool begun = files.exists(path + "/VERSION");
  const bool empty = std::all_of(names.begin(), names.end(), [](const auto& name) {
    return name == "LOCK" || name == "VERSION.tmp" || name == "lost+found";
  });
  if (!begun && !empty) {
    return error(Code::kConflict, "MR-NODE-0028", fmt::format("{} holds other things than backups", path),
                 "name an empty folder, one that is to be made, or one of backups");
  }
  if (begun) TRY(folder.check_version());
  auto lock = files.lock(path + "/LOCK");
  if (!lock.ok() && lock.error().code == Code::kConflict) {
    return error(Code::kConflict, "MR-NODE-0024", fmt::format("another backup is being written to {}", path),
                 "wait for its end");
  }
  if (!lock.ok()) return lock.error();
  folder.lock_ = std::move(*lock);
  if (!begun) TRY(write_file_atomically(files, path + "/VERSION", kVersion));
  for (const char* part : {"/objects", "/seals", "/backups"}) TRY(files.make_directories(path + part));
  return folder;
}

Result<BackupFolder> BackupFolder::open(Files& files, const std::string& path) {
  BackupFolder folder(files, path);
  TRY(folder.check_version());
  return folder;
}

Result<std::vector<std::string>> BackupFolder::names() const {
  constexpr std::string_view kEnd = ".json";
  std::vector<std::string> names;
  if (!files_->exists(path_ + "/backups")) return names;
  TRY_ASSIGN(const auto all, files_->list(path_ + "/backups"));
  for (const auto& name : all) {
    if (name.ends_with(kEnd)) names.push_back(name.substr(0, name.size() - kEnd.size()));
  }
  std::sort(names.begin(), names.end(), is_older);
  return names;
}

Result<BackupManifest> BackupFolder::read(const std::string& name) const {
  TRY_ASSIGN(const auto all, names());
  const bool known = name.empty() ? !all.empty() : std::find(all.begin(), all.end(), name) != all.end();
  if (!known) {
    return error(Code::kNotFound, "MR-NODE-0021",
                 name.empty() ? fmt::format("there is no finished backup in {}", path_)
                              : fmt::format("there is no backup {} in {}", name, path_),
                 "see  millrace backup list " + path_);
  }
  const std::string file = fmt::format("{}/backups/{}.json", path_, name.empty() ? all.back() : name);
  TRY_ASSIGN(const auto text, read_whole_file(*files_, file, kLargestManifest));
  return parse_manifest(text, file);
}

Status BackupFolder::read_object(const BackupFile& file, const std::function<Status(std::string_view)>& take,
                                 const Tick& tick) const {
  if (!files_->exists(object_path(file.sha256))) return cannot_be_read(file, "missing");
  TRY_ASSIGN(const auto object, files_->open(object_path(file.sha256), Files::Open::kRead));
  Sha256 digest;
  std::string piece(kPiece, '\0');
  uint64_t done = 0;
  for (;;) {
    TRY_ASSIGN(const size_t got, object->read_at(done, piece.data(), piece.size()));
    if (got == 0) break;
    digest.add({piece.data(), got});
    if (take) TRY(take({piece.data(), got}));
    done += got;
    TRY(tick(got));
  }
  if (done == file.bytes && digest.hex() == file.sha256) return {};
  return cannot_be_read(file, "damaged");
}

bool BackupFolder::has(const std::string& sha256, uint64_t bytes) const {
  if (!files_->exists(object_path(sha256))) return false;
  const auto object = files_->open(object_path(sha256), Files::Open::kRead);
  if (!object.ok()) return false;
  const auto size = (*object)->size();
  return size.ok() && *size == bytes;
}

Result<BackupFile> BackupFolder::add(const std::string& path, File& from, uint64_t bytes, uint64_t zeros,
                                     const Tick& tick) {
  TRY_ASSIGN(const auto incoming, files_->open(path_ + "/objects/incoming", Files::Open::kWrite));
  TRY(incoming->resize(0));
  Sha256 digest;
  std::string piece(kPiece, '\0');
  uint64_t done = 0, synced = 0;
  while (done < bytes) {
    const size_t wanted = std::min<uint64_t>(kPiece, bytes - done);
    TRY_ASSIGN(const size_t got, from.read_at(done, piece.data(), wanted));
    if (got == 0) {
      return error(Code::kUnavailable, "MR-NODE-0027",
                   fmt::format("{} became shorter while it was copied", path),
                   "run the backup again: what it has copied is kept");
    }
    digest.add({piece.data(), got});
    TRY(incoming->write_at(done, {piece.data(), got}));
    done += got;
    if (done - synced >= kSyncEvery) {
      TRY(incoming->sync());
      synced = done;
    }
    TRY(tick(got));
  }
  const std::string rest(zeros, '\0');
  digest.add(rest);
  if (zeros > 0) TRY(incoming->write_at(done, rest));
  return finish(path, *incoming, bytes + zeros, digest.hex());
}

Result<BackupFile> BackupFolder::add_text(const std::string& path, std::string_view text) {
  TRY_ASSIGN(const auto incoming, files_->open(path_ + "/objects/incoming", Files::Open::kWrite));
  TRY(incoming->resize(0));
  TRY(incoming->write_at(0, text));
  return finish(path, *incoming, text.size(), sha256_hex(text));
}

Result<BackupFile> BackupFolder::finish(const std::string& path, File& incoming, uint64_t bytes,
                                        const std::string& sha256) {
  if (!has(sha256, bytes)) {
    TRY(incoming.sync());
    TRY(files_->rename(path_ + "/objects/incoming", object_path(sha256)));
    copied_bytes_ += bytes;
  }
  return BackupFile{path, bytes, sha256};
}

// Such a file does not change, and its first block has an unpredictable number of its own.
Result<BackupFile> BackupFolder::add_sealed(const std::string& path, File& from, const Tick& tick) {
  TRY_ASSIGN(const uint64_t bytes, from.size());
  TRY_ASSIGN(const auto first, read_block(from, 0));
  TRY_ASSIGN(const auto last, read_block(from, bytes < kBlock ? 0 : bytes - kBlock));
  const std::string seal = path_ + "/seals/" + sha256_hex(first + last);
  if (files_->exists(seal)) {
    TRY_ASSIGN(const auto sha256, read_whole_file(*files_, seal, kBlock));
    if (has(sha256, bytes)) {
      TRY(tick(bytes));
      return BackupFile{path, bytes, sha256};
    }
  }
  TRY_ASSIGN(auto added, add(path, from, bytes, 0, tick));
  TRY(write_file_atomically(*files_, seal, added.sha256));
  return added;
}

bool BackupFolder::has_backup(const std::string& name) const {
  return files_->exists(fmt::format("{}/backups/{}.json", path_, name));
}

Status BackupFolder::write(const BackupManifest& manifest) {
  if (files_->exists(path_ + "/objects/incoming")) TRY(files_->remove(path_ + "/objects/incoming"));
  TRY(files_->sync_directory(path_ + "/objects"));
  TRY(files_->sync_directory(path_));
  return write_file_atomically(*files_, fmt::format("{}/backups/{}.json", path_, manifest.name),
                               to_text(manifest));
}

}  // namespace millrace::cli
