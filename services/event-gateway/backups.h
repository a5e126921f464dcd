// Backups: what a copy of a running node asks of it. The copying is done beside the node, by whoever asked.
//
// Hold:    between begin() and end() nothing is removed from the journal; without a renew() it ends after its lease. One
//          at a time: who begins takes over from who began before.
// Threads: the core loop.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/types.h"

namespace millrace::gateway {

struct HeldBackup {
  std::string
      id;  // stands in the file BACKUP of the data directory, too: so whoever copies knows that it is the one
  std::chrono::seconds lease;
};
// A whole node, as a crash at this moment would leave it, but for snapshots: the frames, and the definitions.
struct BackupCut {
  Cut first, last;
  std::string metadata;  // the bytes of metadata.db
};

class Backups {
 public:
  virtual ~Backups() = default;
  virtual Result<HeldBackup> begin() = 0;
  // MR-NODE-0019: it is not held any more.
  virtual Status renew(const std::string& id) = 0;
  virtual Result<BackupCut> cut(const std::string& id) = 0;
  virtual Status end(const std::string& id) = 0;
};

}  // namespace millrace::gateway
