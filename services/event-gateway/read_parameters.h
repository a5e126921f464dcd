// Which events of a stream a client asks for: from, limit, partition and numbers, as they come in a query or in a
// WebSocket's message.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/serving.h"
#include "event-gateway/http_server.h"
#include "event-gateway/http_target.h"

namespace millrace::gateway {

struct WantedEvents {
  engine::StreamReadRequest request;
  uint64_t limit = 0;
  bool quote_numbers = false;
};
struct ReadParameters {
  std::vector<std::pair<std::string, std::string>> given;  // each name once
  bool live = false;                                       // for ever, from the end, if nothing else is said
  std::string last_seen;                                   // a cursor that wins over `from`; may be empty
};

// MR-API-0018, MR-API-0022
Result<engine::StreamPtr> find_stream(const HttpBackend& backend, TenantId tenant, const std::string& name);
// MR-API-0010, MR-API-0011
Result<WantedEvents> wanted_events(const HttpBackend& backend, engine::StreamPtr stream,
                                   const ReadParameters& parameters);

// The parameter `numbers` of answers in JSON: `string`, so that no number is rounded.
Result<bool> quotes_numbers(const std::string& value);
Error bad_parameter(std::string message, std::string hint);
Status check_no_parameters(const HttpTarget& target);  // MR-API-0011

}  // namespace millrace::gateway
