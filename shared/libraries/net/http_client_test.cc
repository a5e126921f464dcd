#include "net/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

namespace millrace::net {
namespace {

// A server that reads one request a script line and answers it with the line, byte for byte, in pieces.
class Script {
 public:
  // One answer a request; a '\f' closes the connection after it. `hasty`: without waiting for the body.
  explicit Script(std::vector<std::string> answers, size_t piece = 7, bool hasty = false) : hasty_(hasty) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answers = std::move(answers), piece] { serve(answers, piece); });
  }
  ~Script() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  uint16_t port() const { return port_; }
  HttpClient client() const {
    HttpClient::Options options;
    options.token = "secret";
    options.answer = std::chrono::milliseconds(2000);
    return HttpClient({"127.0.0.1", port_}, options);
  }
  std::vector<std::string> requests;

 private:
  void serve(const std::vector<std::string>& answers, size_t piece) {
    int fd = -1;
    for (const auto& answer : answers) {
      if (fd < 0) fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      requests.push_back(read_request(fd));
      const bool closes = answer.ends_with('\f');
      const std::string bytes = closes ? answer.substr(0, answer.size() - 1) : answer;
      for (size_t at = 0; at < bytes.size(); at += piece) {
        const std::string part = bytes.substr(at, piece);
        ::send(fd, part.data(), part.size(), MSG_NOSIGNAL);
      }
      if (closes) {
        ::close(fd);
        fd = -1;
      }
    }
    if (fd >= 0) ::close(fd);
  }
  std::string read_request(int fd) const {
    std::string text;
    char piece[1024];
    while (true) {
      const size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) {
        const size_t at = text.find("Content-Length: ");
        const size_t length = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
        if (hasty_ || text.size() >= end + 4 + length) return text;
      }
      const ssize_t n = ::recv(fd, piece, sizeof piece, 0);
      if (n <= 0) return text;
      text.append(piece, static_cast<size_t>(n));
    }
  }
  const bool hasty_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST(Url, WhatIsAccepted) {
  EXPECT_EQ(parse_url("http://localhost")->port, 80);
  EXPECT_EQ(parse_url("http://127.0.0.1:8080/")->port, 8080);
  EXPECT_EQ(parse_url("http://[::1]:9")->host, "::1");
  EXPECT_EQ(parse_url("https://events.example.com/")->text(), "https://events.example.com:443");
  for (const char* bad : {"", "localhost:8080", "ftp://a", "https://", "http://", "http://a:0",
                          "http://a:99999", "http://a:x", "http://a/path", "http://u@h", "http://[]:1"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url.ok()) << bad;
    EXPECT_EQ(url.error().id, "MR-CLI-0004");
  }
}

TEST(HttpClient, LengthsChunksAndKeepAlive) {
  Script script({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nMillrace-Cursor:  7-1 \r\n\r\nhello",
                 "HTTP/1.1 200 OK\r\ntransfer-encoding: "
                 "chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n",
                 "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\n\r\nto the end\f"});
  auto client = script.client();
  const auto first = client.call({"POST", "/a", {{"X-A", "b"}}, "body"});
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  EXPECT_EQ(first->body, "hello");
  EXPECT_EQ(first->header("millrace-cursor"), "7-1");
  std::string streamed;
  const auto sink = [&](std::string_view piece) {
    streamed += piece;
    return true;
  };
  ASSERT_TRUE(client.call({"GET", "/b", {}, {}}, sink).ok());
  EXPECT_EQ(streamed, "abc0123456789abcdef");
  const auto refused = client.call({"GET", "/c", {}, {}}, sink);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, 404);
  EXPECT_EQ(refused->body, "{}");  // an error's body is not streamed
  EXPECT_EQ(client.call({"GET", "/d", {}, {}})->body, "to the end");
  EXPECT_EQ(script.requests[0].substr(0, 18), "POST /a HTTP/1.1\r\n");
  EXPECT_NE(script.requests[0].find("Authorization: Bearer secret\r\n"), std::string::npos);
  EXPECT_NE(script.requests[0].find("Content-Length: 4\r\n"), std::string::npos);
}

TEST(HttpClient, AConnectionThatWasIdleIsOpenedAgain) {
  Script script(
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1\f", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"});
  auto client = script.client();
  EXPECT_EQ(client.call({"GET", "/", {}, {}})->body, "1");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto second = client.call({"GET", "/", {}, {}});
  ASSERT_TRUE(second.ok()) << second.error().to_string();
  EXPECT_EQ(second->body, "2");
}

TEST(HttpClient, AnAnswerThatBreaksOffIsAnError) {
  Script script({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf\f"});
  const auto answer = script.client().call({"GET", "/", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().id, "MR-CLI-0001");
}

// A server that says no after the header and goes, while the body is still on its way.
TEST(HttpClient, ARefusalInTheMiddleOfABodyIsTheAnswer) {
  Script script({"HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!\f"}, 1000, true);
  auto client = script.client();
  const auto answer = client.call({"POST", "/", {}, std::string(30u << 20, 'x')});
  ASSERT_TRUE(answer.ok()) << answer.error().to_string();
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->body, "no!");
}

TEST(HttpClient, InterimAnswersArePassedOver) {
  Script script(
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "1\r\n\r\n1\f"});
  EXPECT_EQ(script.client().call({"GET", "/", {}, {}})->body, "1");
  std::string endless;
  for (int i = 0; i <= HttpClient::kMaxInterim; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  Script more({endless + "\f"}, 1000);
  EXPECT_EQ(more.client().call({"GET", "/", {}, {}}).error().id, "MR-CLI-0003");
}

TEST(HttpClient, WhatIsNoHttpIsRefused) {
  for (const char* text :
       {"SSH-2.0-OpenSSH\r\n\r\n\f", "HTTP/1.1 abc\r\n\r\n\f", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n\f",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n\f",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\f"}) {
    Script script({text});
    const auto answer = script.client().call({"GET", "/", {}, {}});
    ASSERT_FALSE(answer.ok()) << text;
    EXPECT_EQ(answer.error().id, "MR-CLI-0003") << text;
  }
}

TEST(HttpClient, ASinkMayHaveEnough) {
  Script script({"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxxxxxxxxxxxxxxxxxxx\f"});
  auto client = script.client();
  const auto answer = client.call({"GET", "/", {}, {}}, [](std::string_view) { return false; });
  EXPECT_TRUE(answer.ok());
}

TEST(HttpClient, NobodyThere) {
  HttpClient client({"127.0.0.1", 1}, {});
  const auto answer = client.call({"GET", "/", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().id, "MR-CLI-0001");
  EXPECT_TRUE(retryable(answer.error().code));
}

TEST(HttpClient, WhatWaitsIsCancelled) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  Script server({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"});
  HttpClient::Options options;
  options.answer = std::chrono::milliseconds(0);
  options.cancel_fd = pipe[0];
  HttpClient client({"127.0.0.1", server.port()}, options);
  std::string got;
  const auto answer = client.call({"GET", "/", {}, {}}, [&](std::string_view piece) {
    got = piece;
    return ::write(pipe[1], "x", 1) == 1;
  });
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(got, "a");
  EXPECT_EQ(answer.error().id, "MR-CLI-0015");
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace millrace::net
