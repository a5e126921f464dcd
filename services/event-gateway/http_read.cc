// GET /v1/streams/{stream}/events: a page, many pages, or live.
#include <fmt/format.h>

#include <algorithm>

#include "event-gateway/http_cloud_event.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "formats/json.h"
#include "telemetry/trace_context.h"

namespace millrace::gateway {
namespace {

using engine::StreamPlace;
using engine::StreamReadAnswer;
using engine::StreamReadRequest;

constexpr uint64_t kPageEvents = 10'000;  // up to here an answer is one page, with its cursor in the header
constexpr size_t kPageBytes = 1u << 20;
constexpr size_t kRowsAtOnce = 256;

// How a page shows its events.
enum class Form : uint8_t { kLines, kCloudEvent, kCloudEvents };

Form form_of(std::string_view accept) {
  if (accepts_events(accept)) return Form::kLines;
  if (accepts(accept, kCloudEventsType)) return Form::kCloudEvents;
  return accepts(accept, kCloudEventType) ? Form::kCloudEvent : Form::kLines;
}

Status check_limit(Form form, uint64_t limit) {
  if (form == Form::kCloudEvent && limit != 1)
    return bad_parameter("application/cloudevents+json is one event",
                         "several are application/cloudevents-batch+json");
  if (form == Form::kCloudEvents && limit > kPageEvents)
    return bad_parameter(fmt::format("a batch of CloudEvents has at most {} events", kPageEvents),
                         "read on from Millrace-Cursor");
  return {};
}

// One event a line.
void append_line(std::string& out, std::string_view event, bool quote_numbers) {
  append_flat(out, event, quote_numbers);
  out += '\n';
}

void go_on_from(StreamReadRequest& request, const StreamPlace& place) {
  request.offset.reset();
  request.time.reset();
  request.place = place;
}

// A page: reads until there is an event, or no more.
class PageReader : public std::enable_shared_from_this<PageReader> {
 public:
  PageReader(engine::StreamReads& streams, WantedEvents wanted, Form form, HttpReply reply)
      : streams_(streams), wanted_(std::move(wanted)), form_(form), reply_(std::move(reply)) {
    wanted_.request.limit = static_cast<size_t>(wanted_.limit);
    wanted_.request.max_bytes = kPageBytes;
  }
  // A read may answer at once: a loop then, not a recursion.
  void read() {
    if (std::exchange(reading_, true)) return;
    do {
      again_ = false;
      streams_.read(wanted_.request, [self = shared_from_this()](Result<StreamReadAnswer> page) {
        self->take(std::move(page));
      });
    } while (again_);
    reading_ = false;
  }

 private:
  HttpAnswer answer_of(const StreamReadAnswer& page) const {
    HttpAnswer answer;
    if (form_ == Form::kLines) {
      answer.content_type = kNdjsonType;
      for (const auto& event : page.events) append_line(answer.body, event.value, wanted_.quote_numbers);
      return answer;
    }
    const bool batch = form_ == Form::kCloudEvents;
    answer.content_type = batch ? kCloudEventsType : kCloudEventType;
    if (!batch && page.events.empty()) answer.status = 204;
    auto traced = page.traces.begin();
    for (size_t i = 0; i < page.events.size(); ++i) {
      if (batch) answer.body += answer.body.empty() ? '[' : ',';
      while (traced != page.traces.end() && traced->end <= i) ++traced;
      const bool has = traced != page.traces.end() && traced->begin <= i;
      append_cloud_event(answer.body, *wanted_.request.stream, page.events[i],
                         has ? traced->trace : std::string_view(), wanted_.quote_numbers);
    }
    if (batch) answer.body += answer.body.empty() ? "[]" : "]";
    return answer;
  }
  void take(Result<StreamReadAnswer> page) {
    if (!page.ok()) return reply_.answer(problem(page.error()));
    const bool stuck = wanted_.request.place && *wanted_.request.place == page->next;
    if (page->events.empty() && !page->at_end && !stuck) {
      go_on_from(wanted_.request, page->next);
      again_ = true;
      if (!reading_) read();
      return;
    }
    HttpAnswer answer = answer_of(*page);
    answer.fields = fmt::format("Millrace-Cursor: {}\r\n", engine::to_cursor(page->next));
    reply_.answer(std::move(answer));
  }

