#include "bench/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include "bench/loadgen.h"
#include "fmt/format.h"
#include "net/http_client.h"

namespace millrace::bench {
namespace {

constexpr double kNsPerMs = 1e6;

// Only calls that are safe after a fork.
[[noreturn]] void become(const std::vector<std::string>& arguments, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // an interrupted bench leaves no server behind
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::dup2(log, STDERR_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

std::string tail_of(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  const std::string all = text.str();
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

Result<net::HttpAnswer> get(uint16_t port, const std::string& target, const std::string& token = {}) {
  net::HttpClient client({"127.0.0.1", port}, {.token = token,
                                               .connect = std::chrono::milliseconds(1000),
                                               .answer = std::chrono::milliseconds(10'000)});
  return client.call({"GET", target, {}, {}});
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(std::vector<std::string> arguments,
                                                            const std::string& directory,
                                                            double ready_within_s) {
  std::unique_ptr<ServerProcess> server(new ServerProcess());
  const std::string port_file = directory + "/http.port";
  std::error_code ignored;
  std::filesystem::remove(port_file, ignored);
  server->log_ = directory + ".log";
  arguments.insert(arguments.begin(), "millrace");
  const int log = ::open(server->log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  const int64_t started = monotonic_ns();
  server->pid_ = ::fork();
  if (server->pid_ == 0) become(arguments, log);
  ::close(log);
  if (server->pid_ < 0) return error(Code::kUnavailable, "MR-BENCH-0007", "cannot start a process");
  TRY(server->wait_ready(directory, ready_within_s, started));
  return server;
}

Status ServerProcess::wait_ready(const std::string& directory, double within_s, int64_t started) {
  while (static_cast<double>(monotonic_ns() - started) < within_s * 1e9) {
    if (port_ == 0) {
      std::ifstream in(directory + "/http.port");
      in >> port_;
    }
    if (port_ != 0) {
      const auto answer = get(port_, "/readyz");
      if (answer.ok() && answer->status == 200) {
        ready_ms_ = static_cast<double>(monotonic_ns() - started) / kNsPerMs;
        return {};
      }
    }
    if (has_ended()) {
      return error(Code::kUnavailable, "MR-BENCH-0008", "the server ended at its start", tail_of(log_));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return error(Code::kDeadline, "MR-BENCH-0009", fmt::format("the server was not ready after {} s", within_s),
               tail_of(log_));
}

bool ServerProcess::has_ended() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

ServerProcess::~ServerProcess() {
  kill_hard();
}

void ServerProcess::kill_hard() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Status ServerProcess::stop() {
  if (pid_ <= 0) return {};
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 3000; ++i) {
    if (has_ended()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return error(Code::kDeadline, "MR-BENCH-0010", "the server does not end", tail_of(log_));
}

double ServerProcess::rss_mb() const {
  return resident_mb(pid_);
}

double resident_mb(int pid) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

double ServerProcess::cpu_seconds() const {
  std::ifstream in(fmt::format("/proc/{}/stat", pid_));
  std::string text;
  std::getline(in, text);
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::string field;
  double ticks = 0;
  for (int i = 0; i < 13 && fields >> field; ++i) {
    if (i >= 11) ticks += std::strtod(field.c_str(), nullptr);  // utime, stime
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Status ServerProcess::sql(const std::string& text, const std::string& token) const {
  net::HttpClient client({"127.0.0.1", port_}, {.token = token});
  TRY_ASSIGN(const auto answer,
             client.call({"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, text}));
  if (answer.status >= 300) {
    return error(Code::kInvalid, "MR-BENCH-0011",
                 fmt::format("{}: {} {}", text.substr(0, 120), answer.status, answer.body));
  }
  return {};
}

Result<std::string> ServerProcess::metrics(const std::string& token) const {
  TRY_ASSIGN(auto answer, get(port_, "/metrics", token));
  if (answer.status != 200) return error(Code::kUnavailable, "MR-BENCH-0012", "/metrics: " + answer.body);
  return std::move(answer.body);
}

double metric_value(const std::string& metrics, const std::string& name, double missing) {
  double sum = 0;
  bool found = false;
  std::istringstream in(metrics);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name) || line.size() == name.size()) continue;
    const char next = line[name.size()];
    if (next != ' ' && next != '{') continue;
    sum += std::strtod(line.c_str() + line.rfind(' ') + 1, nullptr);
    found = true;
  }
  return found ? sum : missing;
}

Result<Scratch> Scratch::make(const std::string& parent, const std::string& name) {
  const std::string base = parent.empty() ? std::filesystem::temp_directory_path().string() : parent;
  std::error_code failure;
  std::filesystem::create_directories(base, failure);
  std::string path = std::filesystem::absolute(base + "/" + name + "-XXXXXX").string();
  if (failure || ::mkdtemp(path.data()) == nullptr) {
    return error(Code::kUnavailable, "MR-BENCH-0013", "cannot make a directory in " + base);
  }
  return Scratch(std::move(path));
}

Scratch::~Scratch() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  std::filesystem::remove(path_ + ".log", ignored);
}

double Scratch::free_gb() const {
  struct statvfs info {};
  if (::statvfs(path_.c_str(), &info) != 0) return 0;
  return static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize) / 1e9;
}

}  // namespace millrace::bench
