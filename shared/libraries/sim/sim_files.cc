#include "sim/sim_files.h"

#include <algorithm>

namespace millrace::sim {
namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}
std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Error missing(const std::string& path) {
  return error(Code::kNotFound, "MR-FILE-0001", path + " is not there");
}
Error dead() {
  return error(Code::kUnavailable, "MR-FILE-0005", "the process that opened the file has ended");
}

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimFiles& files, std::shared_ptr<SimFiles::Inode> inode, Files::Open mode)
      : files_(files), inode_(std::move(inode)), mode_(mode), generation_(files.generation_) {}

  Result<size_t> read_at(uint64_t position, char* out, size_t size) override {
    TRY(alive("read"));
    const std::string& bytes = inode_->seen;
    if (position >= bytes.size()) return size_t{0};
    const size_t n = std::min<size_t>(size, bytes.size() - position);
    std::copy_n(bytes.data() + position, n, out);
    if (mode_ == Files::Open::kDirectRead) see_the_disk(position, out, n);
    return n;
  }
  Status write_at(uint64_t position, std::string_view bytes) override {
    TRY(alive("write"));
    TRY(writable());
    return files_.write(*inode_, position, bytes);
  }
  Status sync() override {
    if (generation_ != files_.generation_) return dead();
    if (auto status = files_.call("sync"); !status.ok()) {
      if (files_.off_) return status;
      inode_->lost.merge(inode_->dirty);
      inode_->dirty.clear();
      return status;
    }
    return files_.sync(*inode_);
  }
  Result<uint64_t> size() override {
    TRY(alive("size"));
    return uint64_t{inode_->seen.size()};
  }
  Status resize(uint64_t size) override {
    TRY(alive("resize"));
    TRY(writable());
    return files_.resize(*inode_, size);
  }
  uint64_t generation() const { return generation_; }

 private:
  Status alive(const char* what) {
    if (generation_ != files_.generation_) return dead();
    return files_.call(what);
  }
  Status writable() const {
    if (mode_ == Files::Open::kWrite || mode_ == Files::Open::kDirectWrite) return {};
    return error(Code::kDenied, "MR-FILE-0003", "the file was opened for reading");
  }
  // Sectors of a failed sync: the page cache shows them, the disk does not have them.
  void see_the_disk(uint64_t position, char* out, size_t size) const {
    for (const uint64_t sector : inode_->lost) {
      for (uint64_t at = sector * SimFiles::kSector; at < (sector + 1) * SimFiles::kSector; ++at) {
        if (at < position || at >= position + size) continue;
        out[at - position] = at < inode_->durable.size() ? inode_->durable[at] : '\0';
      }
    }
  }

  SimFiles& files_;
  std::shared_ptr<SimFiles::Inode> inode_;
  Files::Open mode_;
  uint64_t generation_;
};

SimFiles::SimFiles(uint64_t seed) : random_(seed) {}
SimFiles::~SimFiles() = default;

Status SimFiles::call(const char* what) {
  ++calls_;
  if (off_at_ != 0 && calls_ >= off_at_) off_ = true;
  if (off_) return dead();
  const bool writes = what[0] == 'w' || (what[0] == 's' && what[1] == 'y');
  const bool fails_now = writes && writes_to_failure_ > 0 && --writes_to_failure_ == 0;
  if (!fails_now && (fail_at_ == 0 || calls_ != fail_at_)) return {};
  failed_a_call_ = true;
  return error(fail_code_, fail_code_ == Code::kExhausted ? "MR-FILE-0002" : "MR-FILE-0005",
               std::string("injected failure of a ") + what);
}

void SimFiles::fail_call(uint64_t n, Code code) {
  fail_at_ = n == 0 ? 0 : calls_ + n;
  fail_code_ = code;
  failed_a_call_ = false;
}

Error SimFiles::no_space() {
  refused_space_ = true;
  return error(Code::kExhausted, "MR-FILE-0002", "no space left");
}

uint64_t SimFiles::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [path, inode] : names_) used += inode->seen.size();
  return used;
}