  engine::StreamReads& streams_;
  WantedEvents wanted_;
  const Form form_;
  HttpReply reply_;
  bool reading_ = false, again_ = false;
};

// More than a page: one is read while the one before is sent. The first comes before the head, so that a
// refusal has its status.
class PagesSource final : public BodySource {
 public:
  static void begin(engine::StreamReads& streams, WantedEvents wanted, const HttpReply& reply) {
    auto state = std::make_shared<State>(State{streams, std::move(wanted)});
    state->read([state, reply](Result<StreamReadAnswer> page) {
      if (!page.ok()) return reply.answer(problem(page.error()));
      state->take(std::move(page));
      HttpAnswer head;
      head.content_type = kNdjsonType;
      reply.stream(std::move(head), std::make_unique<PagesSource>(state, reply));
    });
  }

  struct State {
    engine::StreamReads& streams;
    WantedEvents wanted;
    StreamReadAnswer page = {};
    size_t row = 0;
    bool reading = false, arrived = false;
    std::optional<Error> failure = {};

    void read(std::function<void(Result<StreamReadAnswer>)> done) {
      reading = true;
      wanted.request.limit = static_cast<size_t>(std::min<uint64_t>(wanted.limit, kPageEvents));
      wanted.request.max_bytes = kPageBytes;
      streams.read(wanted.request, std::move(done));
    }
    void take(Result<StreamReadAnswer> answer) {
      reading = false;
      arrived = answer.ok();
      if (!answer.ok()) {
        failure = answer.error();
        return;
      }
      page = std::move(*answer);
      row = 0;
    }
  };
  PagesSource(std::shared_ptr<State> state, HttpReply reply)
      : reply_(std::move(reply)), state_(std::move(state)) {}

  Next produce(std::string& out, size_t wanted_bytes) override {
    State& s = *state_;
    while (out.size() < wanted_bytes) {
      if (s.failure) return fail(out);
      if (s.row < s.page.events.size()) {
        append_line(out, s.page.events[s.row++].value, s.wanted.quote_numbers);
        if (--s.wanted.limit == 0 || s.row == s.page.events.size())
          cursor_ = engine::to_cursor(s.page.events[s.row - 1].after);
        if (s.wanted.limit == 0) return Next::kEnd;
        continue;
      }
      if (s.arrived) {
        s.arrived = false;
        cursor_ = engine::to_cursor(s.page.next);
        if (s.page.at_end) return Next::kEnd;
        go_on_from(s.wanted.request, s.page.next);
      }
      if (!s.reading) read();
      if (!s.arrived && !s.failure) return Next::kWait;
    }
    return Next::kMore;
  }
  std::string trailer() override { return fmt::format("Millrace-Cursor: {}\r\n", cursor_); }

 private:
  void read() {
    state_->read([state = std::weak_ptr<State>(state_), reply = reply_](Result<StreamReadAnswer> page) {
      const auto s = state.lock();
      if (s == nullptr) return;
      s->take(std::move(page));
      reply.wake();
    });
  }
  Next fail(std::string& out) {
    out += R"({"error":)";
    append_problem(out, *state_->failure, status_of(*state_->failure), reply_.id());
    out += "}\n";
    return Next::kEnd;
  }

  HttpReply reply_;
  std::shared_ptr<State> state_;
  std::string cursor_;
};

// Live: events as they become durable, each with the cursor that goes on behind it.
class LiveSource final : public BodySource {
 public:
  // `begin`: the cursor it starts at, if there is one.
  LiveSource(std::unique_ptr<engine::Subscription> events, const WantedEvents& wanted,
             const std::string& begin, const HttpReply& reply)
      : events_(std::move(events)),
        limit_(wanted.limit),
        quote_numbers_(wanted.quote_numbers),
        request_id_(reply.id()) {
    head_ = "retry: 500\n";
    if (!begin.empty()) head_ += "id: " + begin + "\nevent: begin\ndata:\n";
    head_ += '\n';
    events_->on_ready([reply] { reply.wake(); });
  }
  ~LiveSource() override { events_->on_ready(nullptr); }

