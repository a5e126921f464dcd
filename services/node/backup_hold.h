// BackupHold: while a backup of the running node is made, nothing is removed from its journal.
//
// Cut:     the durable end of the journal and the definitions, taken at one moment: what a crash then would leave.
// Lease:   ends by itself, so that a copier that was killed does not stop retention for good, and leaves no copy of the registry.
// Threads: the core loop.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/files.h"
#include "event-gateway/backups.h"
#include "log/journal.h"
#include "metadata/metadata_store.h"

namespace millrace::node {

class BackupHold final : public gateway::Backups {
 public:
  BackupHold(Files& files, const Clock& clock, std::string directory, log::Journal& journal,
             metadata::MetadataStore& store)
      : files_(files), clock_(clock), directory_(std::move(directory)), journal_(journal), store_(store) {}

  Result<gateway::HeldBackup> begin() override;
  Status renew(const std::string& id) override;
  Result<gateway::BackupCut> cut(const std::string& id) override;
  Status end(const std::string& id) override;

  bool held() const;
  void expire();  // what a lease that has ended leaves goes

 private:
  Files& files_;
  const Clock& clock_;
  const std::string directory_;
  log::Journal& journal_;
  metadata::MetadataStore& store_;
  std::string id_;  // empty: none
  int64_t until_ns_ = 0;
  uint64_t begun_ = 0;
};

}  // namespace millrace::node
