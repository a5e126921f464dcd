#include "event-gateway/websocket_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/quoted_name.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event-gateway/request_trace.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

constexpr size_t kMessageBytes = 64 * 1024;  // of events, then the message ends
constexpr size_t kRowsAtOnce = 256;
constexpr double kMinRetryS = 0.01, kMaxRetryS = 3600;

Error numbers_of_binary() {
  return bad_parameter("\"numbers\" is of rows in JSON", "leave it out, or \"encoding\"");
}

// {"event":INDEX,"traceparent":"…","tracestate":"…"} of an event that has one.
void append_trace(std::string& out, size_t index, std::string_view encoded) {
  const auto trace = telemetry::decode_trace_context(encoded);
  if (!trace) return;
  fmt::format_to(std::back_inserter(out), R"({}{{"event":{}{}}})", out.empty() ? "" : ",", index,
                 trace_members(*trace));
}

// ,"ops":["upsert",null]; nothing where no row has one.
void append_ops(std::string& out, const std::vector<std::string>& ops) {
  if (std::ranges::all_of(ops, &std::string::empty)) return;
  out += R"(,"ops":[)";
  for (const std::string& op : ops) {
    if (&op != ops.data()) out += ',';
    if (op.empty())
      out += "null";
    else
      formats::append_json_string(out, op);
  }
  out += ']';
}

void append_encoding(std::string& out, const engine::EncodedOutput& encoded) {
  fmt::format_to(std::back_inserter(out), R"(,"encoding":"{}","schema":{{"subject":)",
                 to_string(encoded.encoding));
  formats::append_json_string(out, encoded.schema.subject);
  fmt::format_to(std::back_inserter(out), R"(,"version":{},"id":{}}})", encoded.schema.version,
                 encoded.schema.id);
}

}  // namespace

