#include "event-gateway/http_connection.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <vector>

#include "event-gateway/http_body.h"
#include "event-gateway/http_context.h"
#include "event-gateway/http_cors.h"
#include "event-gateway/http_parser.h"
#include "event-gateway/http_slot.h"
#include "event-gateway/http_status.h"
#include "event-gateway/socket_output.h"

namespace millrace::gateway {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr size_t kInput = 4 * 1024;         // a connection's first buffer
constexpr size_t kBusyInput = 16 * 1024;    // of one whose requests do not fit into it
constexpr size_t kInputSlack = 16 * 1024;   // above the largest header
constexpr size_t kMaxUnsent = 1u << 20;     // then no further request is read
constexpr size_t kReadAtOnce = 256 * 1024;  // of a large body
constexpr size_t kSkippedBody = 64 * 1024;  // of a refused request; a larger one ends the connection
constexpr int kRounds = 16;                 // then others have their turn
constexpr int64_t kLingerMs = 1'000;
constexpr int64_t kAskMs = 500;  // a client that sends no more, whether it is still there
constexpr int64_t kNever = INT64_MAX;

constexpr uint64_t kLongestBody = uint64_t{1}
                                  << 40;  // of those that are taken in parts; others: is_over_bound()

Error ended_token() {
  return error(Code::kDenied, "MR-AUTH-0001", "the access token has expired, or is no longer good",
               "send the rest with another one");
}

class Connection final : public HttpConnection {
 public:
  Connection(std::shared_ptr<HttpContext> context, std::unique_ptr<Transport> transport, std::string local,
             Face face)
      : shared_(std::move(context)),
        ctx_(*shared_),
        transport_(std::move(transport)),
        parser_(request_.head, ctx_.options.max_header_bytes, kLongestBody),
        body_(ctx_),
        output_(ctx_.counters.bytes_out) {
    request_.local = std::move(local);
    request_.face = face;
    request_.by_tls = transport_->speaks_tls();
    request_.peer = transport_->peer();
    input_.resize(kInput);
  }

  void start() override {
    read_deadline_ = ctx_.now_ms + ctx_.options.idle_timeout.count();
    arm_read();
  }
  void answer(uint64_t request, HttpAnswer answer) override;
  void stream(uint64_t request, HttpAnswer head, std::unique_ptr<BodySource> body) override;
  void wake(uint64_t request) override;
  std::string id_of(uint64_t request) const override;
  void on_gone(uint64_t request, std::function<void()> gone) override;
  void upgrade(uint64_t request, std::string fields, const WebSocketTerms& terms) override;
  void tick(int64_t now_ms) override;
  void drain() override;
  void close() override;
  bool busy() const override { return !slots_.empty() || output_.writing() || lingering_; }

 private:
  // kHead: a request's head is awaited or incomplete. kSized, kChunked: its body is. kSkip: a refused
  // request's body. kToken: its token is being verified. kEnded: nothing more is read but to throw it away. kUpgraded: what comes is not HTTP.
  enum class Phase : uint8_t { kHead, kToken, kSized, kChunked, kSkip, kEnded, kUpgraded };

  using Slot = HttpSlot;

  // Input
  std::string_view input() const { return {input_.data() + begin_, end_ - begin_}; }
  void arm_read();
  bool make_room();
  void on_read(const ErrorCode& ec, size_t bytes, bool into_body);
  bool limited() const;
  void parse();
  bool parse_head();
  bool parse_sized();
  bool parse_chunked();
  void begin_request();
  void admit_request();
  void verify_token();
  void dispatch();
  bool body_refused();
  bool is_over_bound();
  bool take_part();
  size_t body_bound() const;
  bool waits_with_parts() const { return body_.view().size() > body_bound(); }
  void end_upload(uint64_t request, HttpAnswer answer, bool failed);
  Error too_large() const;
  Error line_too_long() const;
  void refuse(const Error& failure);  // the request that is arriving; the connection ends behind it
  void drop_body();
  void set_read_deadline();

