// ThreadBackground: a thread a lane that takes work which may block, so that the core loop never does.
//
// Why two: a window's rows, or a SELECT's, must not wait for a snapshot's sync. Both run at a lower priority than the
//          core loop, or a piece would hold one of few cores while events wait.
// Bound:   max_waiting pieces a lane; beyond it run() answers false.
// Threads: run(), take_done() and finish() on the core loop; `wake` is called from the threads when
//          take_done() has something.
#pragma once

#include <array>
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
  // Behind what is waited for in microseconds: at equal rights a piece holds a core for a whole slice of time.
  static constexpr int kNice = 10;

  explicit ThreadBackground(size_t max_waiting = 1024, int nice = kNice);  // 0: as the process
  ~ThreadBackground() override;  // finishes what was begun, drops what waits

  bool run(engine::Lane lane, std::function<void()> work, std::function<void()> done) override;
  void finish() override;
  void take_done();  // runs the `done` of finished work
  void set_wake(std::function<void()> wake);

 private:
  struct Piece {
    std::function<void()> work;
    std::function<void()> done;
  };
  struct Queue {
    std::condition_variable changed;
    std::deque<Piece> waiting;
    bool working = false;
    std::thread thread;
  };
  void loop(Queue& queue);
  bool quiet() const;

  const size_t max_waiting_;
  std::mutex mutex_;  // guards all of what follows
  std::condition_variable idle_;
  std::vector<std::function<void()>> done_;
  std::function<void()> wake_;
  bool stop_ = false;
  std::array<Queue, engine::kLanes> queues_;
};

}  // namespace millrace::node
