#include "node/serve_options.h"

#include <CLI/CLI.hpp>

#include "event-gateway/http_cors.h"
#include "event-gateway/http_target.h"
#include "node/duration.h"

namespace millrace::node {
namespace {

constexpr int64_t kMostMb = 1'000'000'000;

// A name, maybe with a port. Patterns are none: what a name leads here is said by name.
std::string check_host(const std::string& text) {
  std::string_view host, port;
  const bool good = gateway::split_authority(text, host, port) && text.find('*') == std::string::npos;
  return good ? "" : "\"" + text + "\" is not a host: write a name, as in events.example.com";
}

}  // namespace

void add_serve_options(CLI::App& serve, ServeOptions& o) {
  serve.add_option("--data", o.data, "Data directory, made if missing")->capture_default_str();
  serve.add_option("--http", o.http, "Address of the HTTP listener; off: there is none")
      ->capture_default_str();
  serve.add_option("--https", o.https, "Address of a listener that speaks TLS");
  serve.add_option("--tls-cert", o.tls.certificate,
                   "PEM file of the server's certificate and what leads to its root");
  serve.add_option("--tls-key", o.tls.key, "PEM file of its key");
  serve.add_option("--tls-client-ca", o.tls.client_ca,
                   "PEM file: clients need a certificate that one of these has signed");
  serve.add_option("--tokens", o.tokens,
                   "File of access tokens; without it the node is open, on loopback only");
  serve
      .add_option("--allow-host", o.allowed_hosts,
                  "A name that clients may call the server by (Host); repeatable")
      ->allow_extra_args(false)
      ->type_name("NAME")
      ->check(CLI::Validator(check_host, ""));
  serve
      .add_option("--cors-origin", o.cors_origins,
                  "An origin whose pages may call the server, or * for all; repeatable")
      ->allow_extra_args(false)
      ->type_name("ORIGIN")
      ->check(CLI::Validator(gateway::check_cors_origin, ""));
  serve
      .add_option("--tenant-events", o.tenant_quota.events_per_s,
                  "Events a second of a tenant without quotas of its own; 0: no bound")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e12));
  serve.add_option("--tenant-bytes", o.tenant_quota.bytes_per_s, "Bytes a second, likewise")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e12));
  serve.add_option("--tenant-connections", o.tenant_quota.connections, "Connections at once, likewise")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  serve.add_option("--tenant-subscriptions", o.tenant_quota.subscriptions, "Subscriptions at once, likewise")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  serve.add_option("--max-connections", o.max_connections, "Connections at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  serve.add_option("--max-body-mb", o.max_body_mb, "Size of a request's body")
      ->capture_default_str()
      ->check(CLI::Range(1, 48));
  serve
      .add_option("--idle-seconds", o.idle_seconds,
                  "A connection without a request is closed after this long")
      ->capture_default_str()
      ->check(CLI::Range(1, 86'400));
  serve
      .add_option("--heartbeat-seconds", o.heartbeat_seconds,
                  "A silent subscription gets an empty line after this long")
      ->capture_default_str()
      ->check(CLI::Range(1, 3'600));
  serve
      .add_option("--statement-timeout", o.statement_timeout_ms,
                  "A statement that reads longer is stopped; 0: never")
      ->type_name("TIME")
      ->default_str("60s")
      ->transform(CLI::Validator(duration_to_ms, ""));
  serve.add_option("--workers", o.workers, "Workers that run the queries")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  serve.add_flag("--gateway-only", o.gateway_only, "Take events in and serve reads; run no queries");
  serve.add_option("--segment-mb", o.segment_mb, "Size of a journal segment")
      ->capture_default_str()
      ->check(CLI::Range(8, 1024));
  // Ranges also because CLI11 takes -1 for a very large number.
  serve.add_option("--reserve-mb", o.reserve_mb, "Free disk space that ingest may not use")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, kMostMb));
  serve.add_option("--state-mb", o.state_mb, "Bound of one query's state on one worker")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, kMostMb));
  serve
      .add_option("--state-memory-mb", o.state_memory_mb,
                  "Memory for the state of all queries, the rest is on the disk; 0: a third of the machine's")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, kMostMb));
  serve.add_option("--snapshot-mb", o.snapshot_mb, "A snapshot is due after this much of the journal")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, kMostMb));
  serve.add_option("--snapshot-seconds", o.snapshot_seconds, "… or after this long")
      ->capture_default_str()
      ->check(CLI::Range(1, 31'536'000));
}

Status check_listeners(const ServeOptions& o) {
  const auto wrong = [](const char* what, const char* hint) {
    return error(Code::kInvalid, "MR-NODE-0011", what, hint);
  };
  const bool files = !o.tls.certificate.empty() || !o.tls.key.empty() || !o.tls.client_ca.empty();
  if (o.https.empty() && files)
    return wrong("there are files for TLS, and no address for it", "add --https HOST:PORT");
  if (o.https.empty() && o.http == kOff)
    return wrong("with --http off nobody could reach the node",
                 "add --https HOST:PORT, or leave out --http off");
  if (!o.https.empty() && (o.tls.certificate.empty() || o.tls.key.empty()))
    return wrong("--https needs a certificate and its key", "add --tls-cert FILE and --tls-key FILE");
  return {};
}

gateway::HttpOptions http_options(const ServeOptions& o) {
  gateway::HttpOptions http;
  http.allowed_hosts = o.allowed_hosts;
  http.cors_origins = o.cors_origins;
  http.max_connections = o.max_connections;
  http.max_body_bytes = size_t{o.max_body_mb} << 20;
  http.idle_timeout = std::chrono::seconds(o.idle_seconds);
  http.heartbeat = std::chrono::seconds(o.heartbeat_seconds);
  return http;
}

}  // namespace millrace::node