  // Output
  Slot* slot_of(uint64_t request);
  void run();
  void post_run();
  bool can_go_on() const;
  void advance();
  void send();
  void on_sent(SocketOutput::Sent sent);
  void finish_sending();
  void drop_slots();
  void ask_whether_gone(int64_t now_ms);
  void hand_over();
  std::shared_ptr<Connection> self() { return std::static_pointer_cast<Connection>(shared_from_this()); }

  const std::shared_ptr<HttpContext> shared_;
  HttpContext& ctx_;
  std::unique_ptr<Transport> transport_;
  HttpRequest request_;
  HttpParser parser_;

  std::vector<char> input_;
  size_t begin_ = 0, end_ = 0;
  Phase phase_ = Phase::kHead;
  bool begun_ = false;         // the parser has seen something of a head
  bool line_skipped_ = false;  // an empty line before it
  uint64_t body_left_ = 0;     // kSized, kSkip
  HttpBody body_;
  bool in_parts_ = false;               // the body that is arriving is beyond the bound, and may be
  std::shared_ptr<HttpUpload> upload_;  // of it, once a part has been taken
  bool reading_ = false, eof_ = false;
  bool fills_body_ = false;    // the read under way writes to body_
  bool body_dropped_ = false;  // it goes when that read has ended

  std::deque<Slot> slots_;
  uint64_t first_ = 0;  // the number of slots_.front()
  SocketOutput output_;
  bool running_ = false, again_ = false, posted_ = false, parse_waits_ = false;
  std::optional<WebSocketTerms> upgraded_;
  bool finishing_ = false;  // all that is still to be sent is in output_.bytes
  bool lingering_ = false;
  bool closed_ = false;

  int64_t read_deadline_ = kNever, write_deadline_ = kNever, linger_deadline_ = kNever,
          drain_deadline_ = kNever;
  int64_t spoke_ms_ = 0;  // for heartbeats
  const HttpSlot::Way way_{ctx_, output_, spoke_ms_};
  bool idle_ = true;  // the read deadline is that of an idle connection
};

// ---- input

bool Connection::make_room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < input_.size()) return true;
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  const size_t most = ctx_.options.max_header_bytes + kInputSlack;
  if (input_.size() >= most) return false;
  input_.resize(std::min(most, input_.size() * 2));
  return true;
}

void Connection::arm_read() {
  if (closed_ || reading_ || eof_ || phase_ == Phase::kUpgraded || (upload_ != nullptr && limited())) return;
  const bool into_body =
      phase_ == Phase::kSized && begin_ == end_ && body_left_ > 0 && body_.takes_directly();
  asio::mutable_buffer to;
  if (into_body) {
    const size_t room = static_cast<size_t>(std::min<uint64_t>(body_left_, kReadAtOnce));
    to = asio::buffer(body_.tail(room), room);
  } else {
    if (!make_room()) return;
    to = asio::buffer(input_.data() + end_, input_.size() - end_);
  }
  reading_ = true;
  fills_body_ = into_body;
  transport_->async_read_some(to, [self = self(), into_body](const ErrorCode& ec, size_t bytes) {
    self->on_read(ec, bytes, into_body);
  });
}

void Connection::on_read(const ErrorCode& ec, size_t bytes, bool into_body) {
  reading_ = fills_body_ = false;
  if (std::exchange(body_dropped_, false)) body_.clear();
  if (closed_) return;
  if (ec == asio::error::operation_aborted && upgraded_) return run();
  if (ec && ec != asio::error::eof) return close();
  ctx_.counters.bytes_in += bytes;
  if (ec) {
    eof_ = true;
    spoke_ms_ = ctx_.now_ms;
  } else if (lingering_ || phase_ == Phase::kEnded) {
    begin_ = end_ = 0;
  } else if (into_body) {
    body_.commit(bytes);
    body_left_ -= bytes;
    read_deadline_ = ctx_.now_ms + ctx_.options.body_timeout.count();
  } else {
    end_ += bytes;
    if (end_ == input_.size() && end_ < kBusyInput) input_.resize(kBusyInput);
    if (phase_ != Phase::kHead) read_deadline_ = ctx_.now_ms + ctx_.options.body_timeout.count();
  }
  run();
}