Status SimFiles::write(Inode& inode, uint64_t position, std::string_view bytes) {
  const uint64_t end = position + bytes.size();
  if (end > inode.seen.size()) {
    const uint64_t more = end - inode.seen.size();
    if (used_bytes() + more > capacity_) return no_space();
    inode.seen.resize(end, '\0');
  }
  std::copy(bytes.begin(), bytes.end(), inode.seen.begin() + static_cast<ptrdiff_t>(position));
  for (uint64_t s = position / kSector; s * kSector < end; ++s) {
    inode.dirty.insert(s);
    inode.lost.erase(s);
  }
  return {};
}

Status SimFiles::sync(Inode& inode) {
  inode.durable.resize(inode.seen.size(), '\0');
  for (const uint64_t s : inode.dirty) {
    const uint64_t from = s * kSector;
    if (from >= inode.seen.size()) continue;
    const size_t n = std::min<size_t>(kSector, inode.seen.size() - from);
    inode.durable.replace(from, n, inode.seen, from, n);
  }
  inode.dirty.clear();
  return {};
}

Status SimFiles::resize(Inode& inode, uint64_t size) {
  if (size > inode.seen.size() && used_bytes() + size - inode.seen.size() > capacity_) {
    return no_space();
  }
  inode.seen.resize(size, '\0');
  return {};
}

Result<std::shared_ptr<File>> SimFiles::open(const std::string& path, Open mode) {
  TRY(call("open"));
  auto it = names_.find(path);
  if (it == names_.end()) {
    if (mode == Open::kRead || mode == Open::kDirectRead) return missing(path);
    if (!directories_.contains(directory_of(path))) return missing(directory_of(path));
    it = names_.emplace(path, std::make_shared<Inode>()).first;
    changes_.push_back({directory_of(path), "", path, it->second});
  }
  return std::shared_ptr<File>(std::make_shared<SimFile>(*this, it->second, mode));
}

