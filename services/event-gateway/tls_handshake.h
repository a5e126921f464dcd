// A connection whose TLS handshake is under way; when it is done, an HttpConnection takes its place.
//
// Ends:    a client that takes longer than handshake_timeout, or speaks no TLS, is let go; one that speaks plain HTTP is told
//          so (MR-API-0036).
// Threads: the core loop's.
#pragma once

#include <memory>
#include <string>

#include "event-gateway/http_connection.h"
#include "event-gateway/tls_context.h"

namespace millrace::gateway {

std::shared_ptr<ServerConnection> make_tls_handshake(std::shared_ptr<HttpContext> context, int socket,
                                                     std::string local, std::shared_ptr<const TlsContext> tls,
                                                     Face face);

}  // namespace millrace::gateway