// A subscription. Without `events` it is still being made.
struct WebSocketSession::Feed {
  Feed(HttpContext& c, uint64_t n, std::string_view id_text) : context(c), number(n), id(id_text) {
    ++context.counters.subscriptions;
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  ~Feed() {
    if (events != nullptr) events->on_ready(nullptr);
    --context.counters.subscriptions;
  }

  HttpContext& context;
  const uint64_t number;
  const std::string id;  // JSON text
  std::unique_ptr<engine::Subscription> events;
  TenantQuotas::Hold hold;
  uint64_t limit = UINT64_MAX;
  bool quote_numbers = false;
  std::unique_ptr<RowEncoder> encoder;  // null: rows are JSON
  bool ready = false;
  bool ended = false;  // all of it was sent, but for the word that it has ended
  std::optional<Error> failure;
  std::string cursor;  // behind what was sent; empty: there is none to resume at

  // Rows that are ready, until what `visit` makes of them in `out` is a message's worth. Answers how many.
  size_t take(const std::string& out, const engine::RowVisit& visit) {
    const size_t head = out.size();
    size_t rows = 0, wanted = 1;
    while (out.size() < kMessageBytes && rows < limit && !failure) {
      wanted = static_cast<size_t>(std::min<uint64_t>(wanted, limit - rows));
      ready = false;
      const auto got = events->pull(wanted, visit);
      if (!got.ok()) failure = got.error();
      if (!got.ok() || *got == 0) break;
      ready = true;
      rows += *got;
      // As many as may fit by those that came: one large event is not followed by a hundred of its kind.
      const size_t room = kMessageBytes - std::min(out.size(), kMessageBytes);
      wanted = std::clamp<size_t>(room * rows / std::max<size_t>(out.size() - head, 1), 1, kRowsAtOnce);
    }
    if (limit != UINT64_MAX) limit -= rows;
    ended = failure || limit == 0;
    if (ended) ready = true;
    return rows;
  }
};

WebSocketSession::WebSocketSession(HttpContext& context, TenantId tenant, CallerPtr caller,
                                   WebSocketPeer& peer)
    : context_(context), tenant_(tenant), caller_(std::move(caller)), peer_(&peer) {}
WebSocketSession::~WebSocketSession() = default;

void WebSocketSession::take(std::string_view message) {
  std::string_view id;
  const auto command = parse_command(message, id);
  if (!command.ok()) return refuse(id, command.error());
  switch (command->kind) {
    case WebSocketCommand::Kind::kPublish:
      return publish(*command);
    case WebSocketCommand::Kind::kSubscribe:
      return subscribe(*command);
    case WebSocketCommand::Kind::kUnsubscribe:
      return unsubscribe(*command);
    case WebSocketCommand::Kind::kPing:
      return send(fmt::format(R"({{"pong":{}}})", command->id));
  }
}

void WebSocketSession::send(std::string_view message) {
  if (peer_ != nullptr) peer_->send(message);
}

// {"error":{…},"id":ID,"retry_after":seconds}
void WebSocketSession::refuse(std::string_view id, const Error& failure) {
  const int status = status_of(failure);
  std::string out = R"({"error":)";
  append_problem(out, failure, status);
  if (!id.empty()) fmt::format_to(std::back_inserter(out), ",\"id\":{}", id);
  if (waiting_helps(failure, status)) {
    const bool quota = failure.code == Code::kExhausted && context_.backend.retry_after_s;
    const double wait = quota ? context_.backend.retry_after_s(tenant_) : 0;
    const double told = wait > 0 ? std::clamp(wait, kMinRetryS, kMaxRetryS) : 1;
    fmt::format_to(std::back_inserter(out), ",\"retry_after\":{:.2f}", told);
  }
  out += '}';
  send(out);
}

void WebSocketSession::publish(const WebSocketCommand& command) {
  if (command.key && command.key->empty()) {
    return refuse(command.id, error(Code::kInvalid, "MR-ING-0004", "the key is empty",
                                    "a key has 1 to 255 bytes; without one, leave it out"));
  }
  if (const Status allowed = check_scope(caller_, Scope::kIngest, command.name); !allowed.ok())
    return refuse(command.id, allowed.error());
  IngestRequest request;
  request.tenant = tenant_;
  request.stream = command.name;
  const Buffer values = command.values ? Buffer::copy(*command.values) : Buffer();
  request.format = command.values ? IngestRequest::Format::kValues : IngestRequest::Format::kJson;
  request.body = command.values ? values.view() : command.events;
  request.idempotency_key = command.key.value_or("");
  ++in_flight_;
  const auto trace = telemetry::read_trace_context(command.trace_parent, command.trace_state);
  ingest_traced(context_.backend, std::move(request), trace, "",
                [session = weak_from_this(), id = std::string(command.id)](auto result) {
                  if (const auto self = session.lock()) self->acknowledge(id, std::move(result));
                });
}

void WebSocketSession::acknowledge(const std::string& id, Result<IngestAnswer> result) {
  --in_flight_;
  if (!result.ok()) return refuse(id, result.error());
  if (result->is_empty()) {
    return refuse(id, error(Code::kInvalid, "MR-API-0012", "the message holds no events",
                            "send at least one object in \"events\", or value in \"values\""));
  }
  std::string out = fmt::format(R"({{"ack":{},)", id);
  if (result->replayed) out += R"("replayed":true,)";
  out += std::string_view(to_json(*result)).substr(1);
  send(out);
}

void WebSocketSession::subscribe(const WebSocketCommand& command) {
  const auto same = [&](const auto& feed) { return feed->id == command.id; };
  if (std::any_of(feeds_.begin(), feeds_.end(), same)) {
    return refuse(command.id, error(Code::kConflict, "MR-API-0027", "a subscription of this id is open",
                                    "every open subscription has an id of its own"));
  }
  if (feeds_.size() >= kMaxSubscriptions) {
    return refuse(command.id, error(Code::kExhausted, "MR-API-0028",
                                    fmt::format("the connection has {} subscriptions", kMaxSubscriptions),
                                    "end one, or open another connection"));
  }
  if (const Status room = context_.backend.quotas->may_subscribe(tenant_); !room.ok())
    return refuse(command.id, room.error());
  const auto catalog = context_.backend.catalog();
  const auto* entry = catalog->find(tenant_, command.name);
  const bool view = entry != nullptr && entry->stream == nullptr;
  const Status made = view ? subscribe_to_view(command) : subscribe_to_stream(command);
  if (!made.ok()) refuse(command.id, made.error());
}

Status WebSocketSession::subscribe_to_stream(const WebSocketCommand& command) {
  TRY(check_scope(caller_, Scope::kRead, command.name));
  TRY_ASSIGN(auto stream, find_stream(context_.backend, tenant_, command.name));
  TRY_ASSIGN(auto encoder, encoder_of(command));
  TRY_ASSIGN(const auto wanted,
             wanted_events(context_.backend, std::move(stream), {command.parameters, true, {}}));
  if (encoder && wanted.quote_numbers) return numbers_of_binary();
  TRY_ASSIGN(auto events, context_.backend.streams->follow(wanted.request, false));
  Feed& feed = add_feed(command.id);
  feed.encoder = std::move(encoder);
  feed.limit = wanted.limit;
  feed.quote_numbers = wanted.quote_numbers;
  const auto& place = wanted.request.place;
  begin_feed(feed.number, std::move(events), place ? engine::to_cursor(*place) : std::string());
  return {};
}

// By the statement that does the same: a view's changes are SQL's to make.
Status WebSocketSession::subscribe_to_view(const WebSocketCommand& command) {
  bool quote_numbers = false;
  for (const auto& [name, value] : command.parameters) {
    if (name != "numbers") {
      return bad_parameter(
          fmt::format("\"{}\" is not a parameter of a view: it begins with all its rows", name),
          "there is: numbers");
    }
    TRY_ASSIGN(quote_numbers, quotes_numbers(value));
  }
  // Whether it has a schema is for those to know who may read it.
  if (!command.encoding.empty()) TRY(check_scope(caller_, Scope::kQuery, command.name));
  TRY_ASSIGN(auto encoder, encoder_of(command));
  if (encoder && quote_numbers) return numbers_of_binary();
  Feed& feed = add_feed(command.id);
  feed.encoder = std::move(encoder);
  feed.quote_numbers = quote_numbers;
  auto each = [session = weak_from_this(), number = feed.number](StatementResult result) {
    const auto self = session.lock();
    if (self != nullptr && result.subscription != nullptr)
      self->begin_feed(number, std::move(result.subscription), {});
  };
  auto done = [session = weak_from_this(), number = feed.number](const Status& status) {
    const auto self = session.lock();
    Feed* const failed = self == nullptr || status.ok() ? nullptr : self->feed_of(number);
    if (failed == nullptr) return;
    const std::string id = failed->id;
    std::erase_if(self->feeds_, [&](const auto& one) { return one->number == number; });
    self->refuse(id, status.error());
  };
  std::string statement = "SUBSCRIBE TO ";
  engine::append_quoted_name(statement, command.name);
  SqlText text(std::move(statement));
  text.caller = caller_;
  context_.backend.sql(tenant_, text, std::move(each), std::move(done));
  return {};
}

Result<std::unique_ptr<RowEncoder>> WebSocketSession::encoder_of(const WebSocketCommand& command) const {
  if (command.encoding.empty() || command.encoding == "json") return std::unique_ptr<RowEncoder>();
  if (command.encoding != "binary")
    return bad_parameter(fmt::format("\"encoding\" has no value \"{:.60}\"", command.encoding),
                         "it is \"json\" or \"binary\"");
  const auto catalog = context_.backend.catalog();
  const auto* entry = catalog->find(tenant_, command.name);
  if (entry == nullptr || !entry->query || entry->query->encoded.encoding == engine::RowEncoding::kNone)
    return bad_parameter(fmt::format("\"{:.60}\" has no schema for its rows", command.name),
                         "a view or derived stream has one WITH (schema = 'SUBJECT', format = 'avro')");
  return std::make_unique<RowEncoder>(*entry->query);
}

WebSocketSession::Feed* WebSocketSession::feed_of(uint64_t number) {
  const auto found =
      std::find_if(feeds_.begin(), feeds_.end(), [&](const auto& feed) { return feed->number == number; });
  return found == feeds_.end() ? nullptr : found->get();
}

WebSocketSession::Feed& WebSocketSession::add_feed(std::string_view id) {
  Feed& feed = *feeds_.emplace_back(std::make_unique<Feed>(context_, next_number_++, id));
  if (auto hold = context_.backend.quotas->subscribe(tenant_); hold.ok()) feed.hold = std::move(*hold);
  return feed;
}

void WebSocketSession::begin_feed(uint64_t number, std::unique_ptr<engine::Subscription> events,
                                  std::string_view cursor) {
  Feed* const feed = feed_of(number);
  if (feed == nullptr || peer_ == nullptr) return;  // ended meanwhile
  feed->events = std::move(events);
  feed->cursor = cursor;
  feed->ready = true;
  feed->events->on_ready([this, feed] {
    feed->ready = true;
    if (peer_ != nullptr) peer_->wake();
  });
  std::string out = fmt::format(R"({{"subscribed":{})", feed->id);
  if (feed->encoder) append_encoding(out, feed->encoder->encoded());
  if (!cursor.empty()) fmt::format_to(std::back_inserter(out), R"(,"cursor":"{}")", cursor);
  out += '}';
  send(out);
  if (peer_ != nullptr) peer_->wake();
}

void WebSocketSession::unsubscribe(const WebSocketCommand& command) {
  const auto found =
      std::find_if(feeds_.begin(), feeds_.end(), [&](const auto& feed) { return feed->id == command.id; });
  if (found == feeds_.end()) {
    return refuse(command.id, error(Code::kNotFound, "MR-API-0029", "there is no subscription of this id",
                                    "it may have ended: the message \"unsubscribed\" says so"));
  }
  std::string out;
  say_ended(**found, out);
  feeds_.erase(found);
  send(out);
}

bool WebSocketSession::has_ready() const {
  return std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->ready; });
}