// Whether the next request has to wait: too many are in flight, or the client does not read its answers, or
// the one before is of a kind that others must not overtake; likewise the rest of a body whose parts wait for the disk.
bool Connection::limited() const {
  if (phase_ != Phase::kHead) return upload_ != nullptr && upload_->is_full();
  if (slots_.size() >= ctx_.options.max_in_flight || output_.unsent() > kMaxUnsent) return true;
  return !slots_.empty() && (!slots_.back().concurrent || slots_.back().last);
}

void Connection::parse() {
  bool moving = true;
  while (moving && !closed_ && phase_ != Phase::kEnded && phase_ != Phase::kUpgraded && !limited()) {
    switch (phase_) {
      case Phase::kHead:
        moving = parse_head();
        break;
      case Phase::kSized:
      case Phase::kSkip:
        moving = parse_sized();
        break;
      case Phase::kChunked:
        moving = parse_chunked();
        break;
      case Phase::kToken:
        moving = false;
        break;
      case Phase::kEnded:
      case Phase::kUpgraded:
        break;
    }
  }
  if (phase_ == Phase::kEnded) begin_ = end_ = 0;
  parse_waits_ = moving && phase_ != Phase::kEnded && phase_ != Phase::kUpgraded;
  set_read_deadline();
}

bool Connection::parse_head() {
  if (!begun_) {
    if (!line_skipped_ && input() == "\r") return false;
    if (!line_skipped_ && input().starts_with("\r\n")) {
      begin_ += 2;  // a client of old sends one behind a body
      line_skipped_ = true;
    }
    if (input().empty()) return false;
    parser_.begin();
    begun_ = true;
    line_skipped_ = false;
    read_deadline_ = ctx_.now_ms + ctx_.options.header_timeout.count();
  }
  size_t used = 0;
  const auto got = parser_.head(input(), used);
  begin_ += used;
  if (got == HttpParser::Got::kMore) return false;
  begun_ = false;
  if (got == HttpParser::Got::kDone) {
    begin_request();
    return true;
  }
  slots_.emplace_back();
  slots_.back().http11 = true;
  switch (got) {
    case HttpParser::Got::kHeadTooLarge:
      refuse(error(
          Code::kInvalid, "MR-API-0002",
          "the request's header is larger than " + std::to_string(ctx_.options.max_header_bytes) + " bytes"));
      break;
    case HttpParser::Got::kBodyTooLarge:
      refuse(too_large());
      break;
    case HttpParser::Got::kBadVersion:
      refuse(error(Code::kInvalid, "MR-API-0021", "this server speaks HTTP/1.1 and HTTP/1.0"));
      break;
    default:
      ++ctx_.counters.bad_framing;
      refuse(
          error(Code::kInvalid, "MR-API-0001", "the request is not valid HTTP/1.1: " + parser_.complaint()));
  }
  return true;
}

void Connection::begin_request() {
  Slot& slot = slots_.emplace_back();
  const HttpHead& head = request_.head;
  slot.http11 = head.http11;
  slot.keep_alive = head.keep_alive;
  slot.last = !head.keep_alive;
  slot.head_only = head.method == "HEAD";
  slot.id = is_request_id(head.request_id) ? head.request_id : ctx_.request_ids.next();
  slot.cors = cors_fields(ctx_.options.cors_origins, head.origin);
  admit_request();
}

