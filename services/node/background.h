// ThreadBackground: one thread that takes work which may block, so that the core loop never does.
//
// Bound:   max_waiting pieces; beyond it run() answers false.
// Threads: run(), take_done() and finish() on the core loop; `wake` is called from the thread when
//          take_done() has something.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/serving.h"

namespace millrace::node {

class ThreadBackground final : public engine::Background {
 public:
  explicit ThreadBackground(size_t max_waiting = 1024);
  ~ThreadBackground() override;  // finishes what was begun, drops what waits

  bool run(std::function<void()> work, std::function<void()> done) override;
  void finish() override;
  void take_done();  // runs the `done` of finished work
  void set_wake(std::function<void()> wake);

 private:
  void loop();

  struct Piece {
    std::function<void()> work;
    std::function<void()> done;
  };
  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::deque<Piece> waiting_;
  std::vector<std::function<void()>> done_;
  std::function<void()> wake_;
  bool working_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace millrace::node
