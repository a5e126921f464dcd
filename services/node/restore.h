// restore: a data directory out of a backup.
//
// Order: every object is checked before a byte is written. Until all is there and durable the folder has a file that
//        `serve` refuses (MR-NODE-0017).
// Errors: MR-NODE-0020: the folder is not empty; those of BackupFolder.
#pragma once

#include <string>

#include "base/files.h"
#include "node/backup_folder.h"

namespace millrace::cli {

Status restore(Files& files, const BackupFolder& from, const BackupManifest& manifest, const std::string& to,
               const BackupFolder::Tick& tick);  // for each byte twice

}  // namespace millrace::cli
