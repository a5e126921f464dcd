// The data directory: one process at a time, one version.
#pragma once

#include <memory>
#include <string>

#include "base/files.h"

namespace millrace::node {

// A file of this name stands in a data directory until all of it is restored.
inline constexpr const char* kRestoring = "RESTORING";

// Makes the directory if it is missing, locks it until the returned object ends, and checks its version.
// kConflict MR-NODE-0001: another process has it. kUnsupported MR-NODE-0002: another format's.
// kCorrupt MR-NODE-0016: its version cannot be read. kConflict MR-NODE-0017: a restore has not finished it.
Result<std::shared_ptr<void>> take_data_directory(Files& files, const std::string& directory);

}  // namespace millrace::node
