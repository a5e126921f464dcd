// Stop: tells work on another thread that nobody waits for it any more.
//
// Why:     nobody can end a thread's work but the work: between its batches it looks, and gives up.
// Threads: any. Once requested it stays so.
#pragma once

#include <atomic>
#include <cstddef>

namespace millrace {

class Stop {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

// For loops over rows: looks at every few thousandth.
class StopPoll {
 public:
  explicit StopPoll(const Stop* stop) : stop_(stop) {}
  bool stopped() { return ++rows_ % kRows == 0 && is_requested(); }
  bool is_requested() const { return stop_ != nullptr && stop_->requested(); }

 private:
  static constexpr size_t kRows = 4096;
  const Stop* stop_;
  size_t rows_ = 0;
};

}  // namespace millrace