void Connection::admit_request() {
  Slot& slot = slots_.back();
  const HttpHead& head = request_.head;
  const uint64_t number = first_ + slots_.size() - 1;
  auto refusal = ctx_.handlers.admit(request_);
  if (!refusal && request_.check) return verify_token();
  if (ctx_.backend.arrived) ctx_.backend.arrived(request_, refusal ? refusal->status : 0);
  const bool expects = head.http11 && !head.expect.empty();
  if (!refusal && expects && !iequals(head.expect, "100-continue")) {
    refusal = problem(
        417, error(Code::kInvalid, "MR-API-0019", "the only expectation that is met is 100-continue"));
  }
  if (!refusal) {
    slot.concurrent = HttpHandlers::concurrent(request_.route);
    if (!head.has_body()) return dispatch();
    in_parts_ = head.content_length.value_or(0) > ctx_.options.max_body_bytes;
    if (in_parts_ && !HttpHandlers::takes_parts(request_)) return refuse(too_large());
    phase_ = head.chunked ? Phase::kChunked : Phase::kSized;
    body_left_ = head.content_length.value_or(0);
    body_.begin(request_.coding, in_parts_ ? HttpUpload::kPartBytes : body_left_);
    slot.wants_continue = expects && input().empty();
  } else if (head.has_body() && (head.chunked || expects || *head.content_length > kSkippedBody)) {
    slot.last = true;  // what follows is a body that nobody reads
    phase_ = Phase::kEnded;
  } else {
    body_left_ = head.content_length.value_or(0);
    phase_ = body_left_ > 0 ? Phase::kSkip : Phase::kHead;
  }
  read_deadline_ = ctx_.now_ms + ctx_.options.body_timeout.count();
  // A connection beyond its tenant's quota is none to keep.
  if (refusal && refusal->status == 429 && request_.connection == nullptr) {
    slot.last = true;
    phase_ = Phase::kEnded;
  }
  if (refusal) answer(number, std::move(*refusal));
}

// What comes behind the request waits, too: nothing is begun before the one before it.
void Connection::verify_token() {
  phase_ = Phase::kToken;
  const bool begun = ctx_.handlers.verify(request_, [self = self()](bool holds) {
    if (self->closed_ || self->phase_ != Phase::kToken) return;
    self->phase_ = Phase::kHead;
    if (!holds) self->request_.refused_authorization = self->request_.head.authorization;
    self->admit_request();
    self->run();
  });
  if (!begun) {
    refuse(error(Code::kExhausted, "MR-AUTH-0003", "too many access tokens are being verified",
                 "try again: a token is verified once"));
  }
}

bool Connection::body_refused() {
  const auto wrong = body_.problem();
  if (wrong) refuse(*wrong);
  return wrong.has_value() || is_over_bound();
}

size_t Connection::body_bound() const {
  const size_t most = ctx_.options.max_body_bytes;
  return in_parts_ ? std::min(most, HttpUpload::kPartBytes) : most;
}

// True: the request is refused for it.
bool Connection::is_over_bound() {
  while (body_.view().size() > body_bound()) {
    if (limited()) return false;
    if (!take_part()) return true;
  }
  return false;
}

// Of a body that may be taken part by part, the lines that fit one: the same ones however the body comes, for each part has
// its place under the request's key. False: the request is refused.
bool Connection::take_part() {
  if (!HttpHandlers::takes_parts(request_)) return refuse(too_large()), false;
  if (!ctx_.handlers.is_good(request_.caller)) return refuse(ended_token()), false;
  in_parts_ = true;
  const std::string_view lines = body_.lines(body_bound());
  if (lines.empty()) return refuse(line_too_long()), false;
  if (upload_ == nullptr) {
    const uint64_t number = first_ + slots_.size() - 1;
    upload_ = ctx_.handlers.begin_upload(
        request_, [self = self()] { self->post_run(); },
        [self = self(), number](HttpAnswer answer, bool failed) {
          self->end_upload(number, std::move(answer), failed);
        });
  }
  const size_t taken = lines.size();
  const auto upload = upload_;
  upload->take(lines);
  if (phase_ == Phase::kEnded) return false;
  body_.drop_front(taken);
  return true;
}

