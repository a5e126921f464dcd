// BackupManifest: what one backup consists of. docs/formats/backup.md has the form of the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace millrace::cli {

// A file of the data directory, and the object that has its bytes.
struct BackupFile {
  std::string path;  // in the data directory
  uint64_t bytes = 0;
  std::string sha256;
};

// Where the schema registry's schemas are.
inline constexpr std::string_view kRegistryInFile = "sqlite";  // registry.db, among the files
inline constexpr std::string_view kRegistryInPostgres = "postgresql";
inline constexpr std::string_view kNoRegistry = "none";  // the node ran without one

struct BackupManifest {
  std::string name;      // 20261129T111112Z-4711: when it was made, and the last frame
  std::string version;   // of the Millrace that made it
  Cut first, last;       // the frames that it has
  std::string registry;  // one of the above; empty: an older backup, which has none
  std::vector<BackupFile> files;

  uint64_t bytes() const;
};

std::string to_text(const BackupManifest& manifest);
// MR-NODE-0022: damaged, or not one. MR-NODE-0023: of another format.
Result<BackupManifest> parse_manifest(std::string_view text, const std::string& file);

}  // namespace millrace::cli