bool WebSocketSession::send_next() {
  for (size_t tried = feeds_.size(); tried > 0; --tried) {
    if (turn_ >= feeds_.size()) turn_ = 0;
    const size_t index = turn_++;
    Feed& feed = *feeds_[index];
    if (!feed.ready || feed.events == nullptr) continue;
    if (!feed.ended && (feed.encoder ? send_encoded(feed) : send_events(feed))) return true;
    if (!feed.ended) continue;
    message_.clear();
    say_ended(feed, message_);
    end_feed(index);
    send(message_);
    return true;
  }
  return false;
}

// {"subscription":ID,"events":[…],"traces":[…],"cursor":"…"}; false: there is nothing to send.
bool WebSocketSession::send_events(Feed& feed) {
  std::string& out = message_;
  out.clear();
  fmt::format_to(std::back_inserter(out), R"({{"subscription":{},"events":[)", feed.id);
  size_t events = 0;
  std::string traces;
  const size_t rows = feed.take(out, [&](std::string_view event, std::string_view cursor) {
    if (events > 0) out += ',';
    append_json(out, event, feed.quote_numbers);
    feed.cursor = cursor;
    append_trace(traces, events++, feed.events->trace());
  });
  if (rows == 0) return false;
  out += ']';
  if (!traces.empty()) out += R"(,"traces":[)" + traces + ']';
  if (!feed.cursor.empty()) fmt::format_to(std::back_inserter(out), R"(,"cursor":"{}")", feed.cursor);
  out += '}';
  send(out);
  return true;
}

