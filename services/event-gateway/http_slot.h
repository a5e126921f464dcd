// HttpSlot: a request in flight on a connection, and its answer: whole, or pulled from a BodySource.
//
// Why:     a connection reads requests, keeps their order and sends bytes; what an answer is made of, and when its source is
//          asked for more, is the same on every one of them, and needs no socket.
// Bound:   kPiece is pulled at a time, while less than that waits to be sent.
// Threads: the core loop's. A source may call the connection from inside.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event-gateway/http_context.h"
#include "event-gateway/socket_output.h"

namespace millrace::gateway {

struct HttpSlot {
  static constexpr size_t kPiece = 64 * 1024;  // pulled from a source at a time

  // Where a connection's answers go.
  struct Way {
    HttpContext& context;
    SocketOutput& output;
    int64_t& spoke_ms;  // when something of a stream last went there; for heartbeats
  };

  bool ready = false;  // the answer is in `bytes`
  bool last = false;   // the connection ends behind it
  bool concurrent = true;
  bool http11 = true, keep_alive = true, head_only = false;
  bool wants_continue = false;
  bool stream_begun = false, more = false;
  std::string id;     // what the request is called
  std::string cors;   // header lines
  std::string bytes;  // or what of the head goes before the source's
  std::unique_ptr<BodySource> source;
  TenantQuotas::Hold subscription;  // while the source goes on and on, and is counted
  TenantId tenant;                  // whose it is, and who asked for it
  CallerPtr caller;
  std::function<void()> gone;  // while it is not answered
  std::optional<WebSocketTerms> upgrade;

  std::string common_fields(HttpContext& context);  // lines of every answer
  void begin_answer(HttpContext& context, std::string& out, const HttpAnswer& answer, bool sized,
                    std::string_view trailer) const;
  Status count_subscription(HttpContext& context);  // if the source goes on and on, and is not counted yet
  void end_source(HttpContext& context);
  bool pump(const Way& way);  // pulls from the source while there is room to send. True: it has ended
  bool heartbeat(const Way& way) const;  // true: the source has one
  void farewell(const Way& way);         // the server ends the source; the rest is in `bytes`

 private:
  void frame(const Way& way, std::string_view piece) const;
};

}  // namespace millrace::gateway
