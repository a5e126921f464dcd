// What `millrace serve` runs with, and the defaults. setting.h says how it is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "event-gateway/http_server.h"

namespace CLI {
class App;
}

namespace millrace::node {

struct ServeOptions {
  std::string config;  // the file of the rest
  std::string data = "./data";
  std::string http = "127.0.0.1:8080";
  std::string tokens;
  std::vector<std::string> allowed_hosts;
  uint32_t max_connections = 10'000;
  uint32_t max_body_mb = 32;
  uint32_t idle_seconds = 60;
  uint32_t heartbeat_seconds = 15;
  uint32_t workers = 1;
  bool gateway_only = false;
  uint64_t segment_mb = 128;
  uint64_t reserve_mb = 256;
  uint64_t state_mb = 2048;
  uint64_t state_memory_mb = 0;
  uint64_t snapshot_mb = 128;
  uint32_t snapshot_seconds = 60;
};

// The flags of every setting, and --config.
void add_serve_options(CLI::App& serve, ServeOptions& options);

// Without the address, which has to be taken apart first.
gateway::HttpOptions http_options(const ServeOptions& options);

}  // namespace millrace::node
