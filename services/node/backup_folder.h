// BackupFolder: where backups are kept. docs/formats/backup.md.
//
//   VERSION            whose folder it is
//   objects/SHA256     bytes, by their digest: what two backups have in common is there once
//   seals/SHA256       the digest of a sealed segment, by that of its first and last block: it need not be read again
//   backups/NAME.json  the manifests
//
// Whole:   a backup is there once its manifest is: that is written last, when all its objects are durable. What an
//          interrupted one has copied is found by the next.
// Threads: one. Another process that writes is kept out by the file LOCK.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "node/backup_manifest.h"

namespace millrace::cli {

// The folder that a path is in.
std::string folder_of(const std::string& path);

class BackupFolder {
 public:
  using Tick = std::function<Status(uint64_t bytes)>;  // after each piece

  // To write: makes it, if it is missing or empty. MR-NODE-0024: another process writes; -0028: it holds other things.
  static Result<BackupFolder> make(Files& files, const std::string& path);
  // To read. MR-NODE-0021: it is none. MR-NODE-0023: of another format.
  static Result<BackupFolder> open(Files& files, const std::string& path);

  Result<std::vector<std::string>> names() const;              // oldest first
  Result<BackupManifest> read(const std::string& name) const;  // empty: the newest. MR-NODE-0021
  // Gives the object's bytes to `take`, which may be null. MR-NODE-0022: it is missing, or not what it was.
  Status read_object(const BackupFile& file, const std::function<Status(std::string_view piece)>& take,
                     const Tick& tick) const;

  // The first `bytes` of the file, and `zeros` behind them; `path` is what it is in the data directory.
  Result<BackupFile> add(const std::string& path, File& from, uint64_t bytes, uint64_t zeros,
                         const Tick& tick);
  Result<BackupFile> add_text(const std::string& path, std::string_view text);
  Result<BackupFile> add_sealed(const std::string& path, File& from, const Tick& tick);
  bool has_backup(const std::string& name) const;
  Status write(const BackupManifest& manifest);

  uint64_t copied_bytes() const { return copied_bytes_; }  // of new objects

 private:
  BackupFolder(Files& files, std::string path) : files_(&files), path_(std::move(path)) {}
  Status check_version() const;
  std::string object_path(const std::string& sha256) const { return path_ + "/objects/" + sha256; }
  bool has(const std::string& sha256, uint64_t bytes) const;
  Result<BackupFile> finish(const std::string& path, File& incoming, uint64_t bytes,
                            const std::string& sha256);

  Files* files_;
  std::string path_;
  std::shared_ptr<void> lock_;
  uint64_t copied_bytes_ = 0;
};

}  // namespace millrace::cli
