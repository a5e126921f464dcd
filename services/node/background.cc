#include "node/background.h"

namespace millrace::node {

ThreadBackground::ThreadBackground(size_t max_waiting)
    : max_waiting_(max_waiting), thread_([this] { loop(); }) {}

ThreadBackground::~ThreadBackground() {
  {
    std::lock_guard<std::mutex> hold(mutex_);
    stop_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

bool ThreadBackground::run(std::function<void()> work, std::function<void()> done) {
  {
    std::lock_guard<std::mutex> hold(mutex_);
    if (waiting_.size() >= max_waiting_) return false;
    waiting_.push_back({std::move(work), std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void ThreadBackground::finish() {
  for (;;) {
    {
      std::unique_lock<std::mutex> hold(mutex_);
      idle_.wait(hold, [this] { return waiting_.empty() && !working_; });
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

void ThreadBackground::loop() {
  std::unique_lock<std::mutex> hold(mutex_);
  for (;;) {
    changed_.wait(hold, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    working_ = true;
    hold.unlock();
    piece.work();
    piece.work = nullptr;  // what it kept alive goes here, not on the core loop
    hold.lock();
    working_ = false;
    done_.push_back(std::move(piece.done));
    if (wake_) wake_();
    idle_.notify_all();
  }
}

}  // namespace millrace::node
