#include "event-gateway/websocket_frame.h"

#include <algorithm>
#include <cstring>

#include "event/text.h"
#include "formats/text_types.h"

namespace millrace::gateway {
namespace {

constexpr size_t kMaskBytes = 4;
constexpr uint8_t kFin = 0x80, kReserved = 0x70, kCompressed = 0x40, kMasked = 0x80;
constexpr uint8_t kLength16 = 126, kLength64 = 127;

uint64_t read_number(const char* p, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(p[i]);
  return value;
}

void append_number(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// Eight bytes at a time; `at`: which of the mask's bytes is first.
void unmask(char* to, std::string_view from, const std::array<char, kMaskBytes>& mask, size_t at) {
  std::array<char, 8> turned;
  for (size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(at + i) % kMaskBytes];
  uint64_t key;
  std::memcpy(&key, turned.data(), sizeof key);
  size_t i = 0;
  for (; i + sizeof key <= from.size(); i += sizeof key) {
    uint64_t word;
    std::memcpy(&word, from.data() + i, sizeof word);
    word ^= key;
    std::memcpy(to + i, &word, sizeof word);
  }
  for (; i < from.size(); ++i) to[i] = static_cast<char>(from[i] ^ turned[i % kMaskBytes]);
}

bool is_known(uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

// RFC 6455 7.4 and the registry: what may stand in a close frame.
bool may_be_sent(uint64_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

WsDecoder::Got WsDecoder::next(std::string_view input, size_t& used) {
  used = 0;
  while (!failed_) {
    if (!in_frame_) {
      const Got begun = begin_frame(input.substr(used), used);
      if (begun == Got::kBad || !in_frame_) return begun;
    }
    const Got got = payload(input.substr(used), used);
    if (got != Got::kMore || in_frame_) return got;
  }
  return Got::kBad;
}

WsDecoder::Got WsDecoder::begin_frame(std::string_view input, size_t& used) {
  if (input.size() < 2) return Got::kMore;
  const auto first = static_cast<uint8_t>(input[0]), second = static_cast<uint8_t>(input[1]);
  const uint8_t opcode = first & 0x0F, length = second & 0x7F;
  if (!is_known(opcode)) return bad(WsClose::kProtocol, "an unknown opcode");
  frame_ = static_cast<WsOpcode>(opcode);
  final_ = (first & kFin) != 0;
  const bool begins = frame_ == WsOpcode::kText || frame_ == WsOpcode::kBinary;
  const uint8_t allowed = begins && compression_ ? kCompressed : 0;
  if ((first & kReserved & ~allowed) != 0) return bad(WsClose::kProtocol, "a reserved bit is set");
  if ((second & kMasked) == 0) return bad(WsClose::kProtocol, "a client's frame has to be masked");
  if (in_control() && (!final_ || length > kWsMaxControl))
    return bad(WsClose::kProtocol, "a control frame is one frame of at most 125 bytes");
  if (begins && in_message_) return bad(WsClose::kProtocol, "a message begins inside another one");
  if (frame_ == WsOpcode::kContinuation && !in_message_)
    return bad(WsClose::kProtocol, "there is no message to be continued");

  const size_t more = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
  if (input.size() < 2 + more) return Got::kMore;
  const uint64_t size = more == 0 ? length : read_number(input.data() + 2, more);
  if ((more == 2 && size < kLength16) || (more == 8 && (size <= UINT16_MAX || size >> 63 != 0)))
    return bad(WsClose::kProtocol, "a length that is not written in its shortest form");
  const size_t held = message_.size();
  if (!in_control() && !discards_ && (size > max_message_ || held > max_message_ - size))
    return bad(WsClose::kTooLarge, "the message is too large");
  if (input.size() < 2 + more + kMaskBytes) return Got::kMore;
  std::memcpy(mask_.data(), input.data() + 2 + more, kMaskBytes);
  used += 2 + more + kMaskBytes;
  left_ = size;
  mask_at_ = 0;
  in_frame_ = true;
  if (begins) {
    opcode_ = frame_;
    compressed_ = (first & kCompressed) != 0;
    in_message_ = true;
  }
  if (in_control()) control_size_ = 0;
  return Got::kMore;
}

WsDecoder::Got WsDecoder::payload(std::string_view input, size_t& used) {
  const std::string_view piece =
      input.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, input.size())));
  if (in_control()) {
    unmask(control_.data() + control_size_, piece, mask_, mask_at_);
    control_size_ += piece.size();
  } else if (!discards_) {
    unmask(message_.tail(piece.size()), piece, mask_, mask_at_);
    message_.commit(piece.size());
  }
  used += piece.size();
  left_ -= piece.size();
  mask_at_ = (mask_at_ + piece.size()) % kMaskBytes;
  return left_ > 0 ? Got::kMore : end_frame();
}

WsDecoder::Got WsDecoder::end_frame() {
  in_frame_ = false;
  if (frame_ == WsOpcode::kPing) return Got::kPing;
  if (frame_ == WsOpcode::kPong) return Got::kPong;
  if (frame_ == WsOpcode::kClose) return close_frame();
  if (!final_) return Got::kMore;
  in_message_ = false;
  if (discards_) return Got::kMore;
  message_.seal();
  if (is_text() && !compressed_ && !formats::is_utf8(message_.view()))
    return bad(WsClose::kNotUtf8, "a text message that is not UTF-8");
  return Got::kMessage;
}

WsDecoder::Got WsDecoder::close_frame() {
  close_ = WsClose::kNoStatus;
  if (control_size_ == 0) return Got::kClose;
  if (control_size_ == 1) return bad(WsClose::kProtocol, "a close code has two bytes");
  const uint64_t code = read_number(control_.data(), 2);
  if (!may_be_sent(code)) return bad(WsClose::kProtocol, "a close code that is none");
  if (!formats::is_utf8(control().substr(2)))
    return bad(WsClose::kNotUtf8, "a close reason that is not UTF-8");
  close_ = static_cast<WsClose>(code);
  return Got::kClose;
}

void WsDecoder::discard() {
  discards_ = true;
  message_.clear();
}

WsDecoder::Got WsDecoder::bad(WsClose code, std::string_view why) {
  failed_ = true;
  close_ = code;
  complaint_ = why;
  return Got::kBad;
}

void append_ws_frame(std::string& out, WsOpcode opcode, std::string_view payload, bool compressed) {
  out += static_cast<char>(kFin | (compressed ? kCompressed : 0) | static_cast<uint8_t>(opcode));
  if (payload.size() < kLength16) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() <= UINT16_MAX) {
    out += static_cast<char>(kLength16);
    append_number(out, payload.size(), 2);
  } else {
    out += static_cast<char>(kLength64);
    append_number(out, payload.size(), 8);
  }
  out += payload;
}

void append_ws_close(std::string& out, WsClose code, std::string_view reason) {
  std::string payload;
  append_number(payload, static_cast<uint16_t>(code), 2);
  payload += start_of(reason, kWsMaxControl - payload.size());
  append_ws_frame(out, WsOpcode::kClose, payload);
}

}  // namespace millrace::gateway
