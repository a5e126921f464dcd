#include "tests/fuzz/http_peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <memory>

#include "event-gateway/http_context.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::gateway;  // NOLINT

// A stream without events: reading it answers, following it is refused.
class NoEvents final : public engine::StreamReads {
 public:
  engine::StreamPlace start_of(const engine::StreamDef&) override { return {Cut(1), 0}; }
  engine::StreamPlace end_of() override { return {Cut(1), 0}; }
  void read(engine::StreamReadRequest, std::function<void(Result<engine::StreamReadAnswer>)> done) override {
    engine::StreamReadAnswer answer;
    answer.next = {Cut(1), 0};
    answer.at_end = true;
    done(std::move(answer));
  }
  Result<std::unique_ptr<engine::Subscription>> follow(engine::StreamReadRequest, bool) override {
    return error(Code::kUnavailable, "MR-TEST-0001", "nothing is followed here");
  }
};

sql::CatalogPtr make_catalog() {
  metadata::Definition tenant;
  tenant.id = metadata::DefinitionId(1);
  tenant.tenant = TenantId(1);
  tenant.kind = metadata::DefinitionKind::kTenant;
  tenant.name = "default";
  metadata::Definition stream = tenant;
  stream.id = metadata::DefinitionId(2);
  stream.kind = metadata::DefinitionKind::kStream;
  stream.name = "s";
  stream.sql = "CREATE STREAM s (id TEXT, n BIGINT) WITH (partitions = 2)";
  auto catalog = sql::Catalog::load({tenant, stream});
  require(catalog.ok(), "the catalog loads");
  return *catalog;
}

// Says what it was given, so that it stands in the answers.
Result<IngestAnswer> take_events(const IngestRequest& request) {
  // What stands behind a body may be read: zeros, or the rest of a WebSocket's message.
  const std::string padding(request.body.data() + request.body.size(), Buffer::kPadding);
  require(padding.size() == Buffer::kPadding, "padding stands behind a body");
  IngestAnswer answer;
  answer.accepted = request.body.size();
  const std::string given = request.stream + " " + std::string(request.body) + " " + request.idempotency_key;
  answer.rejected.push_back({0, error(Code::kInvalid, "MR-TEST-0002", given)});
  return answer;
}

HttpBackend make_backend(engine::StreamReads& streams) {
  HttpBackend backend;
  backend.ingest = [](const IngestRequest& request, Ingest::Done done) { done(take_events(request)); };
  backend.sql = [](TenantId, const SqlText& sql, SqlService::Each each,
                   SqlService::Done done) -> SqlService::Cancel {
    StatementResult result;
    result.tag = sql.text;
    each(std::move(result));
    done({});
    return [] {};
  };
  backend.streams = &streams;
  backend.catalog = [catalog = make_catalog()] { return catalog; };
  backend.tenant = [](const std::string&) -> Result<TenantId> { return TenantId(1); };
  return backend;
}

class Server {
 public:
  Server() : context_(std::make_shared<HttpContext>(loop_, options(), make_backend(streams_))) {
    require(context_->handlers.open().ok(), "an open server is on loopback");
  }

  std::string serve(const std::vector<std::string_view>& pieces) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "sockets");
    auto connection = make_http_connection(context_, std::make_unique<Transport>(loop_, ends[0]), "127.0.0.1",
                                           Face::kPlatform);
    connection->index = context_->connections.size();
    context_->connections.push_back(connection);
    connection->start();
    std::string answers;
    for (const auto piece : pieces) {
      if (::send(ends[1], piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;  // the server has closed
      receive(ends[1], answers);
    }
    ::shutdown(ends[1], SHUT_WR);
    receive(ends[1], answers);
    ::close(ends[1]);
    turn();
    connection->close();
    turn();
    require(context_->connections.empty(), "a connection that has ended is gone");
    require(context_->arriving_bytes == 0, "no body arrives any more");
    require(context_->counters.subscriptions == 0, "no subscription is left");
    return answers;
  }

 private:
  static HttpOptions options() {
    HttpOptions out;
    out.max_header_bytes = kMostHead;
    out.max_body_bytes = kMostBody;
    return out;
  }
  void turn() {
    loop_.restart();
    loop_.poll();
  }
  void receive(int from, std::string& into) {
    turn();
    char piece[16 * 1024];
    for (ssize_t got = 0; (got = ::recv(from, piece, sizeof piece, 0)) > 0; turn())
      into.append(piece, static_cast<size_t>(got));
  }

  boost::asio::io_context loop_{1};
  NoEvents streams_;
  std::shared_ptr<HttpContext> context_;
};

// The names of requests differ from server to server.
void forget_request_ids(std::string& answers) {
  for (const auto& [before, behind] :
       {std::pair{"X-Request-Id: ", '\r'}, std::pair{"\"request_id\":\"", '"'}}) {
    const std::string_view start = before;
    for (size_t at = 0; (at = answers.find(start, at)) != std::string::npos;) {
      at += start.size();
      const size_t end = answers.find(behind, at);
      if (end == std::string::npos) break;
      answers.erase(at, end - at);
    }
  }
}

// The last answer, if it ends the connection over bytes that are no request.
void simplify_refusal(std::string& answers) {
  size_t last = answers.rfind("HTTP/1.1 ");
  while (last != std::string::npos && last > 0 && answers[last - 1] != '\n')
    last = answers.rfind("HTTP/1.1 ", last - 1);
  if (last == std::string::npos || answers.find("Connection: close\r\n", last) == std::string::npos) return;
  for (const char* status : {"400", "413", "431", "505"}) {
    if (answers.compare(last + 9, 3, status) != 0) continue;
    answers.resize(last);
    answers += "refused";
    return;
  }
}

}  // namespace

std::string serve(const std::vector<std::string_view>& pieces) {
  static Server server;
  constexpr std::string_view kInterim = "HTTP/1.1 100 Continue\r\n\r\n";
  std::string answers = server.serve(pieces);
  for (size_t at; (at = answers.find(kInterim)) != std::string::npos;) answers.erase(at, kInterim.size());
  forget_request_ids(answers);
  simplify_refusal(answers);
  return answers;
}

}  // namespace millrace::fuzz
