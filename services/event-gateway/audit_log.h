// AuditLog: administrative acts, each a line of JSON in audit.log of the data directory, in an order that cannot be bent
// unseen: every line names the SHA-256 of the line before it.
//
//   {"n":7,"at":"2026-01-31T10:00:00Z","who":"token 4f…","tenant":"acme","from":"10.0.0.7","act":"CREATE STREAM",
//    "what":"CREATE STREAM s (a TEXT)","outcome":"ok","before":"9f86d0…"}
//
// Durable:  when append() returns. A line that a crash has cut was told to nobody; the next start removes it.
// Rotation: beyond max_bytes the file becomes audit.log.<its last n>; the chain goes on in the next one.
// Bound:    `what` is cut at kMaxWhat bytes.
// Threads:  append() of any; acts are rare, and wait for the disk.
// Trust:    who writes this directory's files could write a whole new chain: keep verify's last hash elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace millrace::gateway {

struct AuditAct {
  int64_t at_us = 0;
  std::string who, tenant, from, act, what;
  std::string outcome;  // "ok", or the error's code
};

class AuditLog {
 public:
  static constexpr size_t kMaxWhat = 4096;
  static constexpr uint64_t kMaxBytes = 16u << 20;

  // MR-AUTH-0017: its end is not a line of it. MR-AUTH-0018: the files cannot be read or written.
  static Result<std::unique_ptr<AuditLog>> open(Files& files, const std::string& directory,
                                                uint64_t max_bytes = kMaxBytes);
  Status append(const AuditAct& act);

 private:
  AuditLog(Files& files, std::string directory, uint64_t max_bytes)
      : files_(files), directory_(std::move(directory)), max_bytes_(max_bytes) {}
  std::string path() const { return directory_ + "/audit.log"; }
  Status take_end();
  Status rotate();

  Files& files_;
  const std::string directory_;
  const uint64_t max_bytes_;
  std::mutex mutex_;  // guards all of what follows
  std::shared_ptr<File> file_;
  uint64_t bytes_ = 0;
  uint64_t number_ = 0;  // of the last line
  std::string before_;   // its hash
};

// The files of a directory's log, the oldest first.
Result<std::vector<std::string>> audit_files(Files& files, const std::string& directory);

struct AuditChain {
  uint64_t lines = 0, first = 0;  // the number of the first line
  std::string last_hash;
};
// Reads every line of every file; `each` may be null. MR-AUTH-0019 names the file and line where the chain is broken.
Result<AuditChain> verify_audit(Files& files, const std::string& directory,
                                const std::function<void(std::string_view line)>& each = nullptr);

}  // namespace millrace::gateway
