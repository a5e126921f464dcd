// For the TLS tests: certificates in a directory, and a client whose handshake a test can bend.
#pragma once

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "event-gateway/http_testing.h"
#include "net/self_signed.h"

namespace millrace::gateway::testing {

class TlsClient {
 public:
  TlsClient(boost::asio::io_context& loop, uint16_t port, const std::function<void(SSL*)>& bend = nullptr)
      : loop_(loop), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::fcntl(fd_, F_SETFL, O_NONBLOCK), 0);
    SSL_set_fd(ssl_, fd_);
    SSL_set_connect_state(ssl_);
    if (bend) bend(ssl_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    if (fd_ >= 0) ::close(fd_);
  }

  bool shake() {
    return until([&] { return SSL_do_handshake(ssl_); });
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t some = std::min<size_t>(bytes.size(), 16'000);
      if (!until([&] { return SSL_write(ssl_, bytes.data(), static_cast<int>(some)); })) return false;
      bytes.remove_prefix(some);
    }
    return true;
  }
  // Until `enough`, the server's end, or time is up.
  bool receive(const std::function<bool()>& enough) {
    char piece[16'384];
    while (!enough()) {
      int size = 0;
      if (!until([&] { return size = SSL_read(ssl_, piece, sizeof piece); })) return enough();
      got.append(piece, static_cast<size_t>(size));
    }
    return true;
  }
  bool receive_text(std::string_view text) {
    return receive([&] { return got.find(text) != std::string::npos; });
  }
  bool ended() {  // with a word
    receive([] { return false; });
    return error == SSL_ERROR_ZERO_RETURN;
  }
  std::string call(std::string_view request, std::string_view end_of_answer) {
    send(request);
    receive_text(end_of_answer);
    return std::exchange(got, {});
  }
  void cut() {  // no close_notify
    ::close(std::exchange(fd_, -1));
  }
  void say_end() {
    until([&] { return SSL_shutdown(ssl_) >= 0 ? 1 : -1; });
  }
  SSL* ssl() { return ssl_; }
  int fd() const { return fd_; }

  std::string got;
  int error = 0;  // OpenSSL's, of the last call

 private:
  template <typename Do>
  bool until(Do once) {
    const auto limit = Clock::now() + std::chrono::seconds(5);
    while (Clock::now() < limit) {
      ERR_clear_error();
      const int result = once();
      if (result > 0) return true;
      error = SSL_get_error(ssl_, result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
      if (loop_.poll() == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return false;
  }

  boost::asio::io_context& loop_;
  SSL_CTX* context_;
  SSL* ssl_;
  int fd_ = -1;
};

class TlsTest : public HttpTest {
 protected:
  TlsTest() {
    char name[] = "/tmp/millrace-tls-XXXXXX";
    directory = ::mkdtemp(name);
    files = {directory + "/cert.pem", directory + "/key.pem", ""};
    write(net::make_self_signed("DNS:localhost,IP:127.0.0.1"));
  }
  ~TlsTest() override { std::filesystem::remove_all(directory); }

  void write(const net::SelfSigned& pair) const {
    put(files.certificate, pair.certificate);
    put(files.key, pair.key);
  }
  static void put(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  void start_tls() {
    server = std::make_unique<HttpServer>(loop, options, backend);
    auto certificates = TlsCertificates::open(
        files, [this](const std::string& line) { said.push_back(line); }, 50);
    ASSERT_TRUE(certificates.ok()) << certificates.error().to_string();
    auto listening = server->listen_tls("127.0.0.1", 0, std::move(*certificates));
    ASSERT_TRUE(listening.ok()) << listening.error().to_string();
    port = *listening;
  }
  int64_t metric(const std::string& name) const {
    const std::string page = server->metrics();
    const size_t at = page.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stoll(page.substr(at + name.size() + 2));
  }

  std::string directory;
  TlsFiles files;
  std::vector<std::string> said;
};

}  // namespace millrace::gateway::testing
