// millrace consume: a stream's events as JSON lines; with --follow for ever, coming back where it left off.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/line_splitter.h"
#include "node/progress.h"
#include "sql/parser.h"

namespace millrace::cli {
namespace {

constexpr uint64_t kPage = 10'000;

struct ConsumeOptions {
  ServerOptions server;
  std::string stream;
  std::string from = "start";
  std::string where;
  bool from_given = false;
  bool follow = false;
  uint64_t limit = 0;
  double retry_seconds = 60;
};

bool print_line(std::string_view line) {
  return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
}

std::string target_of(const ConsumeOptions& options, const std::string& from, uint64_t limit) {
  std::string target =
      fmt::format("/v1/streams/{}/events?from={}", percent_encode(options.stream), percent_encode(from));
  return limit == 0 ? target : fmt::format("{}&limit={}", target, limit);
}

int written(int code) {
  const Status flushed = flush_output();
  return flushed.ok() ? code : report(flushed.error());
}

// Page by page, from cursor to cursor, until a page is empty.
int read_bounded(const ConsumeOptions& options, HttpClient& client) {
  std::string from = options.from;
  uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  Progress progress(::isatty(STDOUT_FILENO) == 0);
  uint64_t all = 0;
  while (left > 0) {
    uint64_t got = 0;
    bool printed = true;
    LineSplitter lines([&](std::string_view line) {
      if (line.empty()) return true;
      ++got;
      printed = print_line(line);
      return printed;
    });
    const HttpRequest request{
        "GET", target_of(options, from, std::min(left, kPage)), {{"Accept", "application/x-ndjson"}}, {}};
    const auto answer = client.call(request, [&](std::string_view piece) { return lines.add(piece); });
    if (!answer.ok() || answer->status >= 300) {
      progress.wipe();
      return written(report(answer.ok() ? error_of(*answer) : answer.error()));
    }
    lines.finish();
    all += got;
    progress.at(0, 0, fmt::format("{} events", all));
    const std::string next = answer->header("millrace-cursor");
    left -= std::min(left, got);
    if (!printed || got == 0 || next.empty() || next == from) break;
    from = next;
  }
  progress.wipe();
  return written(kOk);
}

Error wrong_where(std::string message, std::string hint) {
  return error(Code::kInvalid, "MR-CLI-0032", std::move(message), std::move(hint));
}

std::string begin_of_select(const ConsumeOptions& options) {
  return fmt::format("SELECT * FROM {} WHERE (\n", quoted_name(options.stream));
}

// A place in the condition, which is what the user has written; the rest of the statement nobody has seen.
Error in_condition(Error failure, const ConsumeOptions& options) {
  if (!failure.span) return failure;
  SourceSpan& span = *failure.span;
  const std::string before = begin_of_select(options);
  if (span.offset < before.size() || span.offset + span.length > before.size() + options.where.size()) {
    failure.span.reset();
    return failure;
  }
  span.offset -= static_cast<uint32_t>(before.size());
  span.line -= static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n'));
  return failure;
}

// The condition is the user's text, so what comes of it is looked at: one SELECT, or it was no condition.
Result<std::string> select_of(const ConsumeOptions& options) {
  std::string sql = begin_of_select(options) + options.where + "\n)";
  if (options.from != "start") {
    if (options.from.find(':') == std::string::npos || options.from.find('\'') != std::string::npos) {
      return wrong_where("with --where, --from is start or an RFC 3339 time", "as in 2024-01-01T00:00:00Z");
    }
    sql += fmt::format(" AND _time >= TIMESTAMPTZ '{}'", options.from);
  }
  if (options.limit > 0) sql += fmt::format(" LIMIT {}", options.limit);
  const auto parsed = sql::parse(sql);
  if (parsed.ok() &&
      (parsed->size() != 1 || !std::holds_alternative<sql::ast::Select>(parsed->front()->body))) {
    return wrong_where("--where is not one condition", "as in  --where \"mag > 5 AND net = 'us'\"");
  }
  return sql;  // what does not parse, the server says
}

// By SQL: rows of the declared columns, not the events as they came.
int read_where(const ConsumeOptions& options, HttpClient& client) {
  const auto sql = select_of(options);
  if (!sql.ok()) {
    report(sql.error());
    return kUsage;
  }
  std::optional<Error> failure;
  LineSplitter lines([&](std::string_view line) {
    if (!line.starts_with("{\"error\":{")) return line.empty() || print_line(line);
    const auto object = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!object.is_object() || object.size() != 1) return print_line(line);
    failure = error_of(object, 500);
    return false;
  });
  const HttpRequest request{"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, *sql};
  const auto answer = client.call(request, [&](std::string_view piece) { return lines.add(piece); });
  if (!answer.ok()) return written(report(answer.error()));
  if (answer->status >= 300) {
    failure = error_of(*answer);
  } else {
    lines.finish();
  }
  return written(failure ? report(in_condition(*failure, options), options.where) : kOk);
}

// Live, over server-sent events. After a lost connection it goes on behind the last event's id, or where it began:
// none twice, none left out.
class Follower {
 public:
  Follower(const ConsumeOptions& options, HttpClient& client)
      : options_(options),
        client_(client),
        from_(options.from),
        left_(options.limit == 0 ? UINT64_MAX : options.limit) {}

