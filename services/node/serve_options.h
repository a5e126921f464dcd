// What `millrace serve` can be told, with its defaults and bounds; --help is made from the same.
#pragma once

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
  std::string data = "./data";
  std::string http = "127.0.0.1:8080";  // or kOff
  std::string https;                    // empty: none
  gateway::TlsFiles tls;
  std::string tokens;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> cors_origins;
  gateway::Quota tenant_quota;  // of tenants without one of their own
  uint32_t max_connections = 10'000;
  uint32_t max_body_mb = 32;
  uint32_t idle_seconds = 60;
  uint32_t heartbeat_seconds = 15;
  uint32_t statement_timeout_ms = 60'000;
  uint32_t workers = 1;
  bool gateway_only = false;
  uint64_t segment_mb = 128;
  uint64_t reserve_mb = 256;
  uint64_t state_mb = 2048;
  uint64_t state_memory_mb = 0;
  uint64_t snapshot_mb = 128;
  uint32_t snapshot_seconds = 60;
};

inline constexpr const char* kOff = "off";

void add_serve_options(CLI::App& serve, ServeOptions& options);
Status check_listeners(const ServeOptions& options);  // MR-NODE-0011: what is given does not go together

// Without the address, which has to be taken apart first.
gateway::HttpOptions http_options(const ServeOptions& options);

}  // namespace millrace::node
