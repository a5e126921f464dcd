// What the connections of a server share.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "event-gateway/http_connection.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_server.h"
#include "event-gateway/request_ids.h"
#include "event-gateway/websocket_deflate.h"

namespace millrace::gateway {

struct HttpCounters {
  std::array<uint64_t, 6> by_class{};  // answers, by the status's first digit
  uint64_t connections = 0;            // accepted since the start
  uint64_t connections_refused = 0;
  uint64_t refusals = 0;  // answers that say "later": 429 and 503
  uint64_t denied = 0;    // answers that say "not you": 401 and 403
  uint64_t timeouts = 0;  // connections ended because the client kept the server waiting
  uint64_t bad_framing = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  int64_t subscriptions = 0;                       // open now
  int64_t websockets = 0;                          // likewise
  uint64_t handshakes = 0, handshakes_failed = 0;  // of TLS
};

struct HttpContext : std::enable_shared_from_this<HttpContext> {
  HttpContext(boost::asio::io_context& io, HttpOptions o, HttpBackend b)
      : loop(io), options(std::move(o)), backend(std::move(b)), handlers(options, backend) {}

  void post(std::function<void()> work);                 // on the loop, after what runs now
  void bury(std::unique_ptr<BodySource> source);         // destroyed later: it may be on the stack
  void exhume() { std::exchange(buried_, {}).clear(); }  // destroys them now
  void remove(ServerConnection& connection);
  void replace(ServerConnection& connection, std::shared_ptr<ServerConnection> by);

  boost::asio::io_context& loop;
  const HttpOptions options;
  HttpBackend backend;
  HttpHandlers handlers;
  HttpCounters counters;
  int64_t now_ms = 0;         // as of the last tick
  std::string date;           // the header line, as of the last tick
  size_t arriving_bytes = 0;  // of bodies that are not whole yet
  bool stopping = false;
  std::vector<std::shared_ptr<ServerConnection>> connections;
  WsCompression compression;  // of WebSocket messages
  RequestIds request_ids;

 private:
  std::vector<std::unique_ptr<BodySource>> buried_;
};

}  // namespace millrace::gateway
