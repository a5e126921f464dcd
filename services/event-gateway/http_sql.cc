// POST /v1/sql: statements in, rows out, one JSON object each; a subscription's go on coming.
//
// Small answers are held until they are whole, so that an error has a status of its own. An answer that takes
// its time, or is large, or never ends, is streamed; an error then is its last line.
#include <fmt/format.h>

#include <deque>

#include "avro/container_writer.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_sql_request.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event/row_type.h"
#include "formats/json.h"
#include "sql/ast.h"
#include "sql/sql.h"

namespace millrace::gateway {
namespace {

constexpr size_t kMaxSql = 1u << 20;
constexpr size_t kHeldAnswer = 64 * 1024;
constexpr size_t kRowsAtOnce = 256;
constexpr size_t kAvroBlock = 64 * 1024;

// What the statements have answered so far, shared by the one who fills it and the one who sends it.
struct Answers {
  std::deque<StatementResult> results;
  bool done = false;
  std::optional<Error> failure;
  SqlService::Cancel cancel;
};

struct SqlForm {
  bool as_events = false;
  bool as_avro = false;
  bool quote_numbers = false;
  std::string request_id = {};
};

class SqlSource final : public BodySource {
 public:
  SqlSource(std::shared_ptr<Answers> answers, const SqlForm& form)
      : answers_(std::move(answers)),
        as_events_(form.as_events),
        as_avro_(form.as_avro),
        quote_numbers_(form.quote_numbers),
        request_id_(form.request_id) {}
  ~SqlSource() override {
    for (auto& result : answers_->results) {
      if (result.subscription != nullptr) result.subscription->on_ready(nullptr);
    }
    if (!answers_->done && answers_->cancel) answers_->cancel();
  }

  Next produce(std::string& out, size_t wanted_bytes) override {
    if (!held_.empty()) {
      out += held_;
      held_.clear();
    }
    while (out.size() < wanted_bytes) {
      if (answers_->results.empty()) {
        if (!answers_->done) return Next::kWait;
        if (answers_->failure) append_error(out, *answers_->failure);
        return Next::kEnd;
      }
      StatementResult& result = answers_->results.front();
      if (result.subscription != nullptr) {
        const Next next = pull(out, *result.subscription, wanted_bytes);
        if (next != Next::kMore) return next;
      } else if (!append_result(out, result, wanted_bytes)) {
        answers_->results.pop_front();
        writer_.reset();
        row_ = 0;
      }
    }
    return Next::kMore;
  }
  bool endless() const override { return subscribed(); }
  void refuse(std::string& out, const Error& why) override { append_error(out, why); }
  std::string_view heartbeat() const override { return as_events_ ? ":\n\n" : "\n"; }
  void hold(std::string bytes) { held_ = std::move(bytes); }

 private:
  bool subscribed() const {
    for (const auto& result : answers_->results) {
      if (result.subscription != nullptr) return true;
    }
    return false;
  }

  // False: all of it is out.
  bool append_result(std::string& out, const StatementResult& result, size_t wanted_bytes) {
    if (result.columns.empty()) {
      begin(out, {});
      out += R"({"status":)";
      formats::append_json_string(out, result.tag);
      out += '}';
      end(out);
      return false;
    }
    if (as_avro_) return append_file(out, result);
    if (!writer_) {
      std::vector<std::string> names;
      for (const auto& column : result.columns) names.push_back(column.name);
      writer_.emplace(names);
      columns_.clear();
      for (const auto& column : result.rows.columns) columns_.push_back(&column);
    }
    for (; row_ < result.rows.rows && out.size() < wanted_bytes; ++row_) {
      begin(out, {});
      append_row(out);
      end(out);
    }
    return row_ < result.rows.rows;
  }

  // Likewise, of a file: its head, then a block.
  bool append_file(std::string& out, const StatementResult& result) {
    if (!file_) {
      file_.emplace(result.columns, "row");
      file_->begin(out);
      for (const auto& column : result.rows.columns) columns_.push_back(&column);
    }
    row_ = file_->append(out, columns_, row_, result.rows.rows, kAvroBlock);
    return row_ < result.rows.rows;
  }

  void append_row(std::string& out) {
    if (!quote_numbers_) return writer_->append(out, columns_, row_);
    scratch_.clear();
    writer_->append(scratch_, columns_, row_);
    formats::append_with_quoted_numbers(out, scratch_);
  }

  Next pull(std::string& out, engine::Subscription& subscription, size_t wanted_bytes) {
    while (out.size() < wanted_bytes) {
      const auto got = subscription.pull(kRowsAtOnce, [&](std::string_view row, std::string_view cursor) {
        begin(out, cursor);
        append_json(out, row, quote_numbers_);
        end(out);
      });
      if (!got.ok()) {
        append_error(out, got.error());
        return Next::kEnd;
      }
      if (*got == 0) return Next::kWait;
    }
    return Next::kMore;
  }

