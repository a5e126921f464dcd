// A disk in memory that fails from a chosen call on, and loses, tears or garbles what was not synced when it
// crashes.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/random.h"

namespace millrace::state::testing {

class CrashingFiles final : public Files {
 public:
  static constexpr size_t kSector = 512;

  explicit CrashingFiles(uint64_t seed) : random_(seed) {}

  // The n-th changing call from now (0 = the next) fails, and every one after it, until heal() or crash().
  void fail_after(int calls) { calls_left_ = calls; }
  bool failed() const { return failed_; }
  void heal() { calls_left_ = -1; }
  void set_free_bytes(uint64_t bytes) { free_bytes_ = bytes; }
  void flip_a_bit_of_each_read(bool on) { flips_ = on; }
  // Of what is not synced, each sector is kept, lost or garbled; of the changes of names, the first so many
  // are kept.
  void crash() {
    heal();
    for (size_t kept = random_.below(pending_names_.size() + 1), i = 0; i < kept; ++i)
      pending_names_[i](durable_names_);
    pending_names_.clear();
    names_ = durable_names_;
    for (auto& [name, inode] : names_) inode->crash(random_);
  }

  Result<std::shared_ptr<File>> open(const std::string& path, Open mode) override {
    const bool writes = mode == Open::kWrite || mode == Open::kDirectWrite;
    if (!names_.contains(path)) {
      if (!writes) return error(Code::kNotFound, "MR-TEST-0001", path + " is not there");
      TRY(change());
      rename_now([path, inode = std::make_shared<Inode>()](Names& names) { names[path] = inode; });
    }
    return std::shared_ptr<File>(std::make_shared<Handle>(*this, names_[path]));
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::vector<std::string> found;
    for (const auto& [path, inode] : names_) {
      if (path.starts_with(directory + "/")) found.push_back(path.substr(directory.size() + 1));
    }
    return found;
  }
  bool exists(const std::string& path) override { return names_.contains(path); }
  Status make_directories(const std::string&) override { return {}; }
  Status remove(const std::string& path) override {
    TRY(change());
    rename_now([path](Names& names) { names.erase(path); });
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    TRY(change());
    rename_now([from, to, inode = names_.at(from)](Names& names) {
      names.erase(from);
      names[to] = inode;
    });
    return {};
  }
  Status sync_directory(const std::string&) override {
    TRY(change());
    durable_names_ = names_;
    pending_names_.clear();
    return {};
  }
  Result<uint64_t> free_bytes(const std::string&) override { return free_bytes_; }
  Result<std::shared_ptr<void>> lock(const std::string&) override { return std::shared_ptr<void>(); }
  void submit(WriteRequest) override { std::abort(); }
  void poll(std::vector<WriteCompletion>&) override {}
  void set_wake(std::function<void()>) override {}

 private:
  struct Inode {
    std::string now, durable;
    std::set<size_t> unsynced;  // sectors

    void crash(Random& random) {
      for (const size_t sector : unsynced) {
        const size_t from = sector * kSector;
        const uint64_t fate = random.below(3);
        if (fate == 0 || from >= now.size()) continue;
        if (durable.size() < std::min(from + kSector, now.size()))
          durable.resize(std::min(from + kSector, now.size()));
        for (size_t i = from; i < std::min(from + kSector, now.size()); ++i) {
          durable[i] = fate == 1 ? now[i] : static_cast<char>(random.next());
        }
      }
      unsynced.clear();
      now = durable;
    }
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  class Handle final : public File {
   public:
    Handle(CrashingFiles& disk, std::shared_ptr<Inode> inode) : disk_(disk), inode_(std::move(inode)) {}
    Result<size_t> read_at(uint64_t position, char* out, size_t size) override {
      if (position >= inode_->now.size()) return size_t{0};
      const size_t got = inode_->now.copy(out, size, position);
      if (disk_.flips_) out[got / 2] = static_cast<char>(out[got / 2] ^ 1);
      return got;
    }
    Status write_at(uint64_t position, std::string_view bytes) override {
      Status done = disk_.change();
      // A write that fails may have written some of it.
      const size_t part = done.ok() ? bytes.size() : disk_.random_.below(bytes.size() + 1);
      if (inode_->now.size() < position + part) inode_->now.resize(position + part);
      inode_->now.replace(position, part, bytes.substr(0, part));
      for (size_t s = position / kSector; part > 0 && s <= (position + part - 1) / kSector; ++s)
        inode_->unsynced.insert(s);
      return done;
    }
    Status sync() override {
      TRY(disk_.change());
      inode_->durable = inode_->now;
      inode_->unsynced.clear();
      return {};
    }
    Result<uint64_t> size() override { return uint64_t{inode_->now.size()}; }
    Status resize(uint64_t size) override {
      TRY(disk_.change());
      inode_->now.resize(size);
      return {};
    }

   private:
    CrashingFiles& disk_;
    std::shared_ptr<Inode> inode_;
  };

  Status change() {
    if (calls_left_ > 0)
      --calls_left_;
    else if (calls_left_ == 0) {
      failed_ = true;
      return error(Code::kUnavailable, "MR-TEST-0002", "the disk fails as planned");
    }
    return {};
  }
  void rename_now(std::function<void(Names&)> how) {
    how(names_);
    pending_names_.push_back(std::move(how));
  }

  Random random_;
  int calls_left_ = -1;
  bool failed_ = false;
  bool flips_ = false;
  uint64_t free_bytes_ = uint64_t{1} << 40;
  Names names_, durable_names_;
  std::vector<std::function<void(Names&)>> pending_names_;
};

}  // namespace millrace::state::testing
