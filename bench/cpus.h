// The cores that this process may run on, and a thread that keeps to one of them.
#pragma once

#include <sched.h>

#include <cstddef>
#include <vector>

namespace millrace::bench {

std::vector<size_t> usable_cpus();

// The thread that makes it runs on that core alone until it ends; threads that it starts meanwhile do, too.
class PinnedThread {
 public:
  explicit PinnedThread(size_t cpu);
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;
  ~PinnedThread();

 private:
  cpu_set_t before_;
};

}  // namespace millrace::bench
