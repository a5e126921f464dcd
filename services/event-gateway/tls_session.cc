#include "event-gateway/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

namespace millrace::gateway {
namespace {

constexpr size_t kInput = 4 * 1024;       // a session's first buffer
constexpr size_t kBusyInput = 17 * 1024;  // of one whose bytes do not fit into it: a whole record does

}  // namespace

// What OpenSSL reads from and writes to.
struct TlsWire {
  static TlsSession& of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int room) {
    TlsSession& session = of(bio);
    BIO_clear_retry_flags(bio);
    const size_t size = std::min(session.end_ - session.begin_, static_cast<size_t>(room));
    if (size == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(to, session.input_.data() + session.begin_, size);
    session.begin_ += size;
    return static_cast<int>(size);
  }
  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    ssize_t sent = 0;
    do {
      sent = ::send(of(bio).socket_, from, static_cast<size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "millrace wire");
      BIO_meth_set_read(m, &read);
      BIO_meth_set_write(m, &write);
      BIO_meth_set_ctrl(m, &control);
      return m;
    }();
    return made;
  }
};

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, int socket)
    : context_(std::move(context)), socket_(socket), ssl_(SSL_new(context_->get())), input_(kInput) {
  BIO* wire = BIO_new(TlsWire::method());
  BIO_set_data(wire, this);
  BIO_set_init(wire, 1);
  SSL_set_bio(ssl_, wire, wire);
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
}

std::span<char> TlsSession::room() {
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == input_.size()) input_.resize(input_.size() < kBusyInput ? kBusyInput : 2 * input_.size());
  return {input_.data() + end_, input_.size() - end_};
}

void TlsSession::received(size_t bytes) {
  end_ += bytes;
  if (end_ == input_.size() && end_ < kBusyInput) input_.resize(kBusyInput);
}

bool TlsSession::begins_as_text() const {
  return begin_ < end_ && std::isalpha(static_cast<unsigned char>(input_[begin_])) != 0;
}

bool TlsSession::has_input() const {
  return begin_ < end_ || failed_ || SSL_has_pending(ssl_) == 1 ||
         (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

TlsSession::Step TlsSession::step_of(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Step::kWantsInput;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantsRoom;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kEnded;
    default:
      failed_ = true;
      ERR_clear_error();
      return Step::kFailed;
  }
}

TlsSession::Step TlsSession::shake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  return result == 1 ? Step::kDone : step_of(result);
}

TlsSession::Step TlsSession::read(char* to, size_t room, size_t& got) {
  if (failed_) return Step::kFailed;
  got = 0;
  while (got < room) {
    ERR_clear_error();
    size_t size = 0;
    const int result = SSL_read_ex(ssl_, to + got, room - got, &size);
    if (result != 1) {
      const Step step = step_of(result);
      return got > 0 ? Step::kDone : step;  // what ends it is told by the next read
    }
    got += size;
    if (begin_ == end_ && SSL_pending(ssl_) == 0) break;
  }
  return Step::kDone;
}

TlsSession::Step TlsSession::write(std::string_view bytes, size_t& took) {
  took = 0;
  if (failed_) return Step::kFailed;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &took);
  if (result == 1) return Step::kDone;
  const Step step = step_of(result);
  return step == Step::kWantsRoom ? step : Step::kFailed;
}

void TlsSession::say_end() {
  if (failed_ || SSL_is_init_finished(ssl_) != 1 || (SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace millrace::gateway
