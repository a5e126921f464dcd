// HttpServer: HTTP/1.1 in front of the gateway. Reads requests, calls the backend, writes answers in order.
//
// Why:     the protocol's hard parts (framing, pipelining, slow clients, limits) are in one place and know
//          nothing of streams or SQL; the handlers behind know nothing of sockets.
// Threads: the core loop's. Everything happens inside the io_context's handlers, or inside the backend's
//          callbacks (an answer is written when Ingest's `done` comes, without another turn of the loop).
// Order:   answers leave a connection in the order of its requests, however they finish.
// Bound:   connections, header and body sizes, requests in flight a connection, bytes of bodies that are
//          arriving, and a time for every state in which a client could make the server wait (HttpOptions).
// Access:  without tokens the server is open, to loopback only: listen() refuses any other address
//          (MR-API-0030).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/serving.h"
#include "event-gateway/dead_letters.h"
#include "event-gateway/gateway.h"
#include "event-gateway/tls_certificates.h"
#include "event-gateway/tokens.h"
#include "sql/catalog.h"

namespace boost::asio {
class io_context;
}

namespace millrace::gateway {

struct HttpOptions {
  using Duration = std::chrono::milliseconds;

  std::string address = "127.0.0.1";
  uint16_t port = 8080;                    // 0: a free one
  std::vector<std::string> allowed_hosts;  // names in Host beside loopback's and the address a client reached

  std::vector<std::string> cors_origins;  // of other sites' pages that may call; "*": all

  size_t max_connections = 10'000;
  size_t max_header_bytes = 16 * 1024;
  size_t max_body_bytes = 32u << 20;
  size_t max_arriving_bytes = 512u << 20;  // bodies in the course of arriving, all connections
  size_t max_in_flight = 64;               // requests of a connection that are not answered yet

  Duration handshake_timeout{10'000};  // of TLS, from the connection on
  Duration header_timeout{10'000};     // from a header's first byte to its last
  Duration body_timeout{30'000};       // without a byte of the body
  Duration idle_timeout{60'000};       // between requests
  Duration write_timeout{30'000};      // without the client taking a byte
  Duration heartbeat{15'000};          // of an event stream that has nothing to say
  Duration drain_timeout{5'000};       // after stop()
};

// What the server calls. Functions, so that a test can stand in for each.
struct HttpBackend {
  HttpBackend() = default;
  HttpBackend(Ingest& to, SqlService& statements, engine::StreamReads& reads)
      : ingest([&to](const IngestRequest& r, Ingest::Done d) { to.ingest(r, std::move(d)); }),
        retry_after_s([&to](TenantId t) { return to.retry_after_s(t); }),
        set_quota([&to](TenantId t, Quota q) { to.set_quota(t, q); }),
        sql([&statements](TenantId t, const SqlText& text, SqlService::Each each, SqlService::Done done) {
          return statements.execute(t, text, std::move(each), std::move(done));
        }),
        streams(&reads),
        views(statements.views()) {}

  std::function<void(const IngestRequest&, Ingest::Done)> ingest;
  std::function<double(TenantId)> retry_after_s;
  std::function<void(TenantId, Quota)> set_quota;
  std::function<SqlService::Cancel(TenantId, const SqlText&, SqlService::Each, SqlService::Done)> sql;
  engine::StreamReads* streams = nullptr;
  engine::ViewReads* views = nullptr;  // null: no processor here
  DeadLetters* letters = nullptr;

  std::function<sql::CatalogPtr()> catalog;
  std::function<Result<TenantId>(const std::string&)> tenant;
  // The whole page (the server's own part is HttpServer::metrics()); the tenants' own series of one, or of all.
  std::function<std::string(std::optional<TenantId>)> metrics;
  std::function<Status()> ready;
  std::function<void(std::string_view problem)> log_failure;  // of an answer 500: its problem document
  const Tokens* tokens = nullptr;                             // null: open
};

class HttpServer {
 public:
  HttpServer(boost::asio::io_context& loop, HttpOptions options, HttpBackend backend);
  ~HttpServer();  // closes every connection; callbacks that come later find nobody, and may

  Result<uint16_t> listen();  // at the options' address; the port
  Result<uint16_t> listen_tls(const std::string& address, uint16_t port,
                              std::unique_ptr<TlsCertificates> certificates);
  void reload_certificates();  // what cannot be used is refused, and said
  // No new connections and requests; what is in flight is answered within drain_timeout, live subscriptions
  // end.
  void stop();
  bool idle() const;            // nothing is in flight (after stop(): no connection is left)
  std::string metrics() const;  // Prometheus text

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::gateway
