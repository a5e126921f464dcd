// HttpConnection: one client's connection. Requests in, answers out in the same order, a stream of bytes for
// each that has no end or is too large to hold.
//
// Threads: the core loop's; every call may come from inside another one (a backend that answers at once).
// Bound:   options' in-flight requests; a quarter of a megabyte waiting to be sent before anything more is
//          pulled from a BodySource, a megabyte before no further request is read.
// Life:    the server owns it, callbacks share it. After close() every call is a no-op.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "event-gateway/http_message.h"
#include "event-gateway/transport.h"
#include "event-gateway/websocket_connection.h"

namespace millrace::gateway {

struct HttpContext;

// A body that is pulled piece by piece, whenever the client has taken the one before.
class BodySource {
 public:
  enum class Next : uint8_t { kMore, kWait, kEnd };  // kWait: HttpReply::wake() says when to ask again

  virtual ~BodySource() = default;
  virtual Next produce(std::string& out, size_t wanted_bytes) = 0;  // appends; may go over by one row
  virtual std::string trailer() { return {}; }                      // header lines after a chunked body
  virtual bool endless() const { return false; }                    // ends with the client or the server only
  virtual void refuse(std::string& /*out*/, const Error& /*why*/) {}  // appends why it ends here
  virtual std::string_view farewell() const { return {}; }            // the last piece, if the server ends it
  virtual std::string_view heartbeat() const { return {}; }  // says nothing, so that a lost client is noticed
};

// A connection as the server keeps it, whatever is spoken on it.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  virtual ~ServerConnection() = default;
  virtual void start() = 0;
  virtual void tick(int64_t now_ms) = 0;
  virtual void drain() = 0;  // nothing new is begun; ends by itself when what was begun is answered
  virtual void close() = 0;
  virtual bool busy() const = 0;  // something is in flight

  size_t index = 0;  // the server's
};

class HttpConnection : public ServerConnection {
 public:
  virtual void answer(uint64_t request, HttpAnswer answer) = 0;
  // `field` is sent as the trailer's announcement; empty: there is none.
  virtual void stream(uint64_t request, HttpAnswer head, std::unique_ptr<BodySource> body) = 0;
  virtual void wake(uint64_t request) = 0;
  virtual std::string id_of(uint64_t request) const = 0;  // what it is called; empty: it has gone
  virtual void on_gone(uint64_t request, std::function<void()> gone) = 0;
  // Behind the answers before it `fields` go out under 101, then the socket speaks another protocol.
  virtual void upgrade(uint64_t request, std::string fields, const WebSocketTerms& terms) = 0;
};

// Where a request's answer goes. Copied into callbacks; harmless when the client has gone.
class HttpReply {
 public:
  HttpReply(std::shared_ptr<HttpConnection> to, uint64_t request) : to_(std::move(to)), request_(request) {}
  void answer(HttpAnswer a) const { to_->answer(request_, std::move(a)); }
  void stream(HttpAnswer head, std::unique_ptr<BodySource> body) const {
    to_->stream(request_, std::move(head), std::move(body));
  }
  void wake() const { to_->wake(request_); }
  std::string id() const { return to_->id_of(request_); }
  // Called if the client goes before answer() or stream(), after which the source ends with it.
  void on_gone(std::function<void()> gone) const { to_->on_gone(request_, std::move(gone)); }
  void upgrade(std::string fields, const WebSocketTerms& terms) const {
    to_->upgrade(request_, std::move(fields), terms);
  }

 private:
  std::shared_ptr<HttpConnection> to_;
  uint64_t request_;
};

// Whose paths a listener's requests name.
enum class Face : uint8_t { kPlatform, kSchemaRegistry };

// `local`: the address that the client reached.
std::shared_ptr<ServerConnection> make_http_connection(std::shared_ptr<HttpContext> context,
                                                       std::unique_ptr<Transport> transport,
                                                       std::string local, Face face);

}  // namespace millrace::gateway
