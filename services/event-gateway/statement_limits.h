// StatementLimits: how long the statements of a SqlService may read, and how many are at it.
//
// Work:    one statement's, wherever it is done: it counts as running until the last piece of it has let go.
// Bound:   what runs is bounded by Background; here is an entry for each.
// Threads: the core loop; a Work may end on any thread, after the limits, too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "base/result.h"
#include "base/stop.h"

namespace millrace::gateway {

class StatementLimits {
 public:
  class Work {
   public:
    explicit Work(std::shared_ptr<std::atomic<int64_t>> running) : running_(std::move(running)) {
      ++*running_;
    }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    ~Work() { --*running_; }

    Stop stop;
    // Frees what waits for its turn on another thread. Called on the loop when the work is stopped.
    std::function<void()> let_go;

   private:
    const std::shared_ptr<std::atomic<int64_t>> running_;
  };
  class Timed {
   public:
    virtual ~Timed() = default;
    virtual void expire() = 0;
  };

  std::shared_ptr<Work> begin() { return std::make_shared<Work>(running_); }
  void watch(int64_t deadline_ns, Timed& statement) { deadlines_.emplace(deadline_ns, &statement); }
  void forget(int64_t deadline_ns, Timed& statement) { deadlines_.erase({deadline_ns, &statement}); }
  bool watches() const { return !deadlines_.empty(); }
  int64_t next_deadline_ns() const { return deadlines_.empty() ? INT64_MAX : deadlines_.begin()->first; }
  void expire(int64_t now_ns);
  int64_t running() const { return running_->load(); }

  uint64_t timed_out = 0, cancelled = 0;

 private:
  std::set<std::pair<int64_t, Timed*>> deadlines_;
  std::shared_ptr<std::atomic<int64_t>> running_ = std::make_shared<std::atomic<int64_t>>(0);
};

Error statement_timed_out(int64_t after_ns);  // MR-QRY-0010

}  // namespace millrace::gateway