// A failure may come while the body does: nobody reads the rest.
void Connection::end_upload(uint64_t request, HttpAnswer answer, bool failed) {
  const bool arriving = upload_ != nullptr && request == first_ + slots_.size() - 1;
  if (failed && arriving) {
    Slot& slot = slots_.back();
    slot.last = true;
    slot.keep_alive = false;
    phase_ = Phase::kEnded;
    drop_body();
    upload_ = nullptr;
  }
  this->answer(request, std::move(answer));
}

Error Connection::too_large() const {
  return error(Code::kInvalid, "MR-API-0003",
               "the body is larger than " + std::to_string(ctx_.options.max_body_bytes) + " bytes",
               request_.route == Route::kIngest
                   ? "send the events in several requests, or as NDJSON that is not compressed"
                   : "send less at once");
}

Error Connection::line_too_long() const {
  return error(Code::kInvalid, "MR-API-0003",
               "a line of the body is longer than " + std::to_string(body_bound()) + " bytes",
               "an event has at most 1 MiB; each stands on a line of its own");
}

bool Connection::parse_sized() {
  const std::string_view piece =
      input().substr(0, static_cast<size_t>(std::min<uint64_t>(body_left_, input().size())));
  begin_ += piece.size();
  body_left_ -= piece.size();
  if (phase_ == Phase::kSkip) {
    if (body_left_ == 0) phase_ = Phase::kHead;
    return body_left_ == 0;
  }
  body_.take(piece);
  if (body_refused()) return true;
  if (body_left_ > 0 || waits_with_parts()) return false;
  dispatch();
  return true;
}

bool Connection::parse_chunked() {
  size_t used = 0;
  const auto got = parser_.body(
      input(), used,
      [](void* owner, std::string_view bytes) { static_cast<Connection*>(owner)->body_.take(bytes); }, this);
  begin_ += used;
  const size_t most = ctx_.options.max_header_bytes + kInputSlack;
  if (body_refused()) return true;
  if (got == HttpParser::Got::kDone && waits_with_parts()) {
    phase_ = Phase::kSized;  // all of it has come
    body_left_ = 0;
    return false;
  }
  if (got == HttpParser::Got::kDone) {
    dispatch();
  } else if (got == HttpParser::Got::kBodyTooLarge) {
    refuse(too_large());
  } else if (got != HttpParser::Got::kMore || (used == 0 && input().size() >= most)) {
    ++ctx_.counters.bad_framing;
    const bool endless = got == HttpParser::Got::kMore;
    refuse(error(
        Code::kInvalid, "MR-API-0001",
        "the body's chunks are not valid: " +
            (endless ? std::string("a chunk's header or the trailer is too long") : parser_.complaint())));
  } else {
    return false;
  }
  return true;
}

void Connection::dispatch() {
  if (const Status whole = body_.finish(); !whole.ok()) return refuse(whole.error());
  phase_ = Phase::kHead;
  slots_.back().wants_continue = false;
  if (upload_ != nullptr && !ctx_.handlers.is_good(request_.caller)) return refuse(ended_token());
  if (const auto upload = std::exchange(upload_, nullptr); upload != nullptr) {
    upload->finish(body_.view());
  } else {
    request_.body = body_.view();
    ctx_.handlers.handle(request_, HttpReply(self(), first_ + slots_.size() - 1));
  }
  body_.clear();
}

void Connection::refuse(const Error& failure) {
  Slot& slot = slots_.back();
  slot.last = true;
  slot.keep_alive = false;
  slot.wants_continue = false;
  phase_ = Phase::kEnded;
  begun_ = false;
  drop_body();
  const auto upload = std::exchange(upload_, nullptr);
  answer(first_ + slots_.size() - 1, problem(upload != nullptr ? upload->cancel(failure) : failure));
}

