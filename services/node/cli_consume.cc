// millrace consume: a stream's events as JSON lines; with --follow for ever, coming back where it left off.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/line_splitter.h"

namespace millrace::cli {
namespace {

constexpr uint64_t kPage = 10'000;

struct ConsumeOptions {
  ServerOptions server;
  std::string stream;
  std::string from = "start";
  bool from_given = false;
  bool follow = false;
  uint64_t limit = 0;
  double retry_seconds = 60;
};

bool print_line(std::string_view line) {
  const bool good =
      std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
  return good;
}

std::string target_of(const ConsumeOptions& options, const std::string& from, uint64_t limit) {
  std::string target =
      fmt::format("/v1/streams/{}/events?from={}", percent_encode(options.stream), percent_encode(from));
  return limit == 0 ? target : fmt::format("{}&limit={}", target, limit);
}

// Page by page, from cursor to cursor, until a page is empty.
int read_bounded(const ConsumeOptions& options, HttpClient& client) {
  std::string from = options.from;
  uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  while (left > 0) {
    uint64_t got = 0;
    bool written = true;
    LineSplitter lines([&](std::string_view line) {
      if (line.empty()) return true;
      ++got;
      written = print_line(line);
      return written;
    });
    const HttpRequest request{
        "GET", target_of(options, from, std::min(left, kPage)), {{"Accept", "application/x-ndjson"}}, {}};
    const auto answer = client.call(request, [&](std::string_view piece) { return lines.add(piece); });
    if (!answer.ok()) return report(answer.error());
    if (answer->status >= 300) return report(error_of(*answer));
    lines.finish();
    const std::string next = answer->header("millrace-cursor");
    left -= std::min(left, got);
    if (!written || got == 0 || next.empty() || next == from) break;
    from = next;
  }
  return std::fflush(stdout) == 0 ? kOk : kFailed;
}

// Live, over server-sent events. After a lost connection it goes on behind the last event's id: none twice,
// none left out.
int follow(const ConsumeOptions& options, HttpClient& client) {
  std::string from = options.from;
  uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  auto last_progress = std::chrono::steady_clock::now();
  while (true) {
    bool done = false;
    std::optional<Error> failure;
    EventReader events([&](const ServerEvent& event) {
      if (event.type == "error") {
        failure = error_of(nlohmann::ordered_json::parse(event.data, nullptr, false), 500);
        return false;
      }
      if (!event.id.empty()) from = event.id;
      last_progress = std::chrono::steady_clock::now();
      done = !print_line(event.data) || std::fflush(stdout) != 0 || --left == 0;
      return !done;
    });
    const HttpRequest request{"GET", target_of(options, from, 0), {{"Accept", "text/event-stream"}}, {}};
    const auto answer = client.call(request, [&](std::string_view piece) { return events.add(piece); });
    if (done) return kOk;
    if (failure) return report(*failure);
    const bool busy = answer.ok() && (answer->status == 503 || answer->status == 429);
    if (answer.ok() && answer->status >= 300 && !busy) return report(error_of(*answer));
    const std::chrono::duration<double> quiet = std::chrono::steady_clock::now() - last_progress;
    if (quiet.count() > options.retry_seconds)
      return report(answer.ok() ? error_of(*answer) : answer.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

int run(ConsumeOptions options) {
  if (options.follow && !options.from_given) options.from = "end";
  HttpClient::Options limits;
  if (options.follow) limits.answer = std::chrono::milliseconds(0);
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  return options.follow ? follow(options, **client) : read_bounded(options, **client);
}

}  // namespace

void add_consume_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ConsumeOptions>();
  CLI::App* command = app.add_subcommand("consume", "a stream's events as JSON lines");
  add_server_options(*command, options->server);
  command->add_option("stream", options->stream, "the stream")->required();
  auto* from =
      command->add_option("--from", options->from,
                          "start, end, a cursor, or an RFC 3339 time (default: start; with --follow: end)");
  command->add_flag("--follow", options->follow, "goes on for ever, as events come");
  command->add_option("--limit", options->limit, "stop after so many events");
  command
      ->add_option("--retry-seconds", options->retry_seconds, "with --follow: how long to try to come back")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  command->callback([options, from, &exit_code] {
    options->from_given = from->count() > 0;
    exit_code = run(*options);
  });
}

}  // namespace millrace::cli
