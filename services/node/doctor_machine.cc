// millrace doctor: the machine, and the address on it.
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>

#include "log/segment_scan.h"
#include "node/doctor.h"
#include "node/kernel_file.h"
#include "node/machine_memory.h"

namespace millrace::cli {
namespace {

double usable_cores(Files& files) {
  cpu_set_t set;
  CPU_ZERO(&set);
  double cores =
      ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : ::sysconf(_SC_NPROCESSORS_ONLN);
  double quota = 0, period = 0;
  const auto limit = node::read_kernel_file(files, "/sys/fs/cgroup/cpu.max");  // "max 100000": none
  if (limit.ok() && std::sscanf(limit->c_str(), "%lf %lf", &quota, &period) == 2 && period > 0) {
    cores = std::min(cores, quota / period);
  }
  return cores;
}

// The newest frame's time, or of a journal that is long to read one that is not newer; 0 without a journal.
Result<AppendTime> end_of_journal(Files& files, const Clock& clock, const std::string& journal) {
  TRY_ASSIGN(const auto names, files.list(journal));
  const auto last =
      std::find_if(names.rbegin(), names.rend(), [](const auto& name) { return log::segment_id(name); });
  if (last == names.rend()) return AppendTime{0};
  TRY_ASSIGN(const auto file, files.open(log::path_in(journal, *last), Files::Open::kRead));
  TRY_ASSIGN(const auto header, log::read_segment_header(*file));
  if (!header) return AppendTime{0};
  AppendTime newest = header->time;
  log::ScanRequest request;
  request.segment = header->id;
  request.first = header->first;
  request.frames_begin = header->frames_begin;
  request.salt = header->salt;
  const int64_t until = clock.monotonic_ns() + static_cast<int64_t>(kJournalSeconds * 1e9);
  const auto scanned = log::scan_segment(*file, request, [&](const log::ScannedFrame& frame) -> Status {
    newest = frame.header.time;
    if (clock.monotonic_ns() < until) return {};
    return error(Code::kCancelled, "", "enough");
  });
  if (!scanned.ok() && scanned.error().code != Code::kCancelled) return scanned.error();
  return newest;
}

Finding look_at_clock(Files& files, const Clock& clock, const std::string& data) {
  timespec monotonic{}, real{};
  ::clock_getres(CLOCK_MONOTONIC, &monotonic);
  ::clock_getres(CLOCK_REALTIME, &real);
  timex state{};
  const bool synchronised = ::adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  const auto newest = end_of_journal(files, clock, data + "/journal");
  const auto nanoseconds = [](const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  return judge_clock(clock.wall_us(), newest.ok() ? newest->value : 0, synchronised,
                     std::max(nanoseconds(monotonic), nanoseconds(real)));
}

// Listens as the server does, and stops at once. 0, or why it cannot.
int try_to_listen(const addrinfo& where) {
  const int fd = ::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool good = ::bind(fd, where.ai_addr, where.ai_addrlen) == 0 && ::listen(fd, 1) == 0;
  const int reason = good ? 0 : errno;
  ::close(fd);
  return reason;
}

std::string todo_of(int reason) {
  switch (reason) {
    case EADDRINUSE:
      return "another process listens there: stop it, or take another port";
    case EADDRNOTAVAIL:
      return "this machine has no such address: see `ip address`";
    case EACCES:
      return "ports below 1024 need a right of their own (AmbientCapabilities=CAP_NET_BIND_SERVICE): take "
             "another";
    default:
      return "name another with --http";
  }
}

bool is_loopback(const addrinfo& where) {
  if (where.ai_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(where.ai_addr)->sin6_addr) != 0;
  }
  return ntohl(reinterpret_cast<const sockaddr_in*>(where.ai_addr)->sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

std::vector<Finding> look_at_machine(Files& files, const Clock& clock, const std::string& data) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto pages = node::read_kernel_file(files, "/sys/kernel/mm/transparent_hugepage/enabled");
  return {judge_open_files(limit.rlim_max), judge_memory(node::machine_memory_bytes(files)),
          judge_cores(usable_cores(files)), judge_huge_pages(pages.ok() ? *pages : ""),
          look_at_clock(files, clock, data)};
}

Finding look_at_address(const node::ListenAddress& address) {
  std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (host.empty() ||
      ::getaddrinfo(host.c_str(), fmt::format("{}", address.port).c_str(), &wanted, &found) != 0) {
    return {"address", Health::kFail, fmt::format("\"{}\" is not an IP address", host),
            "write it like 127.0.0.1"};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> where(found, &::freeaddrinfo);
  const std::string name = fmt::format("{}:{}", address.host, address.port);
  if (const int reason = try_to_listen(*where); reason != 0) {
    return {"address", Health::kFail,
            fmt::format("cannot listen on {}: {}", name, std::generic_category().message(reason)),
            todo_of(reason)};
  }
  if (is_loopback(*where)) return {"address", Health::kOk, name + " is free"};
  return {"address", Health::kOk, name + " is free; others reach it: `serve` wants --tokens FILE"};
}

}  // namespace millrace::cli
