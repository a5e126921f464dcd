// /v1/dead-letters: what queries could not use, as JSON, and what can be done about it.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <map>
#include <tuple>

#include "event-gateway/dead_letters.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event-gateway/resource_page.h"
#include "event/text.h"
#include "formats/cloud_event.h"
#include "formats/json_text.h"

namespace millrace::gateway {
namespace {

constexpr size_t kMostCounted = 100'000;  // letters that one request looks at

// ----- as JSON

void append_time(formats::JsonText& out, int64_t micros) {
  std::string text;
  append_timestamp(text, Timestamp{micros});
  out.text(text);
}

template <typename Value>
void append_number_or_null(formats::JsonText& out, const std::optional<Value>& value) {
  value ? out.number(value->value) : out.value("null");
}

void append_mark(formats::JsonText& out, const std::optional<LetterMark>& mark,
                 const std::string* payload = nullptr) {
  if (!mark) {
    out.value("null");
    return;
  }
  append_time(out.open('{').name("at"), mark->at.value);
  mark->by.empty() ? out.name("by").value("null") : out.name("by").text(mark->by);
  if (payload != nullptr) out.name("payload").text(*payload);
  out.close('}');
}

// The message ends with it: "… (line 2, column 3 of the query)".
void append_place(formats::JsonText& out, std::string_view message) {
  const size_t at = message.rfind("(line ");
  unsigned line = 0, column = 0;
  if (at != std::string_view::npos) {
    const std::string place(message.substr(at));
    if (std::sscanf(place.c_str(), "(line %u, column %u of the query)", &line, &column) != 2) line = 0;
  }
  if (line == 0) {
    out.value("null");
    return;
  }
  out.open('{').name("line").number(line).name("column").number(column).close('}');
}

void append_event_id(formats::JsonText& out, const Letter& letter, const sql::Catalog& catalog) {
  const auto* entry = catalog.find(letter.tenant, letter.stream);
  if ((letter.offset || letter.is_outside()) && entry != nullptr && entry->stream &&
      entry->stream->cloud_events) {
    const Buffer payload = Buffer::copy(letter.payload);
    formats::CloudEventReader reader;
    if (const auto id = reader.read(payload.view()); id.ok()) {
      out.open('{').name("source").text(id->source).name("id").text(id->id).close('}');
      return;
    }
  }
  out.value("null");
}

// What a list tells of a letter, too.
void append_head(formats::JsonText& out, const Letter& letter) {
  out.name("id").number(letter.number.value).name("state").text(letter.state.name());
  append_time(out.name("filed_at"), letter.filed.value);
  out.name("query").text(letter.query).name("stream").text(letter.stream);
  append_number_or_null(out.name("partition"), letter.partition);
  append_number_or_null(out.name("offset"), letter.offset);
  out.name("cause").text(letter.cause).name("code").text(letter.code).name("message").text(letter.message);
}

void append_letter(formats::JsonText& out, const Letter& letter, const sql::Catalog& catalog) {
  out.open('{');
  append_head(out, letter);
  append_place(out.name("place"), letter.message);
  append_time(out.name("arrived_at"), letter.arrived.micros);
  append_event_id(out.name("event_id"), letter, catalog);
  letter.lateness_ms ? out.name("lateness_ms").number(*letter.lateness_ms)
                     : out.name("lateness_ms").value("null");
  out.name("payload").text(letter.payload);
  append_mark(out.name("edited"), letter.state.edited, &letter.state.payload);
  append_mark(out.name("discarded"), letter.state.discarded);
  append_mark(out.name("redriven"), letter.state.redriven);
  out.close('}');
}

void append_next(formats::JsonText& out, const std::optional<Offset>& next) {
  out.name("next");
  next ? out.text(std::to_string(next->value)) : out.value("null");
}

// ----- what is asked

template <typename T>
bool parse_whole(std::string_view text, T& out) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

Result<int64_t> time_in(const std::string& text) {
  const auto time = parse_timestamp(text);
  if (time.ok()) return time->micros;
  return bad_parameter(fmt::format("\"{}\" is not a time", start_of(text, 40)),
                       "write it like 2024-05-01T12:00:00Z");
}

Status check_one_of(std::string_view name, const std::string& value,
                    std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (value == word) return {};
  }
  return bad_parameter(fmt::format("{} cannot be \"{}\"", name, start_of(value, 40)),
                       fmt::format("one of: {}", fmt::join(words, ", ")));
}

struct LettersAsked {
  LetterScanRequest scan;
  size_t limit = 100;
};

Result<LettersAsked> letters_asked(const HttpRequest& request) {
  LettersAsked asked;
  asked.scan.tenant = request.tenant;
  LetterFilter& filter = asked.scan.filter;
  for (const auto& [name, value] : request.target.query) {
    if (name == "query") {
      filter.query = value;
    } else if (name == "stream") {
      filter.stream = value;
    } else if (name == "code") {
      filter.code = value;
    } else if (name == "cause") {
      filter.cause = value;
    } else if (name == "state") {
      TRY(check_one_of(name, value, {"open", "edited", "discarded", "redriven"}));
      filter.state = value;
    } else if (name == "from") {
      TRY_ASSIGN(filter.filed_us.first, time_in(value));
    } else if (name == "to") {
      TRY_ASSIGN(const int64_t end, time_in(value));
      filter.filed_us.last = end - 1;
    } else if (name == "order") {
      TRY(check_one_of(name, value, {"newest", "oldest"}));
      asked.scan.newest_first = value == "newest";
    } else if (name == "limit") {
      if (!parse_whole(value, asked.limit) || asked.limit == 0 || asked.limit > kMaxPageItems)
        return bad_parameter(fmt::format("limit has to be a whole number from 1 to {}", kMaxPageItems),
                             "write limit=100");
    } else if (name == "after") {
      int64_t after = 0;
      if (!parse_whole(value, after))
        return bad_parameter("after has to be the `next` of the page before", "leave it out to begin anew");
      asked.scan.after = Offset(after);
    } else {
      return bad_parameter(fmt::format("\"{}\" is not a parameter here", start_of(name, 40)),
                           "there are: query, stream, code, cause, state, from, to, order, limit, after");
    }
  }
  return asked;
}

Result<DeadLetters::Asked> letter_asked(const HttpRequest& request) {
  TRY(check_no_parameters(request.target));
  int64_t number = 0;
  if (parse_whole(request.target.segments[2], number))
    return DeadLetters::Asked{request.tenant, Offset(number), who(request.caller)};
  return error(
      Code::kNotFound, "MR-DLQ-0001",
      fmt::format("\"{}\" is not the number of a dead letter", start_of(request.target.segments[2], 40)),
      "GET /v1/dead-letters lists those that are kept");
}

// ----- answers

// A list under way: its answer as far as it is written.
struct Listing {
  HttpAnswer answer;
  size_t items = 0;
};

void list_letters(const HttpBackend& backend, const LettersAsked& asked, const HttpReply& reply) {
  const auto listing = std::make_shared<Listing>();
  formats::JsonText(listing->answer.body).open('{').name("items").open('[');
  backend.letters->scan(
      asked.scan,
      [listing, limit = asked.limit](const Letter& letter) {
        formats::JsonText out(listing->answer.body);
        out.open('{');
        append_head(out, letter);
        out.close('}');
        return ++listing->items < limit && listing->answer.body.size() < kMaxPageBytes;
      },
      [listing, reply](const Result<std::optional<Offset>>& next) {
        if (!next.ok()) return reply.answer(problem(next.error()));
        formats::JsonText out(listing->answer.body);
        append_next(out.close(']'), *next);
        out.close('}');
        listing->answer.body += '\n';
        reply.answer(std::move(listing->answer));
      });
}

void count_letters(const HttpBackend& backend, LettersAsked asked, const HttpReply& reply) {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  const auto counts = std::make_shared<std::map<Key, size_t>>();
  asked.scan.most_scanned = kMostCounted;
  backend.letters->scan(
      asked.scan,
      [counts](const Letter& letter) {
        ++(*counts)[{letter.query, letter.stream, letter.cause, letter.code,
                     std::string(letter.state.name())}];
        return true;
      },
      [counts, reply](const Result<std::optional<Offset>>& next) {
        if (!next.ok()) return reply.answer(problem(next.error()));
        HttpAnswer answer;
        formats::JsonText out(answer.body);
        out.open('{').name("items").open('[');
        for (const auto& [key, letters] : *counts) {
          const auto& [query, stream, cause, code, state] = key;
          out.open('{').name("query").text(query).name("stream").text(stream).name("cause").text(cause);
          out.name("code").text(code).name("state").text(state).name("letters").number(letters).close('}');
        }
        append_next(out.close(']'), *next);
        out.close('}');
        answer.body += '\n';
        reply.answer(std::move(answer));
      });
}

void redrive_letters(const HttpBackend& backend, const LettersAsked& asked, const HttpRequest& request,
                     const HttpReply& reply) {
  backend.letters->redrive_all(
      asked.scan, asked.limit, who(request.caller),
      [letters = backend.letters, tenant = request.tenant, write = later_audit(backend, request),
       reply](const Result<RedriveReport>& report) {
        write("REDRIVE LETTERS",
              report.ok() ? fmt::format("{} of a filter", report->redriven) : "of a filter",
              report.ok() ? Status() : Status(report.error()));
        if (!report.ok()) return reply.answer(problem(report.error(), letters->retry_after_s(tenant)));
        HttpAnswer answer;
        formats::JsonText out(answer.body);
        out.open('{').name("redriven").number(report->redriven).name("skipped").open('[');
        for (const auto& [letter, why] : report->skipped) {
          out.open('{').name("id").number(letter.value).name("code").text(why.id);
          out.name("message").text(why.message).close('}');
        }
        append_next(out.close(']'), report->next);
        out.close('}');
        answer.body += '\n';
        reply.answer(std::move(answer));
      });
}

HttpAnswer tried(const TriedLetter& letter) {
  using Outcome = engine::LetterTrial::Outcome;
  const engine::LetterTrial& trial = letter.trial;
  HttpAnswer answer;
  formats::JsonText out(answer.body);
  out.open('{').name("id").number(letter.letter.number.value);
  out.name("outcome").text(trial.outcome == Outcome::kPasses     ? "passes"
                           : trial.outcome == Outcome::kFiltered ? "filtered"
                                                                 : "fails");
  out.name("rows").open('[');
  for (const auto& row : trial.rows) out.value(row);
  out.close(']').name("failure");
  if (trial.outcome == Outcome::kFails) {
    out.open('{').name("cause").text(trial.cause).name("code").text(trial.code);
    out.name("message").text(trial.message).close('}');
  } else {
    out.value("null");
  }
  out.close('}');
  answer.body += '\n';
  return answer;
}

std::string_view act_of(Route route) {
  if (route == Route::kEditLetter) return "EDIT LETTER";
  return route == Route::kDiscardLetter ? "DISCARD LETTER" : "REDRIVE LETTER";
}

}  // namespace

