// TlsSession: one client's TLS, the server's side: records taken apart and put together. Reads from what it was given,
// writes to its socket.
//
// Why:     OpenSSL alone, without Asio's stream around it: that one's direct write loses bytes when the socket is full, and
//          a direct write is what keeps an answer from waiting for another turn of the loop.
// Use:     room() and received() bring bytes from the wire; then shake() until it is done, read(), write(). kWantsInput: call
//          again when more was received; kWantsRoom: when the socket takes bytes again.
// Bound:   what was received and not read is at most a record (16 KiB); OpenSSL's buffers are given back while it is idle.
// Threads: the core loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "event-gateway/tls_context.h"

struct ssl_st;

namespace millrace::gateway {

class TlsSession {
 public:
  // kEnded: the peer has said that nothing more comes. kFailed: for good.
  enum class Step : uint8_t { kDone, kWantsInput, kWantsRoom, kEnded, kFailed };

  TlsSession(std::shared_ptr<const TlsContext> context, int socket);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  std::span<char> room();
  void received(size_t bytes);
  bool begins_as_text() const;  // the first byte received is a letter: no TLS
  bool has_input() const;       // a read may find something without more being received

  Step shake();
  Step read(char* to, size_t room, size_t& got);  // kDone: `got` is above 0
  // As much as the socket takes, at most a record. After kWantsRoom the next write has to begin with the same bytes.
  Step write(std::string_view bytes, size_t& took);
  void say_end();  // close_notify, if the socket takes it

 private:
  friend struct TlsWire;

  Step step_of(int result);

  const std::shared_ptr<const TlsContext> context_;
  const int socket_;
  ssl_st* ssl_;
  std::vector<char> input_;
  size_t begin_ = 0, end_ = 0;
  bool failed_ = false;
};

}  // namespace millrace::gateway
