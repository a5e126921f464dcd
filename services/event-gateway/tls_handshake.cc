#include "event-gateway/tls_handshake.h"

#include <utility>

#include "event-gateway/http_context.h"
#include "event-gateway/http_status.h"
#include "event-gateway/listener.h"

namespace millrace::gateway {
namespace {

class TlsHandshake final : public ServerConnection {
 public:
  TlsHandshake(std::shared_ptr<HttpContext> context, int socket, std::string local,
               std::shared_ptr<const TlsContext> tls, Face face)
      : shared_(std::move(context)),
        ctx_(*shared_),
        local_(std::move(local)),
        face_(face),
        transport_(std::make_unique<Transport>(ctx_.loop, socket,
                                               std::make_unique<TlsSession>(std::move(tls), socket))) {}

  void start() override {
    deadline_ = ctx_.now_ms + ctx_.options.handshake_timeout.count();
    transport_->async_handshake([self = std::static_pointer_cast<TlsHandshake>(shared_from_this())](
                                    Transport::Handshake result) { self->ended(result); });
  }
  void tick(int64_t now_ms) override {
    if (closed_ || now_ms < deadline_) return;
    ++ctx_.counters.timeouts;
    close();
  }
  void drain() override { close(); }
  void close() override {
    if (std::exchange(closed_, true)) return;
    transport_->close();
    const auto keep = shared_from_this();
    ctx_.remove(*this);
  }
  bool busy() const override { return false; }

 private:
  void ended(Transport::Handshake result) {
    if (closed_) return;
    if (result == Transport::Handshake::kDone) {
      ++ctx_.counters.handshakes;
      return hand_over();
    }
    ++ctx_.counters.handshakes_failed;
    if (result == Transport::Handshake::kPlainText) answer_in_plain();
    close();
  }

  void hand_over() {
    closed_ = true;
    const auto keep = shared_from_this();
    auto next = make_http_connection(shared_, std::move(transport_), std::move(local_), face_);
    ctx_.replace(*this, next);
    next->start();
  }

  void answer_in_plain() {
    const int socket = transport_->release();
    if (socket < 0) return;
    answer_and_close(socket, problem(400, error(Code::kInvalid, "MR-API-0036",
                                                "this port speaks TLS, and the request came without",
                                                "call it by https://")));
  }

  const std::shared_ptr<HttpContext> shared_;
  HttpContext& ctx_;
  std::string local_;
  const Face face_;
  std::unique_ptr<Transport> transport_;
  int64_t deadline_ = INT64_MAX;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<ServerConnection> make_tls_handshake(std::shared_ptr<HttpContext> context, int socket,
                                                     std::string local, std::shared_ptr<const TlsContext> tls,
                                                     Face face) {
  return std::make_shared<TlsHandshake>(std::move(context), socket, std::move(local), std::move(tls), face);
}

}  // namespace millrace::gateway