void ask_dead_letters(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (backend.letters == nullptr)
    return reply.answer(problem(error(Code::kUnavailable, "MR-DLQ-0010", "no queries run on this node")));
  const auto asked = letters_asked(request);
  if (!asked.ok()) return reply.answer(problem(asked.error()));
  switch (request.route) {
    case Route::kCountLetters:
      return count_letters(backend, *asked, reply);
    case Route::kRedriveLetters:
      return redrive_letters(backend, *asked, request, reply);
    default:
      return list_letters(backend, *asked, reply);
  }
}

void ask_dead_letter(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (backend.letters == nullptr)
    return reply.answer(problem(error(Code::kUnavailable, "MR-DLQ-0010", "no queries run on this node")));
  const auto asked = letter_asked(request);
  if (!asked.ok()) return reply.answer(problem(asked.error()));
  const auto show = [&backend, tenant = request.tenant, reply](const Result<Letter>& letter) {
    if (!letter.ok()) return reply.answer(problem(letter.error(), backend.letters->retry_after_s(tenant)));
    HttpAnswer answer;
    formats::JsonText out(answer.body);
    append_letter(out, *letter, *backend.catalog());
    answer.body += '\n';
    reply.answer(std::move(answer));
  };
  const auto done = [show, write = later_audit(backend, request), route = request.route,
                     what = request.target.segments[2]](const Result<Letter>& letter) {
    write(act_of(route), what, letter.ok() ? Status() : Status(letter.error()));
    show(letter);
  };
  switch (request.route) {
    case Route::kEditLetter:
      return backend.letters->edit(*asked, std::string(request.body), done);
    case Route::kDiscardLetter:
      return backend.letters->discard(*asked, done);
    case Route::kRedriveLetter:
      return backend.letters->redrive(*asked, done);
    case Route::kTryLetter:
      return backend.letters->dry_run(*asked, [reply](const Result<TriedLetter>& letter) {
        reply.answer(letter.ok() ? tried(*letter) : problem(letter.error()));
      });
    default:
      return backend.letters->find(asked->tenant, asked->letter, show);
  }
}

}  // namespace millrace::gateway
