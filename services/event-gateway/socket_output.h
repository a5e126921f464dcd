// SocketOutput: bytes on their way to a client: written at once as far as the socket takes them, the rest as it takes more.
//
// Use:     append to `bytes`, then send(); if that answers kPart, go_on(). While the rest is on its way, writing(), `bytes`
//          gathers what comes behind it.
// Bound:   the caller's, by unsent(). A buffer that has grown above kKept is given back once it is empty.
// Threads: the core loop's. The owner, which `progress` keeps alive, calls close() before its transport goes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "event-gateway/transport.h"

namespace millrace::gateway {

class SocketOutput {
 public:
  enum class Sent : uint8_t { kAll, kPart, kFailed };
  using Progress = std::function<void(Sent)>;

  explicit SocketOutput(uint64_t& counter) : counter_(counter) {}

  Sent send(Transport& to);                      // not while writing()
  void go_on(Transport& to, Progress progress);  // hears of every part that was taken, up to kAll or kFailed
  void close() { closed_ = true; }
  bool writing() const { return writing_; }
  size_t unsent() const { return bytes.size() + sending_.size() - sent_; }

  std::string bytes;

 private:
  static constexpr size_t kKept = 1u << 20;
  static void clear(std::string& buffer);

  uint64_t& counter_;  // of bytes sent
  std::string sending_;
  size_t sent_ = 0;
  bool writing_ = false, closed_ = false;
};

}  // namespace millrace::gateway
