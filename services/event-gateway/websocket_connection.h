// A connection that speaks WebSocket (RFC 6455): frames in and out of what HTTP has handed over, with a
// WebSocketSession behind them.
//
// Reads:  nothing while max_in_flight publishes wait for their answers, or a megabyte waits to be sent.
// Writes: answers as they come; messages of subscriptions, 64 KiB of them at a time, once the client has taken the one
//         before.
// Ends:   a peer that is silent is pinged, and given up when it stays so; one that lets a message stand, or takes
//         nothing, is told so, and given up. A close frame is answered behind the answers that are still to come;
//         drain() says 1001 behind them.
// Bound:  a message by kMaxWebSocketMessage; all connections' together with the bodies that arrive over HTTP.
// Threads: the core loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/types.h"
#include "event-gateway/caller.h"
#include "event-gateway/websocket_deflate.h"

namespace millrace::gateway {

struct HttpContext;
class ServerConnection;
class Transport;

inline constexpr size_t kMaxWebSocketMessage = 4u << 20;  // as it is read: inflated, all its fragments

// What the handshake has found out.
struct WebSocketTerms {
  TenantId tenant;
  CallerPtr caller;
  std::shared_ptr<void> connection;  // counts it in the tenant's quota
  std::optional<WsDeflateTerms> deflate;
};

// `input`: what came behind the handshake.
std::shared_ptr<ServerConnection> make_websocket_connection(std::shared_ptr<HttpContext> context,
                                                            std::unique_ptr<Transport> transport,
                                                            const WebSocketTerms& terms, std::string input);

}  // namespace millrace::gateway
