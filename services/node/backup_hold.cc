#include "node/backup_hold.h"

#include <fmt/format.h>

#include "node/registry_copy.h"

namespace millrace::node {
namespace {

constexpr std::chrono::seconds kLease{60};

}  // namespace

bool BackupHold::held() const {
  return !id_.empty() && clock_.monotonic_ns() < until_ns_;
}

void BackupHold::expire() {
  if (id_.empty() || held()) return;
  id_.clear();
  (void)remove_registry_copy(files_, directory_);  // the next backup, or start, tries again
}

Result<gateway::HeldBackup> BackupHold::begin() {
  TRY(remove_registry_copy(files_, directory_));
  // No other node's, nor this one's of another start.
  const std::string id = fmt::format("{}-{}-{}", journal_.start_epoch(), clock_.wall_us(), ++begun_);
  TRY(write_file_atomically(files_, directory_ + "/BACKUP", id + "\n"));
  id_ = id;
  until_ns_ = clock_.monotonic_ns() + std::chrono::nanoseconds(kLease).count();
  return gateway::HeldBackup{id_, kLease};
}

Status BackupHold::renew(const std::string& id) {
  expire();
  if (id != id_ || id_.empty()) {
    if (id_.empty()) (void)remove_registry_copy(files_, directory_);  // it came behind the lease
    return error(
        Code::kGone, "MR-NODE-0019", "this backup is not held any more",
        "its lease has ended, the server has started again, or another backup has begun: begin again");
  }
  until_ns_ = clock_.monotonic_ns() + std::chrono::nanoseconds(kLease).count();
  return {};
}

Result<gateway::BackupCut> BackupHold::cut(const std::string& id) {
  TRY(renew(id));
  TRY_ASSIGN(auto metadata, store_.contents());
  return gateway::BackupCut{journal_.first_cut(), journal_.durable_cut(), std::move(metadata)};
}

Status BackupHold::end(const std::string& id) {
  TRY(renew(id));
  id_.clear();
  TRY(remove_registry_copy(files_, directory_));
  return files_.remove(directory_ + "/BACKUP");
}

}  // namespace millrace::node
