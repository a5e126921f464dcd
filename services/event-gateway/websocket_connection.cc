#include "event-gateway/websocket_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "event-gateway/http_context.h"
#include "event-gateway/socket_output.h"
#include "event-gateway/websocket_frame.h"
#include "event-gateway/websocket_session.h"
#include "formats/text_types.h"

namespace millrace::gateway {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr size_t kInput = 4 * 1024;       // a connection's first buffer
constexpr size_t kBusyInput = 16 * 1024;  // of one whose frames do not fit into it
constexpr size_t kPiece = 64 * 1024;      // of subscriptions, until the client has taken it
constexpr size_t kMaxUnsent = 1u << 20;   // then nothing more is read
constexpr size_t kCompressFrom = 256;     // an acknowledgement is not worth it
constexpr int kRounds = 16;               // then others have their turn
constexpr int64_t kLingerMs = 1'000;
constexpr int64_t kSlowLingerMs = 5'000;  // for a client that took nothing to hear why it is cut off
constexpr int64_t kNever = INT64_MAX;

class WebSocketConnection final : public ServerConnection, public WebSocketPeer {
 public:
  WebSocketConnection(std::shared_ptr<HttpContext> context, std::unique_ptr<Transport> transport,
                      const WebSocketTerms& terms, std::string input)
      : shared_(std::move(context)),
        ctx_(*shared_),
        transport_(std::move(transport)),
        terms_(terms),
        decoder_(std::min(kMaxWebSocketMessage, ctx_.options.max_body_bytes), terms.deflate.has_value()),
        input_(std::move(input)),
        end_(input_.size()),
        output_(ctx_.counters.bytes_out),
        session_(std::make_shared<WebSocketSession>(ctx_, terms.tenant, terms.caller, *this)) {
    input_.resize(std::max(input_.size(), kInput));
    ++ctx_.counters.websockets;
  }
  ~WebSocketConnection() override { --ctx_.counters.websockets; }

  void start() override {
    heard_ms_ = ctx_.now_ms;
    run();
  }
  void tick(int64_t now_ms) override;
  void drain() override;
  void close() override;
  bool busy() const override { return session_->in_flight() > 0 || output_.writing() || lingering_; }
  void send(std::string_view message) override { send_as(WsOpcode::kText, message); }
  void send_binary(std::string_view message) override { send_as(WsOpcode::kBinary, message); }
  void wake() override;

 private:
  // kClosing: no further message is taken; the close frame goes out behind the answers that are still to come.
  // kClosed: it is in the output, the connection ends behind it.
  enum class Phase : uint8_t { kOpen, kClosing, kClosed };

  bool limited() const;
  void arm_read();
  void on_read(const ErrorCode& ec, size_t bytes);
  void parse();
  void listen_for_close();
  void take(WsDecoder::Got got);
  void take_message();
  void count_arriving();
  void begin_close(WsClose code, std::string reason);
  void send_as(WsOpcode opcode, std::string_view message);
  void pull();
  void write_close();
  void write_output();
  void on_sent(SocketOutput::Sent sent);
  void finish_sending();
  void post_run();
  bool can_go_on() const;
  void run();
  std::shared_ptr<WebSocketConnection> self() {
    return std::static_pointer_cast<WebSocketConnection>(shared_from_this());
  }

  const std::shared_ptr<HttpContext> shared_;
  HttpContext& ctx_;
  const std::unique_ptr<Transport> transport_;
  const WebSocketTerms terms_;
  WsDecoder decoder_;
  std::string input_;
  size_t begin_ = 0, end_ = 0;  // of input_: what is not decoded yet
  size_t counted_ = 0;          // in the context's arriving_bytes
  SocketOutput output_;
  const std::shared_ptr<WebSocketSession> session_;

  Phase phase_ = Phase::kOpen;
  WsClose close_code_ = WsClose::kNormal;
  std::string close_reason_;
  bool running_ = false, again_ = false, posted_ = false;
  bool reading_ = false, parse_waits_ = false;
  bool pinged_ = false;       // and nothing was heard since
  bool heard_close_ = false;  // or what can be read as nothing any more
  bool lingering_ = false, half_closed_ = false, closed_ = false;
  int64_t heard_ms_ = 0;
  int64_t grew_ms_ = 0;  // when the message that arrives last did
  int64_t write_deadline_ = kNever, end_deadline_ = kNever;
};

// ---- input

bool WebSocketConnection::limited() const {
  return phase_ != Phase::kOpen || session_->in_flight() >= ctx_.options.max_in_flight ||
         output_.unsent() > kMaxUnsent;
}

void WebSocketConnection::arm_read() {
  if (closed_ || reading_ || (parse_waits_ && !lingering_)) return;
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == input_.size()) return;
  reading_ = true;
  transport_->async_read_some(
      asio::buffer(input_.data() + end_, input_.size() - end_),
      [self = self()](const ErrorCode& ec, size_t bytes) { self->on_read(ec, bytes); });
}

