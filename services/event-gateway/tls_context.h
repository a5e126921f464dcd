// TlsContext: what the sessions of a TLS listener have in common: its certificate, its key, and what it agrees to speak.
//
// Speaks:  TLS 1.3 and 1.2 with forward secrecy and authenticated ciphers, ALPN http/1.1, resumption by tickets; no
//          renegotiation, compression or early data.
// Threads: immutable after load(); sessions share it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace millrace::gateway {

struct TlsFiles {
  std::string certificate;  // PEM: the server's own, then those that lead to its root
  std::string key;          // PEM, not encrypted
  std::string
      client_ca;  // PEM: clients need a certificate that one of these has signed; empty: they need none
};

class TlsContext {
 public:
  static constexpr size_t kMaxFileBytes = 1u << 20;

  // MR-API-0037: a file cannot be read. MR-API-0038: it is not what it should be, or the two do not belong together.
  // MR-API-0039: the certificate is not valid now.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files, int64_t now_s);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  ssl_ctx_st* get() const { return context_; }
  int64_t expires_s() const { return expires_s_; }  // Unix time

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* context_;
  int64_t expires_s_ = 0;
};

std::string utc_text(int64_t unix_s);  // 2026-01-31 12:00:00 UTC

}  // namespace millrace::gateway
