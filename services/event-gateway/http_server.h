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

#include "base/clock.h"
#include "engine/serving.h"
#include "event-gateway/backups.h"
#include "event-gateway/dead_letters.h"
#include "event-gateway/gateway.h"
#include "event-gateway/schema_checks.h"
#include "event-gateway/tenant_quotas.h"
#include "event-gateway/tls_certificates.h"
#include "event-gateway/token_store.h"
#include "event-gateway/tokens.h"
#include "sql/catalog.h"

namespace boost::asio {
class io_context;
}

namespace millrace::gateway {

class AuditLog;

// What is refused once a server ends: MR-NODE-0014.
Error stopping();

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
  Duration drain_timeout{5'000};       // after drain()
};

struct HttpRequest;
class RequestTraces;
struct HttpAnswer;
class HttpReply;

// Another API on a listener of its own, behind the checks of this server: host, origin, token, connections, sizes.
struct OtherApi {
  // The request is there until this returns; the answer may come later.
  std::function<void(const HttpRequest&, const HttpReply&)> handle;
  // That a path has: "GET, HEAD, OPTIONS"; empty: there is no such path.
  std::function<std::string(const std::vector<std::string>& path)> methods;
  // What this server refuses, said as that API says it.
  std::function<void(HttpAnswer& problem)> translate;
};

// What the server calls. Functions, so that a test can stand in for each.
struct HttpBackend {
  HttpBackend() = default;
  HttpBackend(Ingest& to, SqlService& statements, engine::StreamReads& reads)
      : ingest([&to](const IngestRequest& r, Ingest::Done d) { to.ingest(r, std::move(d)); }),
        retry_after_s([&to](TenantId t) { return to.retry_after_s(t); }),
        set_quota([&to](TenantId t, Quota q) { to.set_quota(t, q); }),
        admits([&to](TenantId t, size_t body_bytes) { return to.admits(t, body_bytes); }),
        sql([&statements](TenantId t, const SqlText& text, SqlService::Each each, SqlService::Done done) {
          return statements.execute(t, text, std::move(each), std::move(done));
        }),
        streams(&reads),
        views(statements.views()) {}

  std::function<void(const IngestRequest&, Ingest::Done)> ingest;
  std::function<double(TenantId)> retry_after_s;
  std::function<void(TenantId, Quota)> set_quota;
  std::function<Status(TenantId, size_t body_bytes)> admits;  // null: whatever comes
  std::function<SqlService::Cancel(TenantId, const SqlText&, SqlService::Each, SqlService::Done)> sql;
  engine::StreamReads* streams = nullptr;
  engine::ViewReads* views = nullptr;  // null: no processor here
  Backups* backups = nullptr;          // null: nothing to copy here
  // Where the schema registry keeps its schemas: "sqlite", once a copy of its file lies beside it; or another word. Null: there is none.
  std::function<void(std::function<void(Result<std::string>)>)> copy_registry;
  DeadLetters* letters = nullptr;
  SchemaChecks* schema_checks = nullptr;

  std::function<sql::CatalogPtr()> catalog;
  std::function<Result<TenantId>(const std::string&)> tenant;
  // Whole pages (the server's own part is HttpServer::metrics()): of the node, and the series of one tenant's things or all.
  std::function<std::string()> metrics;
  std::function<std::string(std::optional<TenantId>)> metrics_full;
  std::function<Status()> ready;
  std::function<void(std::string_view problem)> log_failure;  // of an answer 500: its problem document
  RequestTraces* traces = nullptr;                            // null: none are made
  // Not ok: nothing is begun, but questions about the server itself; the reason. Null: always ok.
  std::function<Status()> open;
  // Told of each request when its head is there; a status if it was refused by that, else 0. May be null.
  std::function<void(const HttpRequest&, int refused)> arrived;
  // Of the tokens file and of the data directory. Null or empty, both: the server is open.
  const Tokens* tokens = nullptr;
  TokenStore* token_store = nullptr;
  TenantQuotas* quotas = nullptr;  // null: the server makes one, which keeps nothing
  // Runs `work` off the loop, then `done` on it; false: too much waits. Null: at once.
  std::function<bool(std::function<void()> work, std::function<void()> done)> verifying;
  OtherApi schema_registry;   // of the listener that listen_schema_registry() opens
  AuditLog* audit = nullptr;  // null: acts are not written down
  std::function<int64_t()> now_us = [] { return SystemClock().wall_us(); };
};

class HttpServer {
 public:
  HttpServer(boost::asio::io_context& loop, HttpOptions options, HttpBackend backend);
  ~HttpServer();  // closes every connection; callbacks that come later find nobody, and may

  Result<uint16_t> listen();  // at the options' address; the port
  Result<uint16_t> listen_tls(const std::string& address, uint16_t port,
                              std::shared_ptr<TlsCertificates> certificates);
  // Takes connections for the backend's schema_registry. By TLS with these certificates, without with none.
  Result<uint16_t> listen_schema_registry(const std::string& address, uint16_t port,
                                          std::shared_ptr<TlsCertificates> certificates);
  void reload_certificates();  // what cannot be used is refused, and said
  // Another backend than it was made with: a server may listen, and say why it is not ready, before there is one.
  Status use(HttpBackend backend);
  // Whoever is connected gets the answers that are on their way, live subscriptions end, and each connection ends behind
  // its last answer. New connections are taken still: they hear from the backend's `open` why there is nothing for them.
  void drain();
  void stop();                  // drain(), and no new connections
  bool idle() const;            // nothing is in flight; after drain(): and every answer has arrived
  std::string metrics() const;  // Prometheus text

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::gateway
