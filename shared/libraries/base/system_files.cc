// The real Files: POSIX calls, and one thread that writes and syncs what was submitted.
//
// Why one thread: the journal has one write under way at a time; a pool or a ring would gain nothing.
// Direct files:   hold a second, ordinary descriptor for the calls that are not aligned, and for filesystems
//                 that refuse O_DIRECT (tmpfs).
// Errors:         a failed sync is reported once and never tried again: the kernel may have dropped the
//                 pages.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/files.h"

namespace millrace {
namespace {

Error system_error(int number, const std::string& doing) {
  const std::string what = doing + ": " + std::generic_category().message(number);
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return error(Code::kNotFound, "MR-FILE-0001", what);
    case ENOSPC:
    case EDQUOT:
      return error(Code::kExhausted, "MR-FILE-0002", what, "free some space on the disk");
    case EACCES:
    case EPERM:
    case EROFS:
      return error(Code::kDenied, "MR-FILE-0003", what, "check the owner and mode of the path");
    default:
      return error(Code::kUnavailable, "MR-FILE-0005", what, "check the disk and the kernel log");
  }
}

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool aligned(uint64_t position, const void* address, size_t size) {
  const uint64_t bits = position | reinterpret_cast<uintptr_t>(address) | size;
  return bits % kDirectAlignment == 0;
}

class SystemFile final : public File {
 public:
  SystemFile(std::string path, int plain, int direct)
      : path_(std::move(path)), plain_(plain), direct_(direct) {}

  Result<size_t> read_at(uint64_t position, char* out, size_t size) override {
    if (direct_.get() >= 0) return read_direct(position, out, size);
    return read_all(plain_.get(), position, out, size);
  }
  Status write_at(uint64_t position, std::string_view bytes) override {
    const bool direct = direct_.get() >= 0 && aligned(position, bytes.data(), bytes.size());
    return write_all(direct ? direct_.get() : plain_.get(), position, bytes);
  }
  Status sync() override {
    if (::fdatasync(plain_.get()) != 0) return system_error(errno, "sync of " + path_);
    return {};
  }
  Result<uint64_t> size() override {
    struct stat info {};
    if (::fstat(plain_.get(), &info) != 0) return system_error(errno, "size of " + path_);
    return static_cast<uint64_t>(info.st_size);
  }
  Status resize(uint64_t size) override {
    if (::ftruncate(plain_.get(), static_cast<off_t>(size)) != 0) {
      return system_error(errno, "resize of " + path_);
    }
    return {};
  }

 private:
  Result<size_t> read_all(int fd, uint64_t position, char* out, size_t size) {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = ::pread(fd, out + done, size - done, static_cast<off_t>(position + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error(errno, "read of " + path_ + " at " + std::to_string(position + done));
      if (n == 0) break;
      done += static_cast<size_t>(n);
      if (fd == direct_.get() && done % kDirectAlignment != 0) break;  // the end of the file
    }
    return done;
  }

  // Reads whole aligned blocks into a bounce buffer of at most 1 MB a turn.
  Result<size_t> read_direct(uint64_t position, char* out, size_t size) {
    constexpr size_t kBounce = 1u << 20;
    const std::unique_ptr<char, decltype(&std::free)> bounce(
        static_cast<char*>(std::aligned_alloc(kDirectAlignment, kBounce)), &std::free);
    size_t done = 0;
    while (done < size) {
      const uint64_t from = (position + done) / kDirectAlignment * kDirectAlignment;
      const size_t skip = position + done - from;
      const size_t want = std::min(
          kBounce, (skip + size - done + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment);
      TRY_ASSIGN(const size_t got, read_all(direct_.get(), from, bounce.get(), want));
      if (got <= skip) break;
      const size_t take = std::min(got - skip, size - done);
      std::copy_n(bounce.get() + skip, take, out + done);
      done += take;
      if (got < want) break;
    }
    return done;
  }

  Status write_all(int fd, uint64_t position, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(position));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error(errno, "write of " + path_ + " at " + std::to_string(position));
      bytes.remove_prefix(static_cast<size_t>(n));
      position += static_cast<uint64_t>(n);
      // A short direct write may leave an odd rest.
      if (fd == direct_.get() && !aligned(position, bytes.data(), bytes.size())) fd = plain_.get();
    }
    return {};
  }

