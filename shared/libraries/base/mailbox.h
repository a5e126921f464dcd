// Mailbox: the bounded queue between two agents. Many may put, one takes.
//
// Bound:   capacity messages; put() answers false when full, and the message stays with the caller. The
// caller turns
//          that into backpressure, never into a drop.
// Threads: put() from any thread, take_all() from the owner. A leaf lock, held for a swap.
// wake:    called after a put into an empty mailbox, from the putting thread; must not block.
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

  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  bool put(Message&& message) {
    bool was_empty;
    {
      std::lock_guard<std::mutex> hold(mutex_);
      if (messages_.size() >= capacity_) return false;
      was_empty = messages_.empty();
      messages_.push_back(std::move(message));
    }
    if (was_empty && wake_) wake_();
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
