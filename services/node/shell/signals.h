// Signals: some of the process's signals as something to wait for, instead of what they would do.
//
// Why:     ctrl-C shall end what is under way, not the process; a terminal shall be put back before the process ends.
// Threads: made before any other thread is. A child process has to call unblock_all() before it becomes another program.
#pragma once

#include <initializer_list>

namespace millrace::cli {

class Signals {
 public:
  explicit Signals(std::initializer_list<int> wanted);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  int fd() const { return fd_; }  // readable while one waits
  bool pending() const;
  int take();                     // its number; 0: none waits
  bool wait_for(double seconds);  // true: one came meanwhile
  static void unblock_all();

 private:
  int fd_ = -1;
};

}  // namespace millrace::cli
