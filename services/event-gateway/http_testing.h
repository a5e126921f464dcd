// For the HTTP tests: a backend that answers what a test says, and a client that speaks bytes. One thread:
// whenever the client waits, it turns the server's loop.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "event-gateway/http_server.h"

namespace millrace::gateway::testing {

using Clock = std::chrono::steady_clock;

struct SeenIngest {
  TenantId tenant;
  std::string stream, body, key;
  IngestRequest::Format format;
  Ingest::Done done;
  uint32_t part;
};

// A stream's events in memory. Cut = 10 + the event's number.
class FakeStreams final : public engine::StreamReads {
 public:
  class Live final : public engine::Subscription {
   public:
    Live(FakeStreams& streams, size_t at) : streams_(streams), at_(at) { streams_.live.push_back(this); }
    ~Live() override { std::erase(streams_.live, this); }
    Result<size_t> pull(size_t max_rows, const engine::RowVisit& visit) override {
      if (streams_.failure) return *streams_.failure;
      size_t rows = 0;
      for (; rows < max_rows && at_ < streams_.events.size(); ++rows, ++at_, ++streams_.pulled) {
        visit(streams_.events[at_], engine::to_cursor(place(at_ + 1)));
      }
      return rows;
    }
    void ready() { notify(); }

   private:
    FakeStreams& streams_;
    size_t at_;
  };

  static engine::StreamPlace place(size_t number) { return {Cut(10 + number), 0}; }
  engine::StreamPlace start_of(const engine::StreamDef&) override { return place(0); }
  engine::StreamPlace end_of() override { return place(events.size()); }
  void read(engine::StreamReadRequest request,
            std::function<void(Result<engine::StreamReadAnswer>)> done) override {
    requests.push_back(request);
    if (failure) return done(*failure);
    if (requests.size() == fail_read) return done(error(Code::kCorrupt, "MR-TEST-0004", "a damaged page"));
    engine::StreamReadAnswer answer;
    size_t at = first_of(request);
    for (size_t bytes = 0;
         at < events.size() && answer.events.size() < request.limit && bytes < request.max_bytes; ++at) {
      answer.events.push_back(
          {PartitionId(0), Offset(static_cast<int64_t>(at)), AppendTime(0), events[at], place(at + 1)});
      bytes += events[at].size();
    }
    answer.next = place(at);
    answer.at_end = at == events.size();
    done(std::move(answer));
  }
  Result<std::unique_ptr<engine::Subscription>> follow(engine::StreamReadRequest request, bool) override {
    requests.push_back(request);
    return std::unique_ptr<engine::Subscription>(std::make_unique<Live>(*this, first_of(request)));
  }
  void add(std::string event) {
    events.push_back(std::move(event));
    for (auto* one : std::vector<Live*>(live)) one->ready();
  }
  size_t first_of(const engine::StreamReadRequest& r) const {
    if (r.offset) return static_cast<size_t>(r.offset->value);
    return r.place ? r.place->cut.value - 10 : 0;
  }

  std::deque<std::string> events;
  std::optional<Error> failure;
  size_t fail_read = 0;  // the number of the request that fails, from 1
  std::vector<Live*> live;
  std::vector<engine::StreamReadRequest> requests;
  size_t pulled = 0;
};

struct HttpAnswerSeen {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

class Client {
 public:
  Client(boost::asio::io_context& loop, uint16_t port, int receive_buffer = 0) : loop_(loop) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(fd_); }

