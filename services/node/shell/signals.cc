#include "node/shell/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/result.h"

namespace millrace::cli {

Signals::Signals(std::initializer_list<int> wanted) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : wanted) ::sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  CHECK(fd_ >= 0, "no descriptor for signals");
}

Signals::~Signals() {
  ::close(fd_);
}

bool Signals::pending() const {
  pollfd one{fd_, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

int Signals::take() {
  signalfd_siginfo info{};
  return ::read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

bool Signals::wait_for(double seconds) {
  pollfd one{fd_, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(std::min(seconds, 1e6) * 1000)) > 0;
}

void Signals::unblock_all() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace millrace::cli