// What a read is writing to stays until that has ended.
void Connection::drop_body() {
  body_dropped_ = fills_body_;
  if (!fills_body_) body_.clear();
}

void Connection::set_read_deadline() {
  idle_ = phase_ == Phase::kHead && !begun_;
  if (limited() || phase_ == Phase::kToken || phase_ == Phase::kEnded || phase_ == Phase::kUpgraded ||
      (idle_ && !slots_.empty())) {
    read_deadline_ = kNever;
  } else if (idle_) {
    read_deadline_ = ctx_.now_ms + ctx_.options.idle_timeout.count();
  } else if (read_deadline_ == kNever) {
    read_deadline_ = ctx_.now_ms + (begun_ ? ctx_.options.header_timeout : ctx_.options.body_timeout).count();
  }
}

// ---- output

Connection::Slot* Connection::slot_of(uint64_t request) {
  if (closed_ || request < first_ || request - first_ >= slots_.size()) return nullptr;
  return &slots_[request - first_];
}

void Connection::answer(uint64_t request, HttpAnswer answer) {
  Slot* slot = slot_of(request);
  if (slot == nullptr || slot->ready || slot->source != nullptr) return;
  slot->gone = nullptr;
  answer.fields += slot->common_fields(ctx_);
  if (answer.content_type == kProblemType) add_request_id(answer.body, slot->id);
  if (answer.status == 500 && ctx_.backend.log_failure) ctx_.backend.log_failure(answer.body);
  if (answer.content_type == kProblemType && request_.face == Face::kSchemaRegistry &&
      ctx_.backend.schema_registry.translate) {
    ctx_.backend.schema_registry.translate(answer);
  }
  if (ctx_.stopping) slot->last = true;
  std::string& to = slot == &slots_.front() ? output_.bytes : slot->bytes;
  slot->begin_answer(ctx_, to, answer, true, {});
  if (!slot->head_only) to += answer.body;
  slot->ready = true;
  if (running_) {
    again_ = true;
  } else if (slots_.size() > 1 && !slots_.back().ready && phase_ == Phase::kHead) {
    post_run();  // more answers of the same group follow at once: one write for all
  } else {
    run();
  }
}

void Connection::stream(uint64_t request, HttpAnswer head, std::unique_ptr<BodySource> body) {
  Slot* slot = slot_of(request);
  if (slot == nullptr || slot->ready || slot->source != nullptr) {
    if (body != nullptr) ctx_.bury(std::move(body));
    return;
  }
  slot->tenant = request_.tenant;  // the connection's last request, so far
  slot->caller = request_.caller;
  slot->source = std::move(body);
  if (const Status counted = slot->count_subscription(ctx_); !counted.ok()) {
    slot->end_source(ctx_);
    return this->answer(request, problem(counted.error()));
  }
  if (ctx_.stopping || !slot->http11) slot->last = true;  // 1.0: the connection's end is the body's
  slot->gone = nullptr;
  head.fields += slot->common_fields(ctx_);
  slot->more = true;
  std::string announce = slot->source->trailer().empty() ? "" : "Trailer: Millrace-Cursor\r\n";
  slot->begin_answer(ctx_, slot->bytes, head, false, announce);
  run();
}

void Connection::wake(uint64_t request) {
  Slot* slot = slot_of(request);
  if (slot == nullptr || slot->source == nullptr) return;
  slot->more = true;
  if (slot == &slots_.front()) run();
}

std::string Connection::id_of(uint64_t request) const {
  const bool there = request >= first_ && request - first_ < slots_.size();
  return there ? slots_[request - first_].id : std::string();
}

void Connection::on_gone(uint64_t request, std::function<void()> gone) {
  Slot* slot = slot_of(request);
  if (slot == nullptr) return gone();
  if (!slot->ready && slot->source == nullptr) slot->gone = std::move(gone);
}