Result<std::vector<std::string>> SimFiles::list(const std::string& directory) {
  TRY(call("list"));
  if (!directories_.contains(directory)) return missing(directory);
  std::vector<std::string> out;
  for (const auto& [path, inode] : names_) {
    if (directory_of(path) == directory) out.push_back(name_of(path));
  }
  for (const auto& path : directories_) {
    if (directory_of(path) == directory) out.push_back(name_of(path));
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool SimFiles::exists(const std::string& path) {
  return names_.contains(path) || directories_.contains(path);
}

Status SimFiles::make_directories(const std::string& path) {
  TRY(call("make_directories"));
  for (size_t slash = 0; slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    directories_.insert(path.substr(0, slash));
  }
  return {};
}

Status SimFiles::remove(const std::string& path) {
  TRY(call("remove"));
  if (names_.erase(path) == 0) return missing(path);
  changes_.push_back({directory_of(path), path, "", nullptr});
  return {};
}

Status SimFiles::rename(const std::string& from, const std::string& to) {
  TRY(call("rename"));
  const auto it = names_.find(from);
  if (it == names_.end()) return missing(from);
  const auto inode = it->second;
  names_.erase(it);
  names_[to] = inode;
  changes_.push_back({directory_of(to), from, to, inode});
  return {};
}

void SimFiles::apply(std::map<std::string, std::shared_ptr<Inode>>& names, const NameChange& change) const {
  if (!change.from.empty()) names.erase(change.from);
  if (!change.to.empty()) names[change.to] = change.inode;
}

Status SimFiles::sync_directory(const std::string& path) {
  TRY(call("sync_directory"));
  if (!directories_.contains(path)) return missing(path);
  std::erase_if(changes_, [&](const NameChange& change) {
    if (change.directory != path) return false;
    apply(durable_names_, change);
    return true;
  });
  return {};
}

Result<uint64_t> SimFiles::free_bytes(const std::string&) {
  TRY(call("free_bytes"));
  const uint64_t used = used_bytes();
  return capacity_ > used ? capacity_ - used : 0;
}

Result<std::shared_ptr<void>> SimFiles::lock(const std::string& path) {
  TRY(call("lock"));
  if (!locks_[path].expired()) return error(Code::kConflict, "MR-FILE-0006", path + " is locked");
  auto held = std::make_shared<int>(0);
  locks_[path] = held;
  return std::shared_ptr<void>(held);
}

void SimFiles::submit(WriteRequest request) {
  const uint32_t polls = stall_ == 0 ? 0 : static_cast<uint32_t>(random_.below(stall_ + 1));
  pending_.push_back({std::move(request), generation_, polls});
}

void SimFiles::poll(std::vector<WriteCompletion>& out) {
  for (auto& completion : completed_) out.push_back(std::move(completion));
  completed_.clear();
  while (!pending_.empty()) {
    Pending& next = pending_.front();
    if (next.polls_left > 0) {
      --next.polls_left;
      return;
    }
    Status status = next.request.file->write_at(next.request.position, next.request.bytes);
    if (status.ok() && next.request.sync) status = next.request.file->sync();
    out.push_back({next.request.token, std::move(status)});
    pending_.pop_front();
  }
}

void SimFiles::flip_bit(const std::string& path, uint64_t byte, int bit) {
  const auto inode = names_.at(path);
  for (std::string* bytes : {&inode->seen, &inode->durable}) {
    if (byte < bytes->size()) (*bytes)[byte] = static_cast<char>((*bytes)[byte] ^ (1 << bit));
  }
}

std::string SimFiles::durable_content(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() ? std::string() : it->second->durable;
}

// What was submitted may be on its way: some of it reaches the page cache, none of it is synced.
void SimFiles::run_pending_partly() {
  size_t reached = random_.below(pending_.size() + 1);
  for (auto& pending : pending_) {
    if (reached == 0) break;
    --reached;
    (void)pending.request.file->write_at(pending.request.position, pending.request.bytes);
  }
  for (auto& pending : pending_) completed_.push_back({pending.request.token, dead()});
  pending_.clear();
}

void SimFiles::tear(Inode& inode, std::string& result, uint64_t sector) {
  const uint64_t from = sector * kSector;
  if (from >= result.size()) return;
  const size_t n = std::min<size_t>(kSector, result.size() - from);
  const auto kind = random_.below(4);
  for (size_t i = 0; i < n; ++i) {
    const char fresh = from + i < inode.seen.size() ? inode.seen[from + i] : '\0';
    const char old = from + i < inode.durable.size() ? inode.durable[from + i] : '\0';
    if (kind == 0) result[from + i] = i < n / 2 ? fresh : old;
    if (kind == 1) result[from + i] = i < n / 2 ? old : fresh;
    if (kind == 2) result[from + i] = '\0';
    if (kind == 3) result[from + i] = static_cast<char>(random_.next());
  }
}

void SimFiles::settle_after_crash(Inode& inode) {
  std::string result = inode.durable;
  if (inode.seen.size() != result.size() && !random_.chance(2)) result.resize(inode.seen.size(), '\0');
  const auto mood = random_.below(4);  // all kept, all lost, or each by itself
  for (const uint64_t sector : inode.dirty) {
    const uint64_t from = sector * kSector;
    const bool keep = mood == 0 || (mood != 1 && random_.chance(2));
    if (from >= inode.seen.size()) continue;
    const size_t n = std::min<size_t>(kSector, inode.seen.size() - from);
    if (keep) {
      if (result.size() < from + n) result.resize(from + n, '\0');
      result.replace(from, n, inode.seen, from, n);
    } else if (mood != 1 && random_.chance(3)) {
      tear(inode, result, sector);
    }
  }
  inode.durable = inode.seen = std::move(result);
  inode.dirty.clear();
  inode.lost.clear();
}

void SimFiles::end_process(bool power_lost) {
  fail_at_ = 0;
  run_pending_partly();
  ++generation_;
  locks_.clear();
  if (!power_lost) return;
  for (const auto& change : changes_) {
    if (!random_.chance(2)) apply(durable_names_, change);
  }
  changes_.clear();
  names_ = durable_names_;
  std::set<Inode*> settled;
  for (auto& [path, inode] : names_) {
    if (settled.insert(inode.get()).second) settle_after_crash(*inode);
  }
}

void SimFiles::crash() {
  end_process(true);
}
void SimFiles::kill() {
  end_process(false);
}
void SimFiles::power_off() {
  off_ = false;  // what was on its way may still reach the page cache
  off_at_ = 0;
  crash();
  off_ = true;
}
void SimFiles::power_on() {
  off_ = failed_a_call_ = refused_space_ = false;
  off_at_ = 0;
}
void SimFiles::heal() {
  capacity_ = UINT64_MAX;
  stall_ = writes_to_failure_ = 0;
  fail_at_ = off_at_ = 0;
}

}  // namespace millrace::sim