  // As much as fits; turns the loop while it does not. False: the server has closed, or takes nothing.
  bool send(std::string_view bytes, int patience_ms = 5'000) {
    const auto until = Clock::now() + std::chrono::milliseconds(patience_ms);
    while (!bytes.empty()) {
      const auto wrote = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (wrote > 0) bytes.remove_prefix(static_cast<size_t>(wrote));
      if (wrote < 0 && errno != EAGAIN) return false;
      loop_.poll();
      if (wrote < 0 && Clock::now() > until) return false;
    }
    return true;
  }
  // Until `enough` or the server closes or time is up; what is there stays in `got`.
  bool receive(const std::function<bool()>& enough, int patience_ms = 5'000) {
    const auto until = Clock::now() + std::chrono::milliseconds(patience_ms);
    while (!enough()) {
      loop_.poll();
      char piece[16'384];
      const auto size = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT);
      if (size > 0) got.append(piece, static_cast<size_t>(size));
      if (size == 0 || (size < 0 && errno != EAGAIN)) {
        closed = true;
        return enough();
      }
      if (size < 0 && Clock::now() > until) return false;
      if (size < 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return true;
  }
  bool receive_text(std::string_view text, int patience_ms = 5'000) {
    return receive([&] { return got.find(text) != std::string::npos; }, patience_ms);
  }
  bool receive_end(int patience_ms = 5'000) {
    receive([&] { return closed; }, patience_ms);
    return closed;
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }

  // The next whole answer (not 100); status 0: none came.
  HttpAnswerSeen answer() {
    HttpAnswerSeen seen;
    if (!receive([&] { return got.find("\r\n\r\n") != std::string::npos; })) return seen;
    const size_t end = got.find("\r\n\r\n");
    read_head(got.substr(0, end + 2), seen);
    got.erase(0, end + 4);
    if (seen.fields.count("transfer-encoding") > 0) {
      read_chunks(seen);
    } else {
      const size_t length =
          seen.fields.count("content-length") > 0 ? std::stoul(seen.fields["content-length"]) : 0;
      receive([&] { return got.size() >= length; });
      seen.body = got.substr(0, length);
      got.erase(0, length);
    }
    return seen;
  }
  HttpAnswerSeen call(std::string_view request) {
    send(request);
    return answer();
  }

  std::string got;
  bool closed = false;

 private:
  static void read_head(const std::string& head, HttpAnswerSeen& seen) {
    seen.status = std::stoi(head.substr(9, 3));
    for (size_t at = head.find("\r\n") + 2; at < head.size();) {
      const size_t end = head.find("\r\n", at), colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      seen.fields[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
  }
  void read_chunks(HttpAnswerSeen& seen) {
    while (receive([&] { return got.find("\r\n") != std::string::npos; })) {
      const size_t end = got.find("\r\n"), size = std::stoul(got, nullptr, 16);
      if (size == 0) {
        if (!receive([&] { return got.find("\r\n\r\n") != std::string::npos; })) return;
        const size_t stop = got.find("\r\n\r\n", end);
        if (stop > end) read_trailer(got.substr(end + 2, stop - end - 2), seen);
        got.erase(0, stop + 4);
        return;
      }
      if (!receive([&] { return got.size() >= end + 2 + size + 2; })) return;
      seen.body += got.substr(end + 2, size);
      got.erase(0, end + 2 + size + 2);
    }
  }
  static void read_trailer(const std::string& line, HttpAnswerSeen& seen) {
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) seen.fields["trailer:" + line.substr(0, colon)] = line.substr(colon + 2);
  }

  boost::asio::io_context& loop_;
  int fd_ = -1;
};

inline IngestAnswer accepted(size_t events) {
  IngestAnswer answer;
  answer.accepted = events;
  answer.cursor = {Cut(7), 0};
  return answer;
}

class HttpTest : public ::testing::Test {
 protected:
  void define(uint32_t id, uint32_t tenant, metadata::DefinitionKind kind, const std::string& name,
              const std::string& sql) {
    metadata::Definition definition;
    definition.id = metadata::DefinitionId(id);
    definition.tenant = TenantId(tenant);
    definition.kind = kind;
    definition.name = name;
    definition.sql = sql;
    auto made = catalog->with(definition);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    catalog = *made;
  }

  HttpTest() {
    using Kind = metadata::DefinitionKind;
    define(1, 1, Kind::kTenant, "default", "");
    define(2, 2, Kind::kTenant, "a", "");
    define(3, 3, Kind::kTenant, "b", "");
    define(4, 1, Kind::kStream, "quakes", "CREATE STREAM quakes (id TEXT, n BIGINT) WITH (partitions = 2)");
    define(6, 1, Kind::kStream, "orders",
           "CREATE STREAM orders (ce_id TEXT, ce_n BIGINT) WITH (format = 'cloudevents')");
    define(5, 2, Kind::kStream, "of_a", "CREATE STREAM of_a (id TEXT)");
    options.port = 0;
    backend.ingest = [this](const IngestRequest& r, Ingest::Done done) {
      seen.push_back({r.tenant, r.stream, std::string(r.body), r.idempotency_key, r.format, done, r.part});
      for (size_t i = 0; i < 64; ++i)
        padding_sum += static_cast<unsigned char>(r.body.data()[r.body.size() + i]);
      if (answer_at_once) done(answer_at_once(r));
    };
    backend.retry_after_s = [](TenantId) { return 2.3; };
    backend.set_quota = [this](TenantId tenant, Quota quota) { quotas[tenant.value] = quota; };
    backend.sql = [this](TenantId tenant, const SqlText& text, SqlService::Each each, SqlService::Done done) {
      parameters = text.parameters;
      timeout = text.timeout;
      sql(tenant, text.text, std::move(each), std::move(done));
      return [this] { ++cancelled; };
    };
    backend.streams = &streams;
    backend.catalog = [this] { return catalog; };
    backend.tenant = [this](const std::string& name) -> Result<TenantId> {
      const auto tenant = catalog->tenant(name);
      if (!tenant) return error(Code::kNotFound, "MR-TEST-0001", "no such tenant");
      return *tenant;
    };
    backend.metrics = [this] { return server->metrics(); };
    backend.metrics_full = [this](std::optional<TenantId> only) {
      return server->metrics() + "tenant " + (only ? std::to_string(only->value) : "all") + "\n";
    };
    backend.ready = [this] { return ready; };
  }
  void start() {
    server = std::make_unique<HttpServer>(loop, options, backend);
    auto listening = server->listen();
    ASSERT_TRUE(listening.ok()) << listening.error().to_string();
    port = *listening;
  }
  Client client(int receive_buffer = 0) { return Client(loop, port, receive_buffer); }
  void turn(int ms) {
    const auto until = Clock::now() + std::chrono::milliseconds(ms);
    while (Clock::now() < until) loop.run_one_for(std::chrono::milliseconds(1));
  }
  // Waits for the backend to have seen so many requests.
  bool wait_seen(size_t count) {
    const auto until = Clock::now() + std::chrono::seconds(5);
    while (seen.size() < count && Clock::now() < until) loop.run_one_for(std::chrono::milliseconds(1));
    return seen.size() >= count;
  }
  static std::string get(const std::string& target, const std::string& fields = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
  }
  static std::string post(const std::string& body, const std::string& fields = "",
                          const std::string& target = "/v1/streams/quakes/events") {
    return "POST " + target +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
  }
  static std::string statement(const std::string& text, const std::string& fields = "") {
    return "POST /v1/sql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sql\r\nContent-Length: " +
           std::to_string(text.size()) + "\r\n" + fields + "\r\n" + text;
  }

  boost::asio::io_context loop{1};
  HttpOptions options;
  HttpBackend backend;
  sql::CatalogPtr catalog = sql::Catalog::empty();
  FakeStreams streams;
  Status ready;
  std::vector<SeenIngest> seen;
  std::function<Result<IngestAnswer>(const IngestRequest&)> answer_at_once =
      [](const IngestRequest&) -> Result<IngestAnswer> { return accepted(1); };
  std::function<void(TenantId, std::string, SqlService::Each, SqlService::Done)> sql;
  sql::Parameters parameters;            // of the last SQL
  std::chrono::milliseconds timeout{0};  // likewise
  int cancelled = 0;                     // SQL whose client had gone
  std::map<uint32_t, Quota> quotas;
  std::unique_ptr<HttpServer> server;
  uint16_t port = 0;
  uint64_t padding_sum = 0;  // keeps the reads of the padding, for the sanitizer to see
};

}  // namespace millrace::gateway::testing
