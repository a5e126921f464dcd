// WebSocketSession: what a WebSocket client says and is told: events in, acknowledged when they are durable; subscriptions
// out. JSON messages, docs/api/websocket.md.
//
// Knows nothing of frames and sockets: take() gets a message's text, the peer sends what it is given. Subscriptions are
// pulled, by send_next(), when there is room to send: a slow client costs its own place, never memory.
// Publishes go the way of HTTP's requests, by HttpBackend::ingest.
// Bound:   kMaxSubscriptions; publishes in flight by the peer, which gives no further message to take(). A message of
//          events ends at 64 KiB or behind the event that goes over.
// Threads: the core loop's. After end() callbacks find nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event-gateway/http_context.h"
#include "event-gateway/row_encoder.h"
#include "event-gateway/websocket_command.h"

namespace millrace::gateway {

// Who carries a session's messages.
class WebSocketPeer {
 public:
  virtual ~WebSocketPeer() = default;
  virtual void send(std::string_view message) = 0;
  virtual void send_binary(std::string_view message) = 0;
  virtual void wake() = 0;  // send_next() has something
};

class WebSocketSession : public std::enable_shared_from_this<WebSocketSession> {
 public:
  static constexpr size_t kMaxSubscriptions = 64;

  WebSocketSession(HttpContext& context, TenantId tenant, CallerPtr caller, WebSocketPeer& peer);
  ~WebSocketSession();

  void take(std::string_view message);  // with Buffer::kPadding readable bytes behind it
  bool send_next();  // a message of a subscription, and the rows that belong to it; false: nothing is ready
  bool has_ready() const;
  size_t in_flight() const { return in_flight_; }  // publishes without an answer
  void end_subscriptions();
  void end();

 private:
  struct Feed;

  void publish(const WebSocketCommand& command);
  void acknowledge(const std::string& id, Result<IngestAnswer> result);
  void subscribe(const WebSocketCommand& command);
  Status subscribe_to_stream(const WebSocketCommand& command);
  Status subscribe_to_view(const WebSocketCommand& command);
  void begin_feed(uint64_t number, std::unique_ptr<engine::Subscription> events, std::string_view cursor);
  void unsubscribe(const WebSocketCommand& command);
  void refuse(std::string_view id, const Error& failure);
  Feed* feed_of(uint64_t number);
  Feed& add_feed(std::string_view id);
  Result<std::unique_ptr<RowEncoder>> encoder_of(
      const WebSocketCommand& command) const;  // null: JSON is wanted
  void end_feed(size_t index);
  bool send_events(Feed& feed);
  bool send_encoded(Feed& feed);
  void say_ended(const Feed& feed, std::string& out);
  void send(std::string_view message);

  HttpContext& context_;
  const TenantId tenant_;
  const CallerPtr caller_;
  WebSocketPeer* peer_;  // null: it is gone
  size_t in_flight_ = 0;
  std::vector<std::unique_ptr<Feed>> feeds_;
  size_t turn_ = 0;      // of feeds_: who is pulled next
  std::string message_;  // the one that is being made
  uint64_t next_number_ = 0;
};

}  // namespace millrace::gateway
