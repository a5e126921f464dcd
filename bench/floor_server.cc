#include "bench/floor_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

#include "fmt/format.h"

namespace millrace::bench {
namespace {

constexpr size_t kBlock = 4096;
constexpr size_t kGroup = 8u << 20;
constexpr uint64_t kFileBytes = 256u << 20;
constexpr std::string_view kOkBody = R"({"accepted":25,"durability":"disk"})";
const std::string kOk =
    fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                kOkBody.size(), kOkBody);
constexpr std::string_view kReady = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

Error broken(const std::string& doing) {
  return error(Code::kUnavailable, "MR-BENCH-0006", doing + ": " + std::generic_category().message(errno));
}

using AlignedBytes = std::unique_ptr<char, decltype(&std::free)>;
AlignedBytes aligned(size_t bytes) {
  return {static_cast<char*>(std::aligned_alloc(kBlock, bytes)), &std::free};
}

// Disk writes one group at a time on its own thread and rings a bell.
class Disk {
 public:
  ~Disk() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    work_.notify_one();
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
    ::close(bell_);
  }
  Status open(const std::string& path) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_DIRECT, 0640);
    if (fd_ < 0)
      fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);  // tmpfs knows no direct writes
    if (fd_ < 0) return broken("opening " + path);
    const auto zeros = aligned(kGroup);
    std::memset(zeros.get(), 0, kGroup);
    for (uint64_t at = 0; at < kFileBytes; at += kGroup) {
      if (::pwrite(fd_, zeros.get(), kGroup, static_cast<off_t>(at)) < 0) return broken("writing " + path);
    }
    if (::fsync(fd_) != 0) return broken("syncing " + path);
    bell_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    thread_ = std::thread([this] { run(); });
    return {};
  }
  int bell() const { return bell_; }
  void write(const char* bytes, size_t size) {
    {
      const std::lock_guard lock(mutex_);
      bytes_ = bytes;
      size_ = size;
    }
    work_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return stop_ || size_ > 0; });
      if (stop_) return;
      lock.unlock();
      if (position_ + size_ > kFileBytes) position_ = 0;
      const bool good =
          ::pwrite(fd_, bytes_, size_, static_cast<off_t>(position_)) == static_cast<ssize_t>(size_) &&
          ::fdatasync(fd_) == 0;
      if (!good) std::abort();  // nothing may be answered after a failed sync
      position_ += size_;
      lock.lock();
      size_ = 0;
      const uint64_t one = 1;
      if (::write(bell_, &one, sizeof one) < 0) std::abort();
    }
  }
  int fd_ = -1, bell_ = -1;
  uint64_t position_ = 0;
  std::mutex mutex_;
  std::condition_variable work_;
  const char* bytes_ = nullptr;  // guarded by mutex_, as what follows
  size_t size_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

class FloorServer {
 public:
  Status open(const std::string& directory) {
    TRY(disk_.open(directory + "/floor.log"));
    TRY(listen(directory));
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    watch(listener_);
    watch(disk_.bell());
    return {};
  }

  Status run() {
    epoll_event events[128];
    while (true) {
      const int n = ::epoll_wait(epoll_, events, 128, -1);
      if (n < 0 && errno != EINTR) return broken("epoll");
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener_) {
          accept();
        } else if (fd == disk_.bell()) {
          on_synced();
        } else {
          on_readable(fd);
        }
      }
      if (!writing_ && !open_.waiting.empty()) start_write();
    }
  }

 private:
  struct GroupBuffer {
    AlignedBytes bytes = aligned(kGroup);
    size_t size = 0;
    std::vector<int> waiting;  // whose answers it carries
    std::string rows;          // for the subscriber
  };

  Status listen(const std::string& directory) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      return broken("listening");
    }
    std::ofstream(directory + "/http.port") << ntohs(address.sin_port) << "\n";
    return {};
  }
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  void accept() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
  }
  void on_readable(int fd) {
    char piece[64 << 10];
    const ssize_t n = ::recv(fd, piece, sizeof piece, 0);
    if (n <= 0) {
      if (n < 0 && errno == EAGAIN) return;
      ::close(fd);
      inputs_.erase(fd);
      if (fd == subscriber_) subscriber_ = -1;
      return;
    }
    std::string& in = inputs_[fd];
    in.append(piece, static_cast<size_t>(n));
    const size_t head_end = in.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    const size_t at = in.find("Content-Length: ");
    const size_t length = at < head_end ? std::strtoull(in.c_str() + at + 16, nullptr, 10) : 0;
    if (in.size() < head_end + 4 + length) return;
    on_request(fd, in, std::string_view(in).substr(head_end + 4, length));
    in.clear();
  }
  void on_request(int fd, std::string_view head, std::string_view body) {
    if (head.starts_with("POST /v1/sql")) {
      subscriber_ = fd;
      send(fd, kStream);
    } else if (head.starts_with("POST ")) {
      append(fd, body);
    } else {
      send(fd, kReady);
    }
  }
  void append(int fd, std::string_view body) {
    if (open_.size + body.size() + kBlock > kGroup)
      std::abort();  // the load is 16 connections with one request each
    std::memcpy(open_.bytes.get() + open_.size, body.data(), body.size());
    open_.size += body.size();
    open_.waiting.push_back(fd);
    for (size_t from = 0; from < body.size();) {
      const size_t end = body.find('\n', from);
      const std::string_view event = body.substr(from, end - from);
      if (event.find("\"sel\":0") != std::string_view::npos) {
        open_.rows.append("data: ").append(event.substr(0, event.find(",\"pad\""))).append("}\n\n");
      }
      from = end + 1;
    }
  }
  void start_write() {
    std::swap(open_, written_);
    open_.size = 0;
    open_.waiting.clear();
    open_.rows.clear();
    const size_t whole = (written_.size + kBlock - 1) / kBlock * kBlock;
    writing_ = true;
    disk_.write(written_.bytes.get(), whole);
  }
  void on_synced() {
    uint64_t count = 0;
    if (::read(disk_.bell(), &count, sizeof count) < 0) return;
    writing_ = false;
    if (subscriber_ >= 0 && !written_.rows.empty()) {
      send(subscriber_, fmt::format("{:x}\r\n{}\r\n", written_.rows.size(), written_.rows));
    }
    for (const int fd : written_.waiting) send(fd, kOk);
    written_.waiting.clear();
  }
  // The answers are small and the generator reads at once: a full socket would be a fault of the bench.
  static void send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return;
      if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
    }
  }

  Disk disk_;
  int listener_ = -1, epoll_ = -1, subscriber_ = -1;
  std::unordered_map<int, std::string> inputs_;
  GroupBuffer open_, written_;
  bool writing_ = false;
};

}  // namespace

Status run_floor_server(const std::string& directory) {
  FloorServer server;
  TRY(server.open(directory));
  return server.run();
}

}  // namespace millrace::bench
