#include "event-gateway/tls_context.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <ctime>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace millrace::gateway {
namespace {

constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2
constexpr const char* kSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr std::string_view kProtocols = "\x08http/1.1\x08http/1.0";
constexpr std::string_view kSessions = "millrace";

template <typename T, void (*Free)(T*)>
struct Freed {
  void operator()(T* one) const { Free(one); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Source = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

Error wrong(std::string message, std::string hint) {
  return error(Code::kInvalid, "MR-API-0038", std::move(message), std::move(hint));
}

std::string openssl_reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text == nullptr ? "it cannot be read" : text;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(TlsContext::kMaxFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && in.gcount() == 0) {
    const int reason = errno;
    return error(Code::kNotFound, "MR-API-0037",
                 fmt::format("cannot read {}: {}", path, std::generic_category().message(reason)),
                 "check the path and its rights");
  }
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > TlsContext::kMaxFileBytes)
    return wrong(path + " is larger than 1 MiB", "is it the right file?");
  return text;
}

Source source_of(const std::string& text) {
  return Source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// All that stand in the file, at least one.
Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path));
  const Source source = source_of(text);
  std::vector<Certificate> all;
  ERR_clear_error();
  while (X509* one = PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (at_end && !all.empty()) {
    ERR_clear_error();
    return all;
  }
  if (at_end) {
    ERR_clear_error();
    return wrong(path + " holds no certificate",
                 "it has to be PEM: text with a line -----BEGIN CERTIFICATE-----");
  }
  return wrong(fmt::format("certificate {} in {} is damaged: {}", all.size() + 1, path, openssl_reason()),
               "take the file anew from who issued it");
}

Result<Key> read_key(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path));
  const Source source = source_of(text);
  bool encrypted = false;
  const auto ask = [](char*, int, int, void* asked) {  // else OpenSSL asks at the terminal
    *static_cast<bool*>(asked) = true;
    return -1;
  };
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(source.get(), nullptr, ask, &encrypted));
  if (key != nullptr) return key;
  if (encrypted) {
    ERR_clear_error();
    return wrong("the key in " + path + " is encrypted",
                 fmt::format("write it without its passphrase: openssl pkey -in {} -out KEY", path));
  }
  if (text.find("PRIVATE KEY-----") == std::string::npos) {
    ERR_clear_error();
    return wrong(path + " holds no private key",
                 "it has to be PEM: text with a line -----BEGIN PRIVATE KEY-----");
  }
  return wrong(fmt::format("the key in {} is damaged: {}", path, openssl_reason()),
               "take it anew from its backup");
}

int64_t unix_of(const ASN1_TIME* time) {
  std::tm utc{};
  return ASN1_TIME_to_tm(time, &utc) == 1 ? int64_t{timegm(&utc)} : 0;
}

Status check_times(X509* certificate, const std::string& path, int64_t now_s) {
  const int64_t from = unix_of(X509_get0_notBefore(certificate)),
                until = unix_of(X509_get0_notAfter(certificate));
  if (now_s > until) {
    return error(Code::kInvalid, "MR-API-0039",
                 fmt::format("the certificate in {} expired at {}", path, utc_text(until)),
                 "have it renewed; if it is, look at the machine's clock");
  }
  if (now_s < from) {
    return error(Code::kInvalid, "MR-API-0039",
                 fmt::format("the certificate in {} is valid from {} on only", path, utc_text(from)),
                 "look at the machine's clock");
  }
  return {};
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* at = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kProtocols.data());
  if (SSL_select_next_proto(&at, size, ours, static_cast<unsigned>(kProtocols.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = at;
  return SSL_TLSEXT_ERR_OK;
}

void set_terms(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_ciphersuites(context, kSuites);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A direct write that the socket takes in part goes on from where the bytes are then; idle connections hold no buffers.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets keep nothing here
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessions.data()),
                                 static_cast<unsigned>(kSessions.size()));
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
}

Status demand_certificates(SSL_CTX* context, const std::string& path) {
  TRY_ASSIGN(const auto all, read_certificates(path));
  for (const auto& one : all) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
    SSL_CTX_add_client_CA(context, one.get());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

std::string utc_text(int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc)};
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files, int64_t now_s) {
  TRY_ASSIGN(const auto chain, read_certificates(files.certificate));
  TRY_ASSIGN(const Key key, read_key(files.key));
  X509* own = chain.front().get();
  if (X509_check_private_key(own, key.get()) != 1) {
    ERR_clear_error();
    return wrong(
        fmt::format("the key in {} is not the one of the certificate in {}", files.key, files.certificate),
        "give the two that belong together; of several certificates in the file the server's own comes "
        "first");
  }
  TRY(check_times(own, files.certificate, now_s));
  std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method())));
  set_terms(made->context_);
  if (SSL_CTX_use_certificate(made->context_, own) != 1 ||
      SSL_CTX_use_PrivateKey(made->context_, key.get()) != 1) {
    return wrong(fmt::format("the certificate in {} cannot be used: {}", files.certificate, openssl_reason()),
                 "make a key of today's size: EC P-256, or RSA with 2,048 bits or more");
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(made->context_, chain[i].get());
  if (!files.client_ca.empty()) TRY(demand_certificates(made->context_, files.client_ca));
  made->expires_s_ = unix_of(X509_get0_notAfter(own));
  return std::shared_ptr<const TlsContext>(std::move(made));
}

}  // namespace millrace::gateway