  void begin(std::string& out, std::string_view cursor) const {
    if (!as_events_) return;
    if (!cursor.empty()) {
      out += "id: ";
      out += cursor;
      out += '\n';
    }
    out += "data: ";
  }
  void end(std::string& out) const { out += as_events_ ? "\n\n" : "\n"; }
  void append_error(std::string& out, const Error& failure) const {
    if (as_events_) out += "event: error\n";
    begin(out, {});
    out += R"({"error":)";
    append_problem(out, failure, status_of(failure), request_id_);
    out += '}';
    end(out);
  }

  std::shared_ptr<Answers> answers_;
  const bool as_events_;
  const bool as_avro_;
  const bool quote_numbers_;
  const std::string request_id_;
  std::string held_;
  std::string scratch_;
  std::optional<formats::JsonRowWriter> writer_;
  std::optional<avro::ContainerWriter> file_;
  std::vector<const Column*> columns_;
  size_t row_ = 0;
};

// One request being run. Lives as long as the service holds its callbacks.
class SqlRun : public std::enable_shared_from_this<SqlRun> {
 public:
  SqlRun(HttpReply reply, const SqlForm& form) : reply_(std::move(reply)), form_(form) {}

  void start(const HttpBackend& backend, TenantId tenant, const SqlText& text) {
    answers_->cancel = backend.sql(
        tenant, text, [self = shared_from_this()](StatementResult r) { self->each(std::move(r)); },
        [self = shared_from_this()](Status status) { self->done(std::move(status)); });
    // Something is there and more will take a while: what there is, goes out.
    if (begun_ || answers_->done) return;
    if (!answers_->results.empty()) return begin();
    reply_.on_gone([self = shared_from_this()] { self->answers_->cancel(); });
  }

 private:
  void each(StatementResult result) {
    if (answers_->done) return;
    if (result.subscription != nullptr) result.subscription->on_ready([reply = reply_] { reply.wake(); });
    answers_->results.push_back(std::move(result));
    if (begun_) reply_.wake();
  }
  void done(Status status) {
    if (std::exchange(answers_->done, true)) return;
    if (!status.ok()) answers_->failure = status.error();
    if (begun_) return reply_.wake();
    begin();
  }
  void begin() {
    begun_ = true;
    if (answers_->failure && answers_->results.empty()) return reply_.answer(problem(*answers_->failure));
    auto source = std::make_unique<SqlSource>(answers_, form_);
    HttpAnswer head;
    head.content_type = form_.as_avro ? kAvroType : form_.as_events ? kEventsType : kNdjsonType;
    if (!source->endless() && answers_->done) {
      std::string held;
      if (source->produce(held, kHeldAnswer) == BodySource::Next::kEnd) {
        head.body = std::move(held);
        return reply_.answer(std::move(head));
      }
      source->hold(std::move(held));
    }
    if (form_.as_events) head.fields = "Cache-Control: no-store\r\n";
    reply_.stream(std::move(head), std::move(source));
  }

  HttpReply reply_;
  const SqlForm form_;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  bool begun_ = false;
};

// A file has one schema, and an end. An error that comes later breaks it, so that no reader takes it for whole.
Status check_fits_file(TenantId tenant, const SqlText& text) {
  const MakesRowTypesOfTenant makes(tenant);
  TRY_ASSIGN(const auto statements, sql::parse(text.text, text.parameters));
  if (statements.size() == 1 && std::holds_alternative<sql::ast::Select>(statements.front()->body)) return {};
  return error(Code::kInvalid, "MR-API-0047", "an Avro file holds the rows of one SELECT",
               "send it alone, or ask for another media type");
}

}  // namespace

void run_sql(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (request.body.size() > kMaxSql) {
    return reply.answer(problem(error(Code::kInvalid, "MR-API-0003", "the SQL text is longer than 1 MB")));
  }
  SqlForm form{.as_events = accepts_events(request.head.accept), .request_id = reply.id()};
  for (const auto& [name, value] : request.target.query) {
    if (name != "numbers") continue;
    const auto quoted = quotes_numbers(value);
    if (!quoted.ok()) return reply.answer(problem(quoted.error()));
    form.quote_numbers = *quoted;
  }
  SqlText text{std::string(request.body)};
  if (is_media_type(request.head.content_type, kJsonType)) {
    auto parsed = parse_sql_request(request.body);
    if (!parsed.ok()) return reply.answer(problem(parsed.error()));
    text = std::move(*parsed);
  }
  if (const std::string* given = request.target.parameter("timeout_ms")) {
    const auto timeout = parse_timeout_ms(*given);
    if (!timeout.ok()) return reply.answer(problem(timeout.error()));
    text.timeout = *timeout;
  }
  if (accepts(request.head.accept, kAvroType)) {
    if (const Status fits = check_fits_file(request.tenant, text); !fits.ok())
      return reply.answer(problem(fits.error()));
    form.as_avro = true;
    form.as_events = false;
  }
  text.caller = request.caller;
  text.acted = statement_audit(backend, request.caller, request.peer);
  std::make_shared<SqlRun>(reply, form)->start(backend, request.tenant, text);
}

}  // namespace millrace::gateway
