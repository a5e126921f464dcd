#include "net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "fmt/format.h"

namespace millrace::net {
namespace {

// OpenSSL's own raises SIGPIPE when the server has gone.
int send_without_signal(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(BIO_get_fd(bio, nullptr), bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

const BIO_METHOD* socket_method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_TYPE_SOCKET, "millrace socket");
    const BIO_METHOD* base = BIO_s_socket();
    BIO_meth_set_write(m, &send_without_signal);
    BIO_meth_set_read(m, BIO_meth_get_read(base));
    BIO_meth_set_ctrl(m, BIO_meth_get_ctrl(base));
    BIO_meth_set_create(m, BIO_meth_get_create(base));
    BIO_meth_set_destroy(m, BIO_meth_get_destroy(base));
    return m;
  }();
  return made;
}

std::string last_reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text == nullptr ? "it says nothing more" : text;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void expect_host(SSL* ssl, const std::string& host) {
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    return;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl, host.c_str());
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

Error not_accepted(long why, const std::string& host) {
  ERR_clear_error();
  const bool another = why == X509_V_ERR_HOSTNAME_MISMATCH || why == X509_V_ERR_IP_ADDRESS_MISMATCH;
  const bool dated = why == X509_V_ERR_CERT_HAS_EXPIRED || why == X509_V_ERR_CERT_NOT_YET_VALID;
  return error(Code::kDenied, "MR-NODE-0012",
               another ? fmt::format("the server's certificate is not for {}", host)
                       : fmt::format("the server's certificate is not accepted: {}",
                                     X509_verify_cert_error_string(why)),
               another ? "call the server by a name that its certificate has"
               : dated ? "have the server's certificate renewed; look at this machine's clock"
                       : "if you know who signed it, give that certificate with --ca FILE");
}

Error no_handshake(SSL* ssl, int result, const std::string& host) {
  const int kind = SSL_get_error(ssl, result);
  const int reason = errno;
  const long verified = SSL_get_verify_result(ssl);
  if (kind == SSL_ERROR_SSL && verified != X509_V_OK) return not_accepted(verified, host);
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (kind == SSL_ERROR_SSL && !ended) {
    return error(Code::kInvalid, "MR-NODE-0013", fmt::format("no TLS with {}: {}", host, last_reason()),
                 "is it a port that speaks TLS? without it the address begins with http://");
  }
  ERR_clear_error();
  return error(Code::kUnavailable, "MR-CLI-0001",
               fmt::format("no TLS with {}: {}", host,
                           ended || reason == 0 ? "the connection was closed"
                                                : std::generic_category().message(reason)),
               "is the server running, and does it speak TLS on this port?");
}

bool wait_for(int socket, short events, std::chrono::milliseconds timeout) {
  pollfd one{socket, events, 0};
  int n = 0;
  do {
    n = ::poll(&one, 1, timeout.count() == 0 ? -1 : static_cast<int>(timeout.count()));
  } while (n < 0 && errno == EINTR);
  return n > 0;
}

}  // namespace

Result<std::unique_ptr<TlsTrust>> TlsTrust::load(const std::string& ca_file) {
  ERR_clear_error();
  std::unique_ptr<TlsTrust> made(new TlsTrust(SSL_CTX_new(TLS_client_method())));
  SSL_CTX* context = made->context_;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return made;
  }
  if (::access(ca_file.c_str(), R_OK) != 0) {
    return error(Code::kNotFound, "MR-API-0037",
                 fmt::format("cannot read {}: {}", ca_file, std::generic_category().message(errno)),
                 "check the path and its rights");
  }
  // What the file holds is trusted, also if it has not signed itself.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return error(Code::kInvalid, "MR-API-0038",
                 fmt::format("{} holds no certificate: {}", ca_file, last_reason()),
                 "it has to be PEM: text with a line -----BEGIN CERTIFICATE-----");
  }
  return made;
}

TlsTrust::~TlsTrust() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsClient>> TlsClient::connect(const TlsTrust& trust, int socket,
                                                      const std::string& host,
                                                      std::chrono::milliseconds timeout) {
  SSL* ssl = SSL_new(trust.get());
  std::unique_ptr<TlsClient> made(new TlsClient(ssl));
  BIO* wire = BIO_new(socket_method());
  BIO_set_fd(wire, socket, BIO_NOCLOSE);
  SSL_set_bio(ssl, wire, wire);
  expect_host(ssl, host);
  while (true) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_connect(ssl);
    if (result == 1) return made;
    const int kind = SSL_get_error(ssl, result);
    if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) return no_handshake(ssl, result, host);
    if (!wait_for(socket, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, timeout)) {
      return error(Code::kDeadline, "MR-CLI-0002", fmt::format("{} does not answer the TLS handshake", host));
    }
  }
}

TlsClient::~TlsClient() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
  ERR_clear_error();
  SSL_free(ssl_);
}

ssize_t TlsClient::failed(int result) {
  const int kind = SSL_get_error(ssl_, result);
  if (kind == SSL_ERROR_ZERO_RETURN) return 0;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
    wants_ = kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    errno = EAGAIN;
    return -1;
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  ERR_clear_error();
  if (kind != SSL_ERROR_SYSCALL || errno == 0) errno = kind == SSL_ERROR_SSL && !ended ? EPROTO : ECONNRESET;
  return -1;
}

bool TlsClient::holds_more() const {
  return SSL_has_pending(ssl_) == 1;
}

ssize_t TlsClient::send(std::string_view bytes) {
  ERR_clear_error();
  errno = 0;
  size_t took = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &took);
  return result == 1 ? static_cast<ssize_t>(took) : failed(result);
}

ssize_t TlsClient::receive(char* to, size_t room) {
  ERR_clear_error();
  errno = 0;
  size_t got = 0;
  const int result = SSL_read_ex(ssl_, to, room, &got);
  return result == 1 ? static_cast<ssize_t>(got) : failed(result);
}

}  // namespace millrace::net