  std::string path_;
  Descriptor plain_;
  Descriptor direct_;
};

// Writer runs submitted requests in order on its own thread.
class Writer {
 public:
  ~Writer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  void submit(WriteRequest request) {
    {
      const std::lock_guard lock(mutex_);
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
      queue_.push_back(std::move(request));
    }
    work_.notify_one();  // without the lock: the thread would wake only to wait for it
  }
  void poll(std::vector<WriteCompletion>& out) {
    const std::lock_guard lock(mutex_);
    for (auto& completion : done_) out.push_back(std::move(completion));
    done_.clear();
  }
  void set_wake(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::make_shared<std::function<void()>>(std::move(wake));
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;  // stopping, and everything written
      WriteRequest request = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      Status status = request.file->write_at(request.position, request.bytes);
      if (status.ok() && request.sync) status = request.file->sync();
      request.file.reset();
      lock.lock();
      done_.push_back({request.token, std::move(status)});
      call_wake(lock);
    }
  }
  void call_wake(std::unique_lock<std::mutex>& lock) {
    const auto wake = wake_;
    if (wake == nullptr || !*wake) return;
    lock.unlock();
    (*wake)();
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable work_;
  // Guarded by mutex_.
  std::deque<WriteRequest> queue_;
  std::vector<WriteCompletion> done_;
  std::shared_ptr<std::function<void()>> wake_;
  bool stopping_ = false;
  std::thread thread_;
};

class SystemFiles final : public Files {
 public:
  Result<std::shared_ptr<File>> open(const std::string& path, Open mode) override {
    const bool writes = mode == Open::kWrite || mode == Open::kDirectWrite;
    const int flags = O_CLOEXEC | (writes ? O_RDWR | O_CREAT : O_RDONLY);
    const int plain = ::open(path.c_str(), flags, 0640);
    if (plain < 0) return system_error(errno, "open of " + path);
    int direct = -1;
    if (mode == Open::kDirectWrite || mode == Open::kDirectRead) {
      direct = ::open(path.c_str(), flags | O_DIRECT, 0640);
    }
    return std::shared_ptr<File>(std::make_shared<SystemFile>(path, plain, direct));
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::error_code failure;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(directory, failure), end; !failure && it != end;
         it.increment(failure)) {
      names.push_back(it->path().filename().string());
    }
    if (failure) return system_error(failure.value(), "listing of " + directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Status make_directories(const std::string& path) override {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) return system_error(failure.value(), "creation of the directory " + path);
    return {};
  }
  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error(errno, "removal of " + path);
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return system_error(errno, "renaming of " + from + " to " + to);
    }
    return {};
  }
  Status sync_directory(const std::string& path) override {
    const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0) return system_error(errno, "open of the directory " + path);
    if (::fsync(directory.get()) != 0) return system_error(errno, "sync of the directory " + path);
    return {};
  }
  Result<uint64_t> free_bytes(const std::string& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return system_error(errno, "free space of " + path);
    return uint64_t{info.f_bavail} * info.f_frsize;
  }
  Result<std::shared_ptr<void>> lock(const std::string& path) override {
    auto held = std::make_shared<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (held->get() < 0) return system_error(errno, "open of the lock " + path);
    if (::flock(held->get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return system_error(errno, "lock of " + path);
      return error(Code::kConflict, "MR-FILE-0006", path + " is locked by another process",
                   "stop the other process, or use another directory");
    }
    return std::shared_ptr<void>(held);
  }

  void submit(WriteRequest request) override { writer_.submit(std::move(request)); }
  void poll(std::vector<WriteCompletion>& out) override { writer_.poll(out); }
  void set_wake(std::function<void()> wake) override { writer_.set_wake(std::move(wake)); }

 private:
  Writer writer_;
};

}  // namespace

std::unique_ptr<Files> make_system_files() {
  return std::make_unique<SystemFiles>();
}

}  // namespace millrace
