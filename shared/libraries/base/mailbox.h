// Mailbox: the bounded queue between two agents. Many may put, one takes.
//
// Bound:   capacity messages; put() answers false when full, and the message stays with the caller. The
//          caller turns that into backpressure, never into a drop.
// Threads: put() from any thread, take_all() from the owner, set_wake() at any time. A leaf lock, held for
//          a swap.
// wake:    called after a put into an empty mailbox, from the putting thread, and by set_wake() if messages
//          are waiting already; must not block.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace millrace {

template <typename Message>
class Mailbox {
 public:
  explicit Mailbox(size_t capacity) : capacity_(capacity) {}

  void set_wake(std::function<void()> wake) {
    bool waiting;
    {
      std::lock_guard<std::mutex> hold(mutex_);
      wake_ = wake;
      waiting = !messages_.empty();
    }
    if (waiting && wake) wake();
  }

  bool put(Message&& message) {
    std::function<void()> wake;
    {
      std::lock_guard<std::mutex> hold(mutex_);
      if (messages_.size() >= capacity_) return false;
      if (messages_.empty()) wake = wake_;
      messages_.push_back(std::move(message));
    }
    if (wake) wake();
    return true;
  }

  // Appends all that is waiting; answers how many.
  size_t take_all(std::vector<Message>& out) {
    std::vector<Message> taken;
    {
      std::lock_guard<std::mutex> hold(mutex_);
      taken.swap(messages_);
    }
    for (auto& message : taken) out.push_back(std::move(message));
    return taken.size();
  }

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::vector<Message> messages_;
  std::function<void()> wake_;
};

}  // namespace millrace
