// The schema registry's file, and the copy of it that a backup takes.
#pragma once

#include <string>

#include "base/files.h"

namespace millrace::node {

inline constexpr const char* kRegistryFile = "registry.db";
inline constexpr const char* kRegistryJournal = "registry.db-journal";  // SQLite's, of a change
inline constexpr const char* kRegistryCopy = "registry.copy";           // until the backup ends

// For the thread that writes the file, between two changes: its bytes are what was committed then, the same ones as long as
// nothing changes. After an error there is no copy. MR-NODE-0027: a change that failed is not taken back yet.
Status copy_registry(Files& files, const std::string& directory);
Status remove_registry_copy(Files& files, const std::string& directory);  // if there is one

}  // namespace millrace::node