void Connection::upgrade(uint64_t request, std::string fields, const WebSocketTerms& terms) {
  Slot* slot = slot_of(request);
  if (slot == nullptr || slot->ready || slot->source != nullptr) return;
  append_upgrade_head(slot->bytes, ctx_.date, fields + slot->common_fields(ctx_));
  ++ctx_.counters.by_class[1];
  slot->upgrade = terms;
  slot->ready = true;
  run();
}

void Connection::post_run() {
  if (std::exchange(posted_, true)) return;
  ctx_.post([self = self()] {
    self->posted_ = false;
    self->run();
  });
}

bool Connection::can_go_on() const {
  if (again_ || finishing_) return again_;
  if (!slots_.empty() && (slots_.front().ready || (slots_.front().source != nullptr && slots_.front().more)))
    return true;
  return parse_waits_ && !limited();
}

// The one place where things happen: read what is there, answer what is ready, send it; again while that lets
// more happen.
void Connection::run() {
  if (closed_) return;
  if (running_) {
    again_ = true;
    return;
  }
  running_ = true;
  const auto keep = shared_from_this();
  for (int round = 0; !closed_; ++round) {
    again_ = false;
    parse();
    advance();
    send();
    if (!closed_ && upgraded_) hand_over();
    if (closed_ || output_.writing() || !can_go_on()) break;
    // A stream's next piece waits for its turn: ten thousand rows at once would hold up everybody's answers.
    const bool streams = !slots_.empty() && slots_.front().source != nullptr;
    if (round == kRounds || streams) {
      post_run();
      break;
    }
  }
  running_ = false;
  if (closed_) return;
  if (eof_ && !output_.writing() && output_.bytes.empty() && phase_ != Phase::kToken &&
      (slots_.empty() || phase_ != Phase::kHead || slots_.front().source != nullptr)) {
    if (slots_.empty() || phase_ != Phase::kHead || slots_.front().source->endless()) return close();
  }
  arm_read();
}

void Connection::advance() {
  while (!closed_ && !slots_.empty() && !finishing_) {
    Slot& front = slots_.front();
    if (!front.ready && front.source == nullptr) {
      if (std::exchange(front.wants_continue, false)) output_.bytes += "HTTP/1.1 100 Continue\r\n\r\n";
      return;
    }
    if (front.source != nullptr && !front.pump(way_)) return;
    if (closed_) return;
    output_.bytes += front.bytes;
    const bool last = front.last;
    if (front.upgrade) {
      upgraded_ = front.upgrade;
      phase_ = Phase::kUpgraded;
    }
    slots_.pop_front();
    ++first_;
    if (last) {
      finishing_ = true;
      phase_ = Phase::kEnded;
      drop_slots();
    }
  }
}

void Connection::send() {
  if (closed_ || output_.writing()) return;
  switch (output_.send(*transport_)) {
    case SocketOutput::Sent::kFailed:
      return close();
    case SocketOutput::Sent::kPart:
      write_deadline_ = ctx_.now_ms + ctx_.options.write_timeout.count();
      return output_.go_on(*transport_, [self = self()](SocketOutput::Sent sent) { self->on_sent(sent); });
    case SocketOutput::Sent::kAll:
      if (finishing_) finish_sending();
  }
}

void Connection::on_sent(SocketOutput::Sent sent) {
  if (sent == SocketOutput::Sent::kFailed) return close();
  const bool all = sent == SocketOutput::Sent::kAll;
  write_deadline_ = all ? kNever : ctx_.now_ms + ctx_.options.write_timeout.count();
  if (all) run();
}

// Once the answer is out and nothing is read any more, so that no byte of the other protocol is lost.
void Connection::hand_over() {
  if (output_.writing()) return;
  if (reading_) return transport_->cancel();
  closed_ = true;
  output_.close();
  auto next = make_websocket_connection(shared_, std::move(transport_), *upgraded_, std::string(input()));
  const auto keep = shared_from_this();
  ctx_.replace(*this, next);
  next->start();
}

