// The table of what `millrace serve` can be told. Defaults stand in ServeOptions.
#include "event-gateway/http_cors.h"
#include "event-gateway/http_target.h"
#include "node/otlp_endpoint.h"
#include "node/setting.h"

namespace millrace::node {
namespace {

using Options = ServeOptions;

constexpr uint64_t kMostMb = 1'000'000'000;

// A name, maybe with a port. Patterns are none: what a name leads here is said by name.
std::string check_host(std::string_view text) {
  std::string_view host, port;
  const bool good = gateway::split_authority(text, host, port) && text.find('*') == std::string_view::npos;
  return good ? "" : "\"" + std::string(text) + "\" is not a host: write a name, as in events.example.com";
}

std::string check_origin(std::string_view text) {
  return gateway::check_cors_origin(std::string(text));
}

std::string check_otlp(std::string_view text) {
  if (text.empty()) return "";
  const auto endpoint = parse_otlp_endpoint(std::string(text));
  return endpoint.ok() ? "" : endpoint.error().message + ": " + endpoint.error().hint;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      {"data", &Options::data, "FOLDER", "Data directory, made if missing", "/var/lib/millrace"},
      {"http", &Options::http, "HOST:PORT", "Address of the HTTP listener; off: there is none",
       "0.0.0.0:8080"},
      {"https", &Options::https, "HOST:PORT", "Address of a listener that speaks TLS", "0.0.0.0:8443"},
      {"tls_cert", &Options::tls_cert, "FILE",
       "PEM file of the server's certificate and what leads to its root", "/etc/millrace/server.pem"},
      {"tls_key", &Options::tls_key, "FILE", "PEM file of its key", "/etc/millrace/server.key"},
      {"tls_client_ca", &Options::tls_client_ca, "FILE",
       "PEM file: clients need a certificate that one of these has signed", "/etc/millrace/clients.pem"},
      {"tokens", &Options::tokens, "FILE",
       "File of access tokens; without it the node is open, on loopback only", "/etc/millrace/tokens.yaml"},
      {.name = "allow_host",
       .member = &Options::allowed_hosts,
       .value = "NAME",
       .what = "A name that clients may call the server by (Host); repeatable",
       .example = "[events.example.com, events.internal:8080]",
       .check = &check_host},
      {.name = "cors_origin",
       .member = &Options::cors_origins,
       .value = "ORIGIN",
       .what = "An origin whose pages may call the server, or * for all; repeatable",
       .example = "[https://app.example.com]",
       .check = &check_origin},
      {"tenant_events", &Options::tenant_events, "EVENTS",
       "Events a second of a tenant without quotas of its own; 0: no bound", "50000", 0, kMostMb},
      {"tenant_bytes", &Options::tenant_bytes, "BYTES", "Bytes a second, likewise", "20000000", 0,
       1'000'000'000'000},
      {"tenant_connections", &Options::tenant_connections, "CONNECTIONS", "Connections at once, likewise",
       "200", 0, 1'000'000},
      {"tenant_subscriptions", &Options::tenant_subscriptions, "SUBSCRIPTIONS",
       "Subscriptions at once, likewise", "50", 0, 1'000'000},
      {"max_connections", &Options::max_connections, "CONNECTIONS", "Connections at once", "500", 1,
       1'000'000},
      {"max_body_mb", &Options::max_body_mb, "MiB", "Size of a request's body", "8", 1, 48},
      {"idle_seconds", &Options::idle_seconds, "SECONDS",
       "A connection without a request is closed after this long", "300", 1, 86'400},
      {"heartbeat_seconds", &Options::heartbeat_seconds, "SECONDS",
       "A silent subscription gets an empty line after this long", "30", 1, 3'600},
      {"statement_timeout", &Options::statement_timeout, "TIME",
       "A statement that reads longer is stopped; 0: never", "5m"},
      {"workers", &Options::workers, "THREADS", "Workers that run the queries", "4", 1, 64},
      {"gateway_only", &Options::gateway_only, "", "Take events in and serve reads; run no queries", "true"},
      {.name = "services",
       .member = &Options::services,
       .value = "SERVICES",
       .what = "What the process is: a whole node, or the schema registry alone",
       .example = "schema-registry",
       .choices = {"all", "schema-registry"}},
      {"schema_registry", &Options::schema_registry, "HOST:PORT",
       "Address of the schema registry; off: there is none", "127.0.0.1:8081"},
      {"schema_registry_tls", &Options::schema_registry_tls, "",
       "It speaks TLS, with the certificate of tls_cert", "true"},
      {"schema_registry_postgres", &Options::schema_registry_postgres, "CONNINFO",
       "PostgreSQL that keeps its schemas, as libpq names it; without it they are in the data directory",
       "postgresql://registry@db.internal/schemas"},
      {.name = "schema_registry_profile",
       .member = &Options::schema_registry_profile,
       .value = "PROFILE",
       .what = "Whose error_code an incompatible schema has: 40901, or 409 as in older registries",
       .example = "\"409\"",
       .choices = {"current", "409"}},
      {"segment_mb", &Options::segment_mb, "MiB", "Size of a journal segment", "256", 8, 1024},
      {"reserve_mb", &Options::reserve_mb, "MiB", "Free disk space that ingest may not use", "1024", 0,
       kMostMb},
      {"state_mb", &Options::state_mb, "MiB", "Bound of one query's state on one worker", "4096", 1, kMostMb},
      {"state_memory_mb", &Options::state_memory_mb, "MiB",
       "Memory for the state of all queries, the rest is on the disk; 0: a third of the machine's", "2048", 0,
       kMostMb},
      {"snapshot_mb", &Options::snapshot_mb, "MiB", "A snapshot is due after this much of the journal", "512",
       1, kMostMb},
      {"snapshot_seconds", &Options::snapshot_seconds, "SECONDS", "A snapshot is due after this long", "300",
       1, 31'536'000},
      {"drain_timeout", &Options::drain_seconds, "SECONDS",
       "What SIGTERM or ctrl-C leaves for what was accepted: answers, and the queries' way to the end", "120",
       1, 3'600},
      {.name = "otlp_endpoint",
       .member = &Options::otlp_endpoint,
       .value = "URL",
       .what =
           "Collector that gets the spans of traced requests, by OTLP over HTTP; empty: no spans are made",
       .example = "http://127.0.0.1:4318",
       .check = &check_otlp},
      {"trace_sample", &Options::trace_sample, "SHARE",
       "Share of the requests traced, of those whose senders have begun no trace", "0.1", 0, 1},
      {.name = "log_format",
       .member = &Options::log_format,
       .value = "FORMAT",
       .what = "What it says on standard error",
       .example = "json",
       .choices = {"text", "json"}},
      {.name = "log_level",
       .member = &Options::log_level,
       .value = "LEVEL",
       .what = "The least that it says; SIGUSR1 makes it debug, and once more this again",
       .example = "warning",
       .choices = {"debug", "info", "warning", "error"}},
  };
  return all;
}

}  // namespace millrace::node
