// WebSocket frames (RFC 6455), a server's side of them: bytes in, messages and control frames out; and back.
//
// Use:     next() with the unconsumed input (all of it, again and longer, while it wants more); it takes what it can and
//          says what has become whole. A message is valid until message_done().
// Refused: what a client must not send: frames without a mask, reserved bits and opcodes, lengths that are not written in
//          their shortest form, control frames that are fragmented or longer than 125 bytes, a message inside a message,
//          close codes that do not exist, texts that are not UTF-8. Each with the close code that answers it.
// UTF-8:   a message is judged when it is whole: a character may be divided between fragments. A compressed one by who
//          inflates it.
// Bound:   a message, all its fragments together, by `max_message`, before its bytes are taken.
// Threads: confined; pure, it reads no clock and no socket.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "event-gateway/body_buffer.h"

namespace millrace::gateway {

enum class WsOpcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

// The close codes that this server sends.
enum class WsClose : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocol = 1002,
  kUnsupported = 1003,  // a binary message
  kNoStatus = 1005,     // never sent: a close frame without a code
  kNotUtf8 = 1007,
  kPolicy = 1008,  // the client keeps the server waiting
  kTooLarge = 1009,
  kTryLater = 1013,
};

constexpr size_t kWsMaxControl = 125;

class WsDecoder {
 public:
  enum class Got : uint8_t { kMore, kMessage, kPing, kPong, kClose, kBad };

  WsDecoder(size_t max_message, bool compression) : max_message_(max_message), compression_(compression) {}

  Got next(std::string_view input, size_t& used);

  // After kMessage: with Buffer::kPadding readable bytes behind it.
  std::string_view message() const { return message_.view(); }
  bool is_text() const { return opcode_ == WsOpcode::kText; }
  bool is_compressed() const { return compressed_; }
  void message_done() { message_.clear(); }
  // Messages from here on, and what there is of one, are passed over, whatever their size or text; control frames go on.
  void discard();
  size_t held_bytes() const { return message_.size(); }

  std::string_view control() const { return {control_.data(), control_size_}; }  // after kPing, kPong
  WsClose close_code() const { return close_; }  // after kClose the peer's; after kBad what answers it
  std::string_view complaint() const { return complaint_; }  // after kBad; static storage

 private:
  Got begin_frame(std::string_view input, size_t& used);
  Got payload(std::string_view input, size_t& used);
  Got end_frame();
  Got close_frame();
  Got bad(WsClose code, std::string_view why);
  bool in_control() const { return (static_cast<uint8_t>(frame_) & 8) != 0; }

  const size_t max_message_;
  const bool compression_;
  BodyBuffer message_;
  std::array<char, kWsMaxControl> control_{};
  size_t control_size_ = 0;

  bool in_frame_ = false, in_message_ = false, failed_ = false, discards_ = false;
  bool final_ = false, compressed_ = false;
  WsOpcode opcode_ = WsOpcode::kText;  // the message's
  WsOpcode frame_ = WsOpcode::kText;   // the frame's
  uint64_t left_ = 0;                  // of the frame's payload
  std::array<char, 4> mask_{};
  size_t mask_at_ = 0;
  WsClose close_ = WsClose::kNoStatus;
  std::string_view complaint_;
};

// One whole frame, without a mask.
void append_ws_frame(std::string& out, WsOpcode opcode, std::string_view payload, bool compressed = false);
// `reason` is shortened to what fits, never inside a character.
void append_ws_close(std::string& out, WsClose code, std::string_view reason);

}  // namespace millrace::gateway
