// For the WebSocket tests: a client's frames, and a reader of a server's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::gateway::testing {

// What a client sends: masked. `first`: the first byte, all its bits. `length_bytes`: of the length, where it is to be
// longer than it needs to be.
inline std::string ws_frame(uint8_t first, std::string_view payload, size_t length_bytes = 0) {
  constexpr std::array<char, 4> kMask = {'\x37', '\xFA', '\x21', '\x3D'};
  std::string frame(1, static_cast<char>(first));
  if (length_bytes == 0) length_bytes = payload.size() < 126 ? 1 : payload.size() <= UINT16_MAX ? 2 : 8;
  const size_t announced = length_bytes == 1 ? payload.size() : length_bytes == 2 ? 126 : 127;
  frame += static_cast<char>(0x80 | announced);
  for (size_t i = length_bytes; length_bytes > 1 && i-- > 0;)
    frame += static_cast<char>(uint64_t{payload.size()} >> (8 * i) & 0xFF);
  frame.append(kMask.data(), kMask.size());
  for (size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ kMask[i % kMask.size()]);
  return frame;
}
inline std::string ws_text(std::string_view payload) {
  return ws_frame(0x81, payload);
}
inline std::string ws_close(uint16_t code, std::string_view reason = {}) {
  return ws_frame(
      0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} + std::string(reason));
}

struct WsFrameSeen {
  uint8_t first = 0;
  std::string payload;
  bool is_close() const { return first == 0x88; }
  int close_code() const {
    return payload.size() < 2 ? 0 : static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
  }
};
// The first whole frame of a server's bytes, taken from them.
inline std::optional<WsFrameSeen> take_ws_frame(std::string& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto length = static_cast<uint8_t>(bytes[1]);
  const size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (bytes.size() < 2 + more) return std::nullopt;
  uint64_t size = more == 0 ? length : 0;
  for (size_t i = 0; i < more; ++i) size = size << 8 | static_cast<uint8_t>(bytes[2 + i]);
  if (bytes.size() - 2 - more < size) return std::nullopt;
  WsFrameSeen seen{static_cast<uint8_t>(bytes[0]), bytes.substr(2 + more, size)};
  bytes.erase(0, 2 + more + size);
  return seen;
}

}  // namespace millrace::gateway::testing