  int run() {
    while (true) {
      const auto answer = listen();
      if (done_) return written(kOk);
      if (failure_) return written(report(*failure_));
      const bool busy = answer.ok() && (answer->status == 503 || answer->status == 429);
      if (answer.ok() && answer->status >= 300 && !busy) return written(report(error_of(*answer)));
      if (!waits(why(answer))) return written(report(why(answer)));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  Result<HttpAnswer> listen() {
    EventReader events([this](const ServerEvent& event) { return take(event); });
    const HttpRequest request{"GET", target_of(options_, from_, 0), {{"Accept", "text/event-stream"}}, {}};
    auto answer = client_.call(request, [&](std::string_view piece) {
      lost_.reset();
      return events.add(piece);
    });
    if (!events.last_id().empty()) from_ = events.last_id();
    return answer;
  }

  bool take(const ServerEvent& event) {
    if (event.type == "error") {
      failure_ = error_of(nlohmann::ordered_json::parse(event.data, nullptr, false), 500);
      return false;
    }
    done_ = !print_line(event.data) || std::fflush(stdout) != 0 || --left_ == 0;
    return !done_;
  }

  static Error why(const Result<HttpAnswer>& answer) {
    if (!answer.ok()) return answer.error();
    if (answer->status >= 300) return error_of(*answer);
    return error(Code::kUnavailable, "MR-CLI-0013", "the server has ended the subscription: it stops");
  }

  // The time counts from when the server was lost, however quiet the stream was before.
  bool waits(const Error& why) {
    if (!lost_) {
      lost_ = Clock::now();
      if (options_.retry_seconds > 0) say_trying_again(why, options_.retry_seconds);
    }
    return std::chrono::duration<double>(Clock::now() - *lost_).count() < options_.retry_seconds;
  }

  const ConsumeOptions& options_;
  HttpClient& client_;
  std::string from_;
  uint64_t left_;
  bool done_ = false;
  std::optional<Error> failure_;
  std::optional<Clock::time_point> lost_;
};

int run(ConsumeOptions options) {
  if (options.follow && !options.from_given) options.from = "end";
  HttpClient::Options limits;
  if (options.follow || !options.where.empty()) limits.answer = std::chrono::milliseconds(0);
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  if (!options.where.empty()) return read_where(options, **client);
  return options.follow ? Follower(options, **client).run() : read_bounded(options, **client);
}

}  // namespace

void add_consume_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ConsumeOptions>();
  CLI::App* command = app.add_subcommand("consume", "A stream's events as JSON lines");
  add_server_options(*command, options->server);
  command->add_option("stream", options->stream, "The stream")->required();
  auto* from = command->add_option(
      "--from", options->from,
      "Where to begin: start, end, a cursor, or an RFC 3339 time (default: start; with --follow: end)");
  auto* follow = command->add_flag("--follow", options->follow, "Go on for ever, as events come");
  command
      ->add_option("--where", options->where,
                   "A condition of SQL; what it is true for, as rows of the declared columns")
      ->type_name("CONDITION")
      ->excludes(follow);
  command->add_option("--limit", options->limit, "Stop after so many events")
      ->check(CLI::Range(int64_t{1}, INT64_MAX));
  command
      ->add_option("--retry-seconds", options->retry_seconds, "With --follow: how long to try to come back")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  command->callback([options, from, &exit_code] {
    options->from_given = from->count() > 0;
    exit_code = run(*options);
  });
}

}  // namespace millrace::cli
