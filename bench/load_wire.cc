#include "bench/load_wire.h"

#include <strings.h>

#include <charconv>
#include <cstdlib>

#include "fmt/format.h"

namespace millrace::bench {
namespace {

std::string authorization(std::string_view token) {
  return token.empty() ? std::string() : fmt::format("Authorization: Bearer {}\r\n", token);
}

std::string big_endian(uint64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
  return out;
}

}  // namespace

int64_t number_after(std::string_view text, std::string_view name) {
  const size_t at = text.find(name);
  if (at == std::string_view::npos) return -1;
  int64_t value = -1;
  std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
  return value;
}

std::optional<LoadAnswer> http_answer(std::string_view in) {
  const size_t head_end = in.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  size_t at = in.find("ontent-");  // Content-Length or content-length; Content-Type may come first
  size_t length = 0;
  while (at != std::string_view::npos && at < head_end) {
    if (::strncasecmp(in.data() + at, "ontent-length:", 14) == 0) {
      length = std::strtoull(in.data() + at + 14, nullptr, 10);
      break;
    }
    at = in.find("ontent-", at + 1);
  }
  LoadAnswer answer{.bytes = head_end + 4 + length};
  if (in.size() < answer.bytes) return std::nullopt;
  std::from_chars(in.data() + 9, in.data() + 12, answer.status);
  answer.accepted = number_after(in.substr(head_end, 4 + length), "\"accepted\":");
  return answer;
}

std::optional<LoadAnswer> websocket_answer(std::string_view in) {
  if (in.size() < 4) return std::nullopt;
  const auto byte = [&](size_t at) { return static_cast<size_t>(static_cast<unsigned char>(in[at])); };
  const bool extended = byte(1) == 126;  // no answer to a publish is longer than 64 KiB
  const size_t head = extended ? 4 : 2, length = extended ? byte(2) << 8 | byte(3) : byte(1);
  LoadAnswer answer{.bytes = head + length};
  if (in.size() < answer.bytes) return std::nullopt;
  const std::string_view text = in.substr(head, length);
  answer.accepted = number_after(text, "\"accepted\":");
  const int64_t status = number_after(text, "\"status\":");
  answer.status = text.starts_with("{\"ack\":") ? 200 : static_cast<int>(status);
  return answer;
}

std::string subscribe_request(std::string_view sql, std::string_view token) {
  return fmt::format(
      "POST /v1/sql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sql\r\nAccept: "
      "text/event-stream\r\n"
      "Content-Length: {}\r\n{}\r\n{}",
      sql.size(), authorization(token), sql);
}

std::string follow_request(std::string_view stream, std::string_view token) {
  return fmt::format(
      "GET /v1/streams/{}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{}\r\n", stream,
      authorization(token));
}

std::string http_head(std::string_view stream, size_t body_bytes, std::string_view token) {
  return fmt::format(
      "POST /v1/streams/{}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Length: {}\r\n{}\r\n",
      stream, body_bytes, authorization(token));
}

std::string websocket_head(std::string_view stream, size_t events_bytes) {
  const std::string command = fmt::format(R"({{"publish":"{}","id":1,"events":[)", stream);
  const size_t size = command.size() + events_bytes + kWebSocketTail.size();
  std::string head = "\x81";
  head += size <= UINT16_MAX ? "\xFE" + big_endian(size, 2) : "\xFF" + big_endian(size, 8);
  return head + std::string(4, '\0') + command;
}

std::string websocket_handshake(std::string_view token) {
  return fmt::format(
      "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
      authorization(token));
}

}  // namespace millrace::bench
