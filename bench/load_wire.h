// What the load generator writes and reads: requests' heads and answers, over HTTP and over a WebSocket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::bench {

// A whole answer at the front of what was received.
struct LoadAnswer {
  size_t bytes = 0;  // of it
  int status = 0;
  int64_t accepted = 0;  // events
};
std::optional<LoadAnswer> http_answer(std::string_view in);
std::optional<LoadAnswer> websocket_answer(std::string_view in);

std::string subscribe_request(std::string_view sql, std::string_view token);
std::string follow_request(std::string_view stream, std::string_view token);
std::string http_head(std::string_view stream, size_t body_bytes, std::string_view token);
// Of a frame whose mask is zeros, so that its events can be written in place; behind them comes kWebSocketTail.
std::string websocket_head(std::string_view stream, size_t events_bytes);
inline constexpr std::string_view kWebSocketTail = "]}";
std::string websocket_handshake(std::string_view token);

// The number behind `name`; -1: there is none.
int64_t number_after(std::string_view text, std::string_view name);

}  // namespace millrace::bench
