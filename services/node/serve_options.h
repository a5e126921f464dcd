// What `millrace serve` runs with, and the defaults. setting.h says how it is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "event-gateway/http_server.h"

namespace CLI {
class App;
}

namespace millrace::node {

struct ServeOptions {
  std::string config;  // the file of the rest
  std::string data = "./data";
  std::string http = "127.0.0.1:8080";  // or kOff
  std::string https;                    // empty: none
  std::string tls_cert, tls_key, tls_client_ca;
  std::string tokens;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> cors_origins;
  uint64_t tenant_events = 0;  // a second, of a tenant without quotas of its own; 0: no bound, here and below
  uint64_t tenant_bytes = 0;
  uint32_t tenant_connections = 0;
  uint32_t tenant_subscriptions = 0;
  uint32_t max_connections = 10'000;
  uint32_t max_body_mb = 32;
  uint32_t idle_seconds = 60;
  uint32_t heartbeat_seconds = 15;
  std::chrono::milliseconds statement_timeout{60'000};
  uint32_t workers = 1;
  bool gateway_only = false;
  std::string services = "all";                     // or kRegistryAlone
  std::string schema_registry = "off";              // or its address
  bool schema_registry_tls = false;                 // by the certificate of tls_cert
  std::string schema_registry_postgres;             // empty: a file in the data directory
  std::string schema_registry_profile = "current";  // or "409"
  uint64_t segment_mb = 128;
  uint64_t reserve_mb = 256;
  uint64_t state_mb = 2048;
  uint64_t state_memory_mb = 0;
  uint64_t snapshot_mb = 128;
  uint32_t snapshot_seconds = 60;
  uint32_t drain_seconds = 30;
  std::string otlp_endpoint;  // empty: no spans are made
  double trace_sample = 0.01;
  std::string log_format = "text";
  std::string log_level = "info";
};

inline constexpr const char* kOff = "off";
inline constexpr const char* kRegistryAlone = "schema-registry";
inline constexpr const char* kRegistryAddress = "127.0.0.1:8081";  // where nothing else is said

inline bool is_registry_alone(const ServeOptions& o) {
  return o.services == kRegistryAlone;
}
// kOff: there is none.
std::string registry_address(const ServeOptions& options);

// The flags of every setting, and --config.
void add_serve_options(CLI::App& serve, ServeOptions& options);
Status check_listeners(const ServeOptions& options);  // MR-NODE-0011: what is given does not go together

gateway::TlsFiles tls_files(const ServeOptions& options);

// Without the address, which has to be taken apart first.
gateway::Quota tenant_quota(const ServeOptions& options);
gateway::HttpOptions http_options(const ServeOptions& options);

}  // namespace millrace::node