// The last answer is out. What the client may still be sending is read away for a moment: closing on it would
// make the kernel throw the answer away as well.
void Connection::finish_sending() {
  if (lingering_) return;
  const bool there = transport_->shutdown_send();
  if (eof_ || !there) return close();
  lingering_ = true;
  linger_deadline_ = ctx_.now_ms + kLingerMs;
}

void Connection::drop_slots() {
  drop_body();
  upload_ = nullptr;
  for (Slot& slot : slots_) {
    if (slot.source != nullptr) slot.end_source(ctx_);
    if (slot.gone) slot.gone();
  }
  first_ += slots_.size();
  slots_.clear();
}

// Who has closed the connection looks like who has only ended its side of it, until something is sent: of the first the
// kernel says that nobody is there, the second skips it.
void Connection::ask_whether_gone(int64_t now_ms) {
  if (!eof_ || slots_.empty() || output_.writing() || now_ms - spoke_ms_ < kAskMs) return;
  const Slot& front = slots_.front();
  if (front.source != nullptr) {
    if (front.stream_begun) front.heartbeat(way_);
  } else if (!front.ready && front.http11) {
    output_.bytes += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  spoke_ms_ = now_ms;
  run();
}

void Connection::tick(int64_t now_ms) {
  if (closed_) return;
  if (now_ms >= linger_deadline_ || now_ms >= drain_deadline_) return close();
  // What goes on and on goes on as long as its token is good.
  if (!slots_.empty() && slots_.front().source != nullptr && !ctx_.handlers.is_good(slots_.front().caller))
    return close();
  if (now_ms >= write_deadline_) {
    ++ctx_.counters.timeouts;
    return close();
  }
  if (now_ms >= read_deadline_) {
    if (idle_) return close();
    ++ctx_.counters.timeouts;
    const bool in_head = phase_ == Phase::kHead;
    if (in_head) slots_.emplace_back();
    if (phase_ == Phase::kSkip) return close();
    read_deadline_ = kNever;
    refuse(error(
        Code::kDeadline, "MR-API-0017",
        in_head ? "the request's header did not arrive in time" : "the request's body stopped arriving"));
    return;
  }
  if (eof_) return ask_whether_gone(now_ms);
  if (!slots_.empty() && slots_.front().source != nullptr && slots_.front().stream_begun &&
      !output_.writing() && now_ms - spoke_ms_ >= ctx_.options.heartbeat.count() &&
      slots_.front().heartbeat(way_)) {
    run();
  }
}

void Connection::drain() {
  if (closed_) return;
  drain_deadline_ = ctx_.now_ms + ctx_.options.drain_timeout.count();
  for (Slot& slot : slots_) {
    if (slot.source != nullptr && slot.source->endless()) slot.farewell(way_);
  }
  // A request that has only begun to arrive is not in flight; the client is told to send it elsewhere.
  const bool arriving = phase_ == Phase::kToken || phase_ == Phase::kSized || phase_ == Phase::kChunked;
  if (arriving && !slots_.empty()) refuse(stopping());
  if (closed_ || finishing_) return;
  drop_body();
  phase_ = Phase::kEnded;
  upgraded_.reset();
  begun_ = false;
  read_deadline_ = kNever;
  if (!slots_.empty()) {
    slots_.back().last = true;
  } else {
    finishing_ = true;
  }
  if (finishing_ && output_.bytes.empty() && !output_.writing()) return close();
  run();
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  drop_slots();
  output_.close();
  transport_->close();
  const auto keep = shared_from_this();
  ctx_.remove(*this);
}

}  // namespace

std::shared_ptr<ServerConnection> make_http_connection(std::shared_ptr<HttpContext> context,
                                                       std::unique_ptr<Transport> transport,
                                                       std::string local, Face face) {
  return std::make_shared<Connection>(std::move(context), std::move(transport), std::move(local), face);
}

}  // namespace millrace::gateway
