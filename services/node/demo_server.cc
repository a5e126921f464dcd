#include "node/demo_server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "fmt/format.h"
#include "node/shell/signals.h"

namespace millrace::cli {
namespace {

Error cannot_start(const std::string& why) {
  return error(Code::kUnavailable, "MR-CLI-0018", "the demo's server does not start: " + why,
               "a server that is there is used without --serve; another address is chosen with --server");
}

// In the child: until the other program is there.
[[noreturn]] void become_server(const std::string& directory, const std::string& address, pid_t parent) {
  Signals::unblock_all();
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const std::string log = directory + "/server.log", data = directory + "/data";
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (::getppid() != parent) ::_exit(1);
  ::execl("/proc/self/exe", "millrace", "serve", "--data", data.c_str(), "--http", address.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<DemoServer>> DemoServer::start(const std::string& address) {
  std::error_code unknown;
  std::string path = std::filesystem::temp_directory_path(unknown).string() + "/millrace-demo-XXXXXX";
  if (unknown || ::mkdtemp(path.data()) == nullptr) {
    return cannot_start("no temporary directory: " + std::generic_category().message(errno));
  }
  auto server = std::unique_ptr<DemoServer>(new DemoServer(path));
  const pid_t parent = ::getpid();
  server->process_ = ::fork();
  if (server->process_ == 0) become_server(path, address, parent);
  if (server->process_ < 0) return cannot_start(std::generic_category().message(errno));
  return server;
}

DemoServer::~DemoServer() {
  if (!has_ended()) {
    ::kill(process_, SIGTERM);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

bool DemoServer::has_ended() {
  if (process_ > 0 && ::waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
  return process_ < 0;
}

// The server writes the file when it has taken its address: another one that answers there is not taken for it.
bool DemoServer::listens() const {
  return ::access((directory_ + "/data/http.port").c_str(), F_OK) == 0;
}

Error DemoServer::failure() const {
  std::ifstream in(directory_ + "/server.log");
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (line.find("MR-") != std::string::npos || last.empty()) last = line;
  }
  constexpr std::string_view kSaid = "error ";
  if (last.starts_with(kSaid)) last.erase(0, kSaid.size());
  return cannot_start(last.empty() ? "it says nothing" : last);
}

}  // namespace millrace::cli
