#include "bench/cpus.h"

namespace millrace::bench {
namespace {

cpu_set_t cpus_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}

}  // namespace

std::vector<size_t> usable_cpus() {
  const cpu_set_t set = cpus_of_this_thread();
  std::vector<size_t> cpus;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

PinnedThread::PinnedThread(size_t cpu) : before_(cpus_of_this_thread()) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

PinnedThread::~PinnedThread() {
  ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace millrace::bench
