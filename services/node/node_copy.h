// NodeCopy: a backup of a running node, by reading its data directory beside it.
//
// Order:  hold (nothing is removed from the journal from here on), snapshots, cut, registry, journal. So every snapshot is of
//         the cut or before it, the journal reaches from the oldest of them to the cut, and the registry, which only ever
//         grows, has every schema that a definition of the cut names.
// Whole:  the hold is given back at the end, and only if it was held all the time there is a backup.
// Errors: the server's; MR-NODE-0025: the folder is another node's; MR-NODE-0027: files changed that must not.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/files.h"
#include "net/http_client.h"
#include "node/backup_folder.h"

namespace millrace::cli {

class NodeCopy {
 public:
  using Progress = std::function<void(uint64_t bytes, const std::string& file)>;

  NodeCopy(Files& files, net::HttpClient& server, std::string data, BackupFolder& to, Progress progress)
      : files_(files), server_(server), data_(std::move(data)), to_(to), progress_(std::move(progress)) {}

  Result<BackupManifest> run();

 private:
  using Clock = std::chrono::steady_clock;

  Result<net::HttpAnswer> call(const std::string& method, const std::string& what);
  Status hold();
  Status keep_hold();  // renews it in time
  Status copy_file(const std::string& path) { return copy_file(path, path); }
  Status copy_file(const std::string& path, const std::string& as);
  Status copy_snapshots();
  Status copy_snapshots_of_task(const std::string& folder);
  Result<bool> try_snapshots_of_task(const std::string& folder);
  Status copy_audit_log();
  Status cut();
  Status copy_registry();
  Status copy_journal();
  BackupFolder::Tick tick(const std::string& path);

  Files& files_;
  net::HttpClient& server_;
  const std::string data_;
  BackupFolder& to_;
  const Progress progress_;
  std::string id_;
  std::chrono::seconds lease_{0};
  Clock::time_point renewed_;
  uint64_t done_bytes_ = 0;
  BackupManifest manifest_;
};

}  // namespace millrace::cli
