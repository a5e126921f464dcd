// HttpClient: one keep-alive HTTP/1.1 connection, blocking, with TLS if the URL says so. What the command line and the benchmarks speak.
//
// Why:     the client needs a hundred lines of HTTP, not a server's library; it starts fast and links
//          nothing.
// Answers: by content length, chunked, or to the end of the connection; whole (bounded) or in pieces as they
//          come.
// Retries: none here. A connection that the server had closed while it was idle is opened again once, before
//          anything of the request's answer was seen.
// Bounds:  header 64 KB, whole answer kMaxAnswer, time-outs of Options.
// Errors:  MR-CLI-0001 cannot reach, MR-CLI-0002 time-out, MR-CLI-0003 not HTTP, MR-CLI-0004 bad URL, MR-CLI-0015 cancelled; those of TlsClient.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/tls_client.h"

namespace millrace::net {

struct Url {
  std::string host;
  uint16_t port = 80;
  bool tls = false;
  std::string text() const;  // scheme://host:port
};
Result<Url> parse_url(std::string_view text);  // http://host[:port][/] or https://…

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // empty if the answer was streamed

  std::string header(const std::string& name) const;  // empty if it is not there
};

class HttpClient {
 public:
  struct Options {
    std::string token;    // sent as Authorization: Bearer
    std::string ca_file;  // whom https:// trusts; empty: whom the machine does
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds answer{120'000};  // between two pieces of an answer; 0: for ever
    std::chrono::milliseconds whole{0};  // from the call to its end, but for looking up the name; 0: for ever
    int cancel_fd = -1;                  // once it is readable, what waits ends with MR-CLI-0015
  };
  static constexpr size_t kMaxHeader = 64u << 10;
  static constexpr size_t kMaxAnswer = 256u << 20;
  static constexpr int kMaxInterim = 100;

  // Gets the pieces of a 2xx answer's body; false ends the call and closes the connection.
  using Sink = std::function<bool(std::string_view piece)>;

  HttpClient(Url url, Options options) : url_(std::move(url)), options_(std::move(options)) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { close(); }

  // With a sink, only a 2xx answer's body goes there; another one's is in the answer.
  Result<HttpAnswer> call(const HttpRequest& request, const Sink& sink = nullptr);
  void close();

 private:
  Status connect();
  Status connect_socket();
  Status wait_for(short events, std::string_view too_late);
  Status send_all(std::string_view bytes);
  // Appends to buffer_; answers false at the end of the connection.
  Result<bool> receive();
  Result<HttpAnswer> read_head();
  Result<HttpAnswer> read_one_head();
  Status read_body(HttpAnswer& answer, const Sink& sink);
  Status read_sized(uint64_t length, HttpAnswer& answer, const Sink& sink);
  Status read_chunked(HttpAnswer& answer, const Sink& sink);
  Status read_to_end(HttpAnswer& answer, const Sink& sink);
  Result<std::string> read_line();
  Status deliver(std::string_view piece, HttpAnswer& answer, const Sink& sink);
  std::string render(const HttpRequest& request) const;
  Error unreachable(const std::string& why) const;
  std::chrono::milliseconds at_most(
      std::chrono::milliseconds wait) const;  // what the whole call has left of it

  Url url_;
  Options options_;
  int fd_ = -1;
  std::unique_ptr<TlsTrust> trust_;
  std::unique_ptr<TlsClient> tls_;  // null: none, or not connected
  std::string buffer_;              // received, not yet used
  bool stopped_ = false;            // the sink has had enough
  bool received_ = false;           // anything of the answer under way
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace millrace::net