// {"subscription":ID,"rows":2,"ops":[…],"traces":[…],"cursor":"…"}, then each row. A row that has no form ends the
// subscription in front of it.
bool WebSocketSession::send_encoded(Feed& feed) {
  std::string& rows = message_;
  rows.clear();
  std::vector<size_t> ends;
  std::vector<std::string> ops;
  std::string traces;
  feed.take(rows, [&](std::string_view event, std::string_view cursor) {
    if (feed.failure) return;
    std::string op;
    if (Status written = feed.encoder->append(rows, event, op); !written.ok()) {
      feed.failure = std::move(written).error();
      return;
    }
    feed.cursor = cursor;
    append_trace(traces, ends.size(), feed.events->trace());
    ends.push_back(rows.size());
    ops.push_back(std::move(op));
  });
  if (ends.empty()) return false;
  std::string head = fmt::format(R"({{"subscription":{},"rows":{})", feed.id, ends.size());
  append_ops(head, ops);
  if (!traces.empty()) head += R"(,"traces":[)" + traces + ']';
  if (!feed.cursor.empty()) fmt::format_to(std::back_inserter(head), R"(,"cursor":"{}")", feed.cursor);
  head += '}';
  send(head);
  size_t begin = 0;
  for (const size_t end : ends) {
    if (peer_ != nullptr) peer_->send_binary(std::string_view(rows).substr(begin, end - begin));
    begin = end;
  }
  return true;
}

// {"unsubscribed":ID,"cursor":"…","error":{…}}
void WebSocketSession::say_ended(const Feed& feed, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"unsubscribed":{})", feed.id);
  if (!feed.cursor.empty()) fmt::format_to(std::back_inserter(out), R"(,"cursor":"{}")", feed.cursor);
  if (feed.failure) {
    out += R"(,"error":)";
    append_problem(out, *feed.failure, status_of(*feed.failure));
  }
  out += '}';
}

void WebSocketSession::end_feed(size_t index) {
  feeds_.erase(feeds_.begin() + static_cast<ptrdiff_t>(index));
  turn_ = index;
}

void WebSocketSession::end_subscriptions() {
  feeds_.clear();
}

void WebSocketSession::end() {
  peer_ = nullptr;
  feeds_.clear();
}

}  // namespace millrace::gateway