void WebSocketConnection::on_read(const ErrorCode& ec, size_t bytes) {
  reading_ = false;
  if (closed_) return;
  if (ec) return close();  // without a close frame it has not ended, it is gone
  ctx_.counters.bytes_in += bytes;
  heard_ms_ = ctx_.now_ms;
  pinged_ = false;
  end_ += bytes;
  if (end_ == input_.size() && end_ < kBusyInput) input_.resize(kBusyInput);
  run();
}

void WebSocketConnection::parse() {
  parse_waits_ = false;
  while (begin_ < end_ && phase_ == Phase::kOpen) {
    if (limited()) {
      parse_waits_ = true;
      return;
    }
    size_t used = 0;
    const auto got = decoder_.next(std::string_view(input_).substr(begin_, end_ - begin_), used);
    begin_ += used;
    take(got);
    count_arriving();
    if (got == WsDecoder::Got::kMore) break;
  }
  if (phase_ != Phase::kOpen) listen_for_close();
}

// What answers our close frame; all else is thrown away.
void WebSocketConnection::listen_for_close() {
  while (begin_ < end_ && !heard_close_) {
    size_t used = 0;
    const auto got = decoder_.next(std::string_view(input_).substr(begin_, end_ - begin_), used);
    begin_ += used;
    heard_close_ = got == WsDecoder::Got::kClose || got == WsDecoder::Got::kBad;
    if (got == WsDecoder::Got::kMore) return;  // half a head stays
  }
  begin_ = end_;
}

void WebSocketConnection::take(WsDecoder::Got got) {
  switch (got) {
    case WsDecoder::Got::kMore:
    case WsDecoder::Got::kPong:
      return;
    case WsDecoder::Got::kMessage:
      take_message();
      return decoder_.message_done();
    case WsDecoder::Got::kPing:
      return append_ws_frame(output_.bytes, WsOpcode::kPong, decoder_.control());
    case WsDecoder::Got::kClose:
      heard_close_ = true;
      return begin_close(decoder_.close_code(), {});
    case WsDecoder::Got::kBad:
      heard_close_ = true;
      ++ctx_.counters.bad_framing;
      return begin_close(decoder_.close_code(), std::string(decoder_.complaint()));
  }
}

void WebSocketConnection::take_message() {
  if (!decoder_.is_text()) return begin_close(WsClose::kUnsupported, "messages are JSON, as text");
  if (!decoder_.is_compressed()) return session_->take(decoder_.message());
  BodyBuffer inflated;
  const size_t most = std::min(kMaxWebSocketMessage, ctx_.options.max_body_bytes);
  switch (ctx_.compression.inflate(decoder_.message(), most, inflated)) {
    case WsCompression::Inflated::kTooLarge:
      return begin_close(WsClose::kTooLarge, "the message is too large");
    case WsCompression::Inflated::kDamaged:
      ++ctx_.counters.bad_framing;
      return begin_close(WsClose::kNotUtf8, "a compressed message that is damaged");
    case WsCompression::Inflated::kWhole:
      break;
  }
  if (!formats::is_utf8(inflated.view()))
    return begin_close(WsClose::kNotUtf8, "a text message that is not UTF-8");
  session_->take(inflated.view());
}

// Who makes it too much is closed, nobody else.
void WebSocketConnection::count_arriving() {
  const size_t held = decoder_.held_bytes();
  const bool grew = held > counted_;
  ctx_.arriving_bytes += held - counted_;
  counted_ = held;
  if (!grew) return;
  grew_ms_ = ctx_.now_ms;
  if (ctx_.arriving_bytes > ctx_.options.max_arriving_bytes)
    begin_close(WsClose::kTryLater, "too many large messages arrive at once");
}

// ---- output

void WebSocketConnection::send_as(WsOpcode opcode, std::string_view message) {
  if (closed_ || phase_ == Phase::kClosed) return;
  std::string_view small;
  if (terms_.deflate && message.size() >= kCompressFrom)
    small = ctx_.compression.deflate(message, terms_.deflate->window_bits);
  append_ws_frame(output_.bytes, opcode, small.empty() ? message : small, !small.empty());
  if (running_) {
    again_ = true;
  } else if (session_->in_flight() > 0) {
    post_run();  // more answers of the same group follow at once: one write for all
  } else {
    run();
  }
}

// From inside a subscription, which must not be ended while it is on the stack.
void WebSocketConnection::wake() {
  if (running_) {
    again_ = true;
  } else {
    post_run();
  }
}

void WebSocketConnection::begin_close(WsClose code, std::string reason) {
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kClosing;
  close_code_ = code;
  close_reason_ = std::move(reason);
  end_deadline_ = ctx_.now_ms + ctx_.options.write_timeout.count();
  session_->end_subscriptions();
  decoder_.discard();
  count_arriving();
}

void WebSocketConnection::pull() {
  const auto has_room = [&] {
    return phase_ == Phase::kOpen && !output_.writing() && output_.bytes.size() < kPiece;
  };
  while (has_room() && session_->send_next()) {
  }
}

