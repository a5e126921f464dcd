#include "node/background.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace millrace::node {

ThreadBackground::ThreadBackground(size_t max_waiting, int nice) : max_waiting_(max_waiting) {
  for (size_t lane = 0; lane < queues_.size(); ++lane) {
    queues_[lane].thread = std::thread([this, lane, nice] {
      if (nice != 0) (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);  // best effort
      loop(queues_[lane]);
    });
  }
}

ThreadBackground::~ThreadBackground() {
  {
    std::lock_guard<std::mutex> hold(mutex_);
    stop_ = true;
    for (auto& queue : queues_) queue.waiting.clear();
  }
  for (auto& queue : queues_) {
    queue.changed.notify_all();
    queue.thread.join();
  }
}

bool ThreadBackground::run(engine::Lane lane, std::function<void()> work, std::function<void()> done) {
  Queue& queue = queues_[static_cast<size_t>(lane)];
  {
    std::lock_guard<std::mutex> hold(mutex_);
    if (queue.waiting.size() >= max_waiting_) return false;
    queue.waiting.push_back({std::move(work), std::move(done)});
  }
  queue.changed.notify_one();
  return true;
}

bool ThreadBackground::quiet() const {
  return std::all_of(queues_.begin(), queues_.end(),
                     [](const Queue& queue) { return queue.waiting.empty() && !queue.working; });
}

void ThreadBackground::finish() {
  for (;;) {
    {
      std::unique_lock<std::mutex> hold(mutex_);
      idle_.wait(hold, [this] { return quiet(); });
      if (done_.empty()) return;
    }
    take_done();
  }
}

void ThreadBackground::take_done() {
  std::vector<std::function<void()>> ready;
  {
    std::lock_guard<std::mutex> hold(mutex_);
    ready.swap(done_);
  }
  for (auto& done : ready) done();
}

void ThreadBackground::set_wake(std::function<void()> wake) {
  std::lock_guard<std::mutex> hold(mutex_);
  wake_ = std::move(wake);
}

void ThreadBackground::loop(Queue& queue) {
  std::unique_lock<std::mutex> hold(mutex_);
  for (;;) {
    queue.changed.wait(hold, [&] { return stop_ || !queue.waiting.empty(); });
    if (stop_) return;
    Piece piece = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    queue.working = true;
    hold.unlock();
    piece.work();
    piece.work = nullptr;  // what it kept alive goes here, not on the core loop
    hold.lock();
    queue.working = false;
    done_.push_back(std::move(piece.done));
    if (wake_) wake_();
    idle_.notify_all();
  }
}

}  // namespace millrace::node
