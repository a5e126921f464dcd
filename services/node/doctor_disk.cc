// millrace doctor: the data directory, and the disk that it is on.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "node/doctor.h"

namespace millrace::cli {
namespace {

constexpr size_t kProbes = 300;

// Ctrl-C and a kill wait while it lives, so that no file stays behind; then they do what they always do.
class SignalsHeld {
 public:
  SignalsHeld() {
    ::sigemptyset(&held_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&held_, signal);
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  bool any() const {
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1 ||
           ::sigismember(&pending, SIGHUP) == 1;
  }

 private:
  sigset_t held_{};
  sigset_t before_{};
};

// A file that is gone when this ends. Its name is always the same: what a kill -9 left, the next one takes away.
class ProbeFile {
 public:
  ProbeFile(Files& files, const std::string& directory)
      : files_(files), path_(directory + "/.millrace-doctor") {}
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;
  ~ProbeFile() { (void)files_.remove(path_).ok(); }
  Result<std::shared_ptr<File>> open() {
    (void)files_.remove(path_).ok();  // a link that somebody made of it is not followed
    return files_.open(path_, Files::Open::kDirectWrite);
  }

 private:
  Files& files_;
  const std::string path_;
};

// As the journal writes: past the page cache, over blocks that the file has already.
Result<std::vector<int64_t>> measure_syncs(Files& files, const Clock& clock, const std::string& directory) {
  const SignalsHeld signals;
  ProbeFile probe(files, directory);
  TRY_ASSIGN(const auto file, probe.open());
  const size_t size = kProbes * kDirectAlignment;
  const std::unique_ptr<char, decltype(&std::free)> zeros(
      static_cast<char*>(std::aligned_alloc(kDirectAlignment, size)), &std::free);
  std::fill_n(zeros.get(), size, '\0');
  TRY(file->write_at(0, {zeros.get(), size}));
  TRY(file->sync());
  std::vector<int64_t> took;
  const int64_t until = clock.monotonic_ns() + static_cast<int64_t>(kSyncSeconds * 1e9);
  while (took.empty() || (took.size() < kProbes && !signals.any() && clock.monotonic_ns() < until)) {
    const int64_t begin = clock.monotonic_ns();
    TRY(file->write_at(took.size() * kDirectAlignment, {zeros.get(), kDirectAlignment}));
    TRY(file->sync());
    took.push_back(clock.monotonic_ns() - begin);
  }
  return took;
}

// The directory itself, or that in which it will be made.
std::string nearest(const std::string& data) {
  std::error_code ignored;
  auto path = std::filesystem::absolute(data, ignored).lexically_normal();
  while (!std::filesystem::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path.string();
}

Finding look_at_directory(Files& files, const std::string& data, const std::string& at) {
  struct stat info {};
  if (::stat(at.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
    return {"directory", Health::kFail, at + " is no directory", "name another with --data"};
  }
  if (::access(at.c_str(), W_OK | X_OK) != 0) {
    return {"directory", Health::kFail,
            fmt::format("{} cannot be written to: {}", at, std::generic_category().message(errno)),
            "change its owner or mode, or name another with --data"};
  }
  if (!files.exists(data)) return {"directory", Health::kOk, fmt::format("{} will be made in {}", data, at)};
  return {"directory", Health::kOk,
          data + (files.exists(data + "/VERSION") ? " holds a node's data" : " is there")};
}

// A shared lock for a moment: it makes no file, and tells also of a node in another container.
Finding look_at_lock(const std::string& data) {
  const int fd = ::open((data + "/LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {"lock", Health::kOk, "no node has used the directory"};
  const bool taken = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  if (!taken) return {"lock", Health::kOk, "no node uses the directory now"};
  return {"lock", Health::kFail, "a node uses the directory now", "stop it, or name another with --data"};
}

}  // namespace

std::vector<Finding> look_at_disk(Files& files, const Clock& clock, const std::string& data) {
  const std::string at = nearest(data);
  std::vector<Finding> found = {look_at_directory(files, data, at)};
  if (found.front().health == Health::kFail) return found;
  found.push_back(look_at_lock(data));
  struct statfs info {};
  if (::statfs(at.c_str(), &info) == 0) {
    found.push_back(judge_file_system(static_cast<uint32_t>(info.f_type)));
  }
  const auto space = files.free_bytes(at);
  if (space.ok()) found.push_back(judge_space(*space));
  const auto took = measure_syncs(files, clock, at);
  if (took.ok()) {
    found.push_back(judge_syncs(*took));
  } else {
    found.push_back({"sync", Health::kFail, took.error().message, took.error().hint});
  }
  return found;
}

}  // namespace millrace::cli