  Next produce(std::string& out, size_t wanted_bytes) override {
    out += std::exchange(head_, {});
    while (out.size() < wanted_bytes) {
      const auto rows = static_cast<size_t>(std::min<uint64_t>(limit_, kRowsAtOnce));
      const auto got = events_->pull(
          rows, [&](std::string_view event, std::string_view cursor) { append(out, event, cursor); });
      if (!got.ok()) return fail(out, got.error());
      if (*got == 0) return Next::kWait;
      if (limit_ != UINT64_MAX) limit_ -= *got;
      if (limit_ == 0) return Next::kEnd;
    }
    return Next::kMore;
  }
  bool endless() const override { return true; }
  std::string_view farewell() const override { return kComeBack; }
  std::string_view heartbeat() const override { return ":\n\n"; }

 private:
  void append(std::string& out, std::string_view event, std::string_view cursor) const {
    if (!cursor.empty()) {
      out += "id: ";
      out += cursor;
      out += '\n';
    }
    append_trace(out, events_->trace());
    out += "data: ";
    append_json(out, event, quote_numbers_);
    out += "\n\n";
  }
  // Fields that a browser's EventSource passes over.
  static void append_trace(std::string& out, std::string_view encoded) {
    const auto trace = telemetry::decode_trace_context(encoded);
    if (!trace) return;
    fmt::format_to(std::back_inserter(out), "traceparent: {}\n", telemetry::to_traceparent(*trace));
    if (!trace->state.empty()) fmt::format_to(std::back_inserter(out), "tracestate: {}\n", trace->state);
  }
  Next fail(std::string& out, const Error& failure) const {
    out += "event: error\ndata: {\"error\":";
    append_problem(out, failure, status_of(failure), request_id_);
    out += "}\n\n";
    return Next::kEnd;
  }

  std::unique_ptr<engine::Subscription> events_;
  uint64_t limit_;
  bool quote_numbers_;
  const std::string request_id_;
  // Before the first event: who is cut off before one came goes on where it began, not at a later end. An event of its
  // own, which nobody listens to, for Firefox forgets the id of a block without data.
  std::string head_;
};

}  // namespace

void append_json(std::string& out, std::string_view json, bool quote_numbers) {
  if (quote_numbers) {
    formats::append_with_quoted_numbers(out, json);
  } else {
    out += json;
  }
}

void append_flat(std::string& out, std::string_view json, bool quote_numbers) {
  const auto from = static_cast<std::ptrdiff_t>(out.size());
  append_json(out, json, quote_numbers);
  for (const char line_break : {'\n', '\r'}) std::replace(out.begin() + from, out.end(), line_break, ' ');
}

void read_events(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  const bool live = accepts_events(request.head.accept);
  auto stream = find_stream(backend, request.tenant, request.target.segments[2]);
  if (!stream.ok()) return reply.answer(problem(stream.error()));
  const Form form = form_of(request.head.accept);
  ReadParameters parameters{request.target.query, live, live ? request.head.last_event_id : std::string()};
  const bool limited =
      std::ranges::any_of(parameters.given, [](const auto& p) { return p.first == "limit"; });
  if (form == Form::kCloudEvent && !limited) parameters.given.emplace_back("limit", "1");
  auto wanted = wanted_events(backend, std::move(*stream), parameters);
  if (!wanted.ok()) return reply.answer(problem(wanted.error()));
  if (const auto fits = check_limit(form, wanted->limit); !fits.ok())
    return reply.answer(problem(fits.error()));
  if (live) {
    const auto& place = wanted->request.place;
    const std::string begin = place ? engine::to_cursor(*place) : std::string();
    auto events = backend.streams->follow(wanted->request, false);
    if (!events.ok()) return reply.answer(problem(events.error()));
    HttpAnswer head;
    head.content_type = kEventsType;
    head.fields = "Cache-Control: no-store\r\n";
    return reply.stream(std::move(head),
                        std::make_unique<LiveSource>(std::move(*events), *wanted, begin, reply));
  }
  if (wanted->limit <= kPageEvents) {
    std::make_shared<PageReader>(*backend.streams, std::move(*wanted), form, reply)->read();
    return;
  }
  PagesSource::begin(*backend.streams, std::move(*wanted), reply);
}

}  // namespace millrace::gateway
