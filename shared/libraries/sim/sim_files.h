// SimFiles: a disk in memory that keeps only what was promised.
//
// Durable: a sector (512 bytes) after sync() of its file, a name after sync_directory(). A crash decides for
//          every other sector by itself: kept, lost, or torn; for every other name operation: kept or lost.
// kill():  the process ends, the machine runs on: the page cache keeps what was written, durable or not.
// EIO:     after a sync failed, its sectors look written and never become durable, as on Linux: only
//          kDirectRead sees what the disk has. Same seed, same calls: same outcome.
// Threads: none.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/random.h"

namespace millrace::sim {

class SimFiles final : public Files {
 public:
  explicit SimFiles(uint64_t seed);
  ~SimFiles() override;

  // Faults.
  void crash();  // power loss; handles die; the object is the disk of the next start
  void kill();   // the process dies
  // A machine that goes off by itself: after `calls` more calls every one fails, until power_on().
  void power_off_after(uint64_t calls) { off_at_ = calls_ + calls + 1; }
  void power_off();  // now: crash(), and nothing reaches the disk any more
  void power_on();
  bool off() const { return off_; }
  void fail_write_after(uint32_t writes) { writes_to_failure_ = writes + 1; }  // a write or a sync, once
  void heal();                                                                 // no faults from now on
  // Whether this process has met a fault since the power came on: its failure is then no wonder.
  bool troubled() const { return off_ || failed_a_call_ || refused_space_ || capacity_ != UINT64_MAX; }
  void flip_bit(const std::string& path, uint64_t byte, int bit);  // on the disk
  void fail_call(uint64_t n, Code code = Code::kUnavailable);      // the n-th call from now on; 0: none
  bool failed_a_call() const { return failed_a_call_; }
  uint64_t calls() const { return calls_; }
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  void set_stall(uint32_t polls) { stall_ = polls; }  // a submitted write takes 0 to `polls` polls longer
  uint64_t used_bytes() const;
  std::string durable_content(const std::string& path) const;

  // Files.
  Result<std::shared_ptr<File>> open(const std::string& path, Open mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  bool exists(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;
  Result<std::shared_ptr<void>> lock(const std::string& path) override;
  void submit(WriteRequest request) override;
  void poll(std::vector<WriteCompletion>& out) override;
  void set_wake(std::function<void()> wake) override { wake_ = std::move(wake); }

 private:
  friend class SimFile;
  static constexpr size_t kSector = 512;

  // A file's bytes: what the page cache shows, and what the disk has.
  struct Inode {
    std::string seen;
    std::string durable;
    std::set<uint64_t> dirty;  // sectors written since the last sync
    std::set<uint64_t> lost;   // sectors of a failed sync
  };
  struct NameChange {
    std::string directory;
    std::string from;  // renamed from, or removed
    std::string to;    // created, or renamed to
    std::shared_ptr<Inode> inode;
  };
  struct Pending {
    WriteRequest request;
    uint64_t generation = 0;
    uint32_t polls_left = 0;
  };

  Status call(const char* what);  // counts; fails if it is this one's turn
  Error no_space();
  Status write(Inode& inode, uint64_t position, std::string_view bytes);
  Status sync(Inode& inode);
  Status resize(Inode& inode, uint64_t size);
  void settle_after_crash(Inode& inode);
  void tear(Inode& inode, std::string& result, uint64_t sector);
  void apply(std::map<std::string, std::shared_ptr<Inode>>& names, const NameChange& change) const;
  void end_process(bool power_lost);
  void run_pending_partly();

  Random random_;
  std::map<std::string, std::shared_ptr<Inode>> names_;
  std::map<std::string, std::shared_ptr<Inode>> durable_names_;
  std::vector<NameChange> changes_;  // not yet durable, in order
  std::set<std::string> directories_;
  std::map<std::string, std::weak_ptr<void>> locks_;
  std::deque<Pending> pending_;
  std::vector<WriteCompletion> completed_;
  std::function<void()> wake_;
  uint64_t generation_ = 1;  // handles of an earlier one are dead
  uint64_t calls_ = 0;
  uint64_t fail_at_ = 0;
  Code fail_code_ = Code::kUnavailable;
  bool failed_a_call_ = false;
  bool refused_space_ = false;
  bool off_ = false;
  uint64_t off_at_ = 0;
  uint32_t writes_to_failure_ = 0;
  uint64_t capacity_ = UINT64_MAX;
  uint32_t stall_ = 0;
};

}  // namespace millrace::sim
