// TlsClient: TLS over a connected socket, the client's side. TlsTrust: whom it believes.
//
// Verifies: the server's certificate leads to one that is trusted, is valid now, and is for the host that was asked for. There
//           is no way to leave that out.
// Errors:   MR-API-0037, MR-API-0038 the file of certificates; MR-NODE-0012 the server's certificate is not accepted;
//           MR-NODE-0013 no TLS comes about; MR-CLI-0001, MR-CLI-0002 the connection ends, nothing comes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace millrace::net {

class TlsTrust {
 public:
  // `ca_file`: PEM, trusted and nothing else; empty: what the machine trusts.
  static Result<std::unique_ptr<TlsTrust>> load(const std::string& ca_file);
  TlsTrust(const TlsTrust&) = delete;
  TlsTrust& operator=(const TlsTrust&) = delete;
  ~TlsTrust();
  ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsTrust(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

class TlsClient {
 public:
  // Shakes hands over a non-blocking socket; `timeout` 0: for ever.
  static Result<std::unique_ptr<TlsClient>> connect(const TlsTrust& trust, int socket,
                                                    const std::string& host,
                                                    std::chrono::milliseconds timeout);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();  // says that nothing more comes; the socket is the caller's

  // As ::send and ::recv: bytes, 0 at the server's end, or -1 with errno: EAGAIN until the socket is ready for wants(),
  // ECONNRESET: it ended without saying so, EPROTO: what comes is not what TLS allows.
  ssize_t send(std::string_view bytes);
  ssize_t receive(char* to, size_t room);
  short wants() const { return wants_; }  // POLLIN or POLLOUT
  bool holds_more() const;                // received and not yet read

 private:
  explicit TlsClient(ssl_st* ssl) : ssl_(ssl) {}
  ssize_t failed(int result);

  ssl_st* ssl_;
  short wants_ = 0;
};

}  // namespace millrace::net