void WebSocketConnection::write_close() {
  if (phase_ != Phase::kClosing || session_->in_flight() > 0) return;
  phase_ = Phase::kClosed;
  if (close_code_ == WsClose::kNoStatus) {
    append_ws_frame(output_.bytes, WsOpcode::kClose, {});
  } else {
    append_ws_close(output_.bytes, close_code_, close_reason_);
  }
}

void WebSocketConnection::write_output() {
  if (closed_ || output_.writing()) return;
  switch (output_.send(*transport_)) {
    case SocketOutput::Sent::kFailed:
      return close();
    case SocketOutput::Sent::kPart:
      write_deadline_ = ctx_.now_ms + ctx_.options.write_timeout.count();
      return output_.go_on(*transport_, [self = self()](SocketOutput::Sent sent) { self->on_sent(sent); });
    case SocketOutput::Sent::kAll:
      if (phase_ == Phase::kClosed) finish_sending();
  }
}

void WebSocketConnection::on_sent(SocketOutput::Sent sent) {
  if (sent == SocketOutput::Sent::kFailed) return close();
  const bool all = sent == SocketOutput::Sent::kAll;
  write_deadline_ = all ? kNever : ctx_.now_ms + ctx_.options.write_timeout.count();
  if (all) run();
}

// The close frame is out. The client's is waited for: to a browser a connection that ends before it has sent its own
// has not ended cleanly (RFC 6455 7.1.4). What it may still be sending is read away for a moment: closing on it would
// make the kernel throw the frame away as well.
void WebSocketConnection::finish_sending() {
  if (!std::exchange(lingering_, true)) end_deadline_ = ctx_.now_ms + kLingerMs;
  if (!heard_close_ || std::exchange(half_closed_, true)) return;
  if (!transport_->shutdown_send()) close();
}

void WebSocketConnection::post_run() {
  if (std::exchange(posted_, true)) return;
  ctx_.post([self = self()] {
    self->posted_ = false;
    self->run();
  });
}

bool WebSocketConnection::can_go_on() const {
  return again_ || (parse_waits_ && !limited()) || (phase_ == Phase::kOpen && session_->has_ready());
}

// The one place where things happen: read what is there, take what is to be sent, send it; again while that lets more
// happen.
void WebSocketConnection::run() {
  if (closed_) return;
  if (running_) {
    again_ = true;
    return;
  }
  running_ = true;
  const auto keep = shared_from_this();
  for (int round = 0; !closed_; ++round) {
    again_ = false;
    parse();
    pull();
    write_close();
    write_output();
    if (closed_ || output_.writing() || !can_go_on()) break;
    // The next piece of a subscription waits for its turn: ten thousand events would hold up everybody's answers.
    if (round == kRounds || session_->has_ready()) {
      post_run();
      break;
    }
  }
  running_ = false;
  arm_read();
}

void WebSocketConnection::tick(int64_t now_ms) {
  if (closed_) return;
  if (now_ms >= end_deadline_) return close();
  const int64_t heartbeat = ctx_.options.heartbeat.count();
  if (now_ms >= write_deadline_) {
    ++ctx_.counters.timeouts;
    write_deadline_ = kNever;
    begin_close(WsClose::kPolicy, "the client takes nothing: too slow");
    end_deadline_ = now_ms + kSlowLingerMs;
    return run();
  }
  if (phase_ != Phase::kOpen) return;
  if (!ctx_.handlers.is_good(terms_.caller)) {
    begin_close(WsClose::kPolicy, "the access token is no longer good");
    return run();
  }
  if (limited()) heard_ms_ = grew_ms_ = now_ms;  // nothing is read: its silence is ours
  if (counted_ > 0 && now_ms - grew_ms_ >= ctx_.options.body_timeout.count()) {
    ++ctx_.counters.timeouts;
    begin_close(WsClose::kPolicy, "the message stopped arriving");
    return run();
  }
  if (now_ms - heard_ms_ >= 2 * heartbeat) {
    ++ctx_.counters.timeouts;
    begin_close(WsClose::kPolicy, "the client is silent: it answers no ping");
    return run();
  }
  if (now_ms - heard_ms_ >= heartbeat && !std::exchange(pinged_, true)) {
    append_ws_frame(output_.bytes, WsOpcode::kPing, {});
    run();
  }
}

void WebSocketConnection::drain() {
  if (closed_) return;
  begin_close(WsClose::kGoingAway, "the server is stopping");
  if (!lingering_) end_deadline_ = ctx_.now_ms + ctx_.options.drain_timeout.count();
  run();
}

void WebSocketConnection::close() {
  if (std::exchange(closed_, true)) return;
  session_->end();
  ctx_.arriving_bytes -= counted_;
  output_.close();
  transport_->close();
  const auto keep = shared_from_this();
  ctx_.remove(*this);
}

}  // namespace

std::shared_ptr<ServerConnection> make_websocket_connection(std::shared_ptr<HttpContext> context,
                                                            std::unique_ptr<Transport> transport,
                                                            const WebSocketTerms& terms, std::string input) {
  return std::make_shared<WebSocketConnection>(std::move(context), std::move(transport), terms,
                                               std::move(input));
}

}  // namespace millrace::gateway
