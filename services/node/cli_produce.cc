// millrace produce: NDJSON or CSV from a file or standard input into a stream, in batches, each exactly once.
//
// Every batch has an Idempotency-Key, so a batch whose answer got lost can be sent again: the server answers
// what it answered the first time. The key follows from the prefix, the batch's number and its bytes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "CLI/CLI.hpp"
#include "base/hash.h"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/produce_input.h"
#include "node/progress.h"
#include "node/shell/signals.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using SteadyClock = std::chrono::steady_clock;
constexpr size_t kShownRejections = 10;

struct ProduceOptions {
  ServerOptions server;
  std::string stream;
  std::string file = "-";
  std::string format;  // empty: by the file's name
  std::string prefix;
  double rate = 0;  // 0: as fast as it goes
  double retry_seconds = 60;
  bool quiet = false;
};

// The byte is one of the event made of a CSV line, which nobody has seen.
std::string without_byte(std::string message) {
  const size_t at = message.find(" at byte ");
  if (at == std::string::npos) return message;
  const size_t end = message.find_first_not_of("0123456789", at + std::string_view(" at byte ").size());
  return message.erase(at, end == std::string::npos ? end : end - at);
}

bool begins_with_no_object(std::string_view events) {
  const size_t at = events.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && events[at] != '{';
}

class Producer {
 public:
  Producer(const ProduceOptions& options, HttpClient& client, Signals& stop)
      : options_(options), client_(client), stop_(stop), progress_(!options.quiet) {
    if (prefix().empty()) {
      std::random_device random;
      random_prefix_ = fmt::format("produce-{:08x}{:08x}", random(), random());
    }
  }

  // The types that CSV needs.
  Result<std::vector<StreamColumn>> columns() {
    TRY_ASSIGN(const auto answer,
               send_until_answered({"GET", "/v1/streams/" + percent_encode(options_.stream), {}, {}}));
    if (answer.status >= 300) return error_of(answer);
    const Json stream = Json::parse(answer.body, nullptr, false);
    if (!stream.is_object())
      return error(Code::kCorrupt, "MR-CLI-0010", "the server sent what is no JSON object");
    std::vector<StreamColumn> columns;
    for (const Json& column : stream.value("columns", Json::array()))
      columns.push_back({column.value("name", ""), column.value("type", "")});
    return columns;
  }

  int run(EventSource& source, uint64_t size) {
    const auto started = SteadyClock::now();
    int code = kOk;
    uint64_t first_line = 1;
    while (code == kOk) {
      const auto batch = source.next(
          options_.rate > 0 ? std::max<uint64_t>(1, std::llround(options_.rate / 10)) : UINT64_MAX);
      if (!batch.ok() || (!batch->events.empty() && !waits_for_turn(started))) {
        code = say(batch.ok() ? cancelled() : batch.error());
        fmt::print(stderr, "lines from {} on were not sent\n", first_line);
        break;
      }
      if (batch->events.empty()) break;
      bytes_ += batch->bytes;
      code = send(*batch);
      if (code != kOk)
        fmt::print(stderr, "lines {} to {} {}, later ones not sent\n", first_line, batch->next_line - 1,
                   cancelled_ ? "may be in the stream" : "were not accepted");
      first_line = batch->next_line;
      show_progress(started, size);
    }
    progress_.wipe();
    const std::chrono::duration<double> took = SteadyClock::now() - started;
    if (!options_.quiet) {
      fmt::print(stderr, "{} accepted, {} rejected{}{}, {:.1f} MB in {:.2f} s{}\n",
                 counted(accepted_, "event"), rejected_,
                 dead_letters_ == 0 ? std::string() : ", " + counted(dead_letters_, "dead letter"),
                 known_ == 0 ? std::string() : fmt::format(", {} in the stream already", known_),
                 static_cast<double>(bytes_) / 1e6, took.count(),
                 retries_ == 0 ? std::string() : fmt::format(", {} retries", retries_));
    }
    return code != kOk ? code : rejected_ > 0 ? kFailed : kOk;
  }

 private:
  std::string_view prefix() const { return options_.prefix.empty() ? random_prefix_ : options_.prefix; }

  uint64_t done() const { return accepted_ + rejected_ + known_ + dead_letters_; }

  static Error cancelled() { return error(Code::kCancelled, "MR-CLI-0015", "cancelled"); }

  int say(const Error& failure) {
    progress_.wipe();
    cancelled_ = failure.code == Code::kCancelled;
    return report(failure);
  }

  // With a rate: until those before it have had their time. False: ctrl-C came.
  bool waits_for_turn(SteadyClock::time_point started) {
    if (options_.rate <= 0) return true;
    const std::chrono::duration<double> due(static_cast<double>(done()) / options_.rate);
    const std::chrono::duration<double> left = due - (SteadyClock::now() - started);
    return left.count() <= 0 || !stop_.wait_for(left.count());
  }

  void show_progress(SteadyClock::time_point started, uint64_t size) {
    const std::chrono::duration<double> took = SteadyClock::now() - started;
    const double rate = took.count() > 0 ? static_cast<double>(done()) / took.count() : 0;
    progress_.at(bytes_, size, fmt::format("{} events, {:.0f}/s", done(), rate));
  }

  int send(const Batch& batch) {
    const std::vector<uint64_t>& lines = batch.lines;
    if (lines.empty()) return kOk;
    const std::string key =
        fmt::format("{}-{}-{:016x}", prefix(), batch_number_++, stable_hash(batch.events));
    HttpRequest request{"POST",
                        "/v1/streams/" + percent_encode(options_.stream) + "/events",
                        {{"Content-Type", "application/x-ndjson"}, {"Idempotency-Key", key}},
                        batch.events};
    const auto answer = send_until_answered(request);
    return answer.ok() ? take(*answer, batch) : say(answer.error());
  }

  Result<HttpAnswer> send_until_answered(const HttpRequest& request) {
    const auto deadline = SteadyClock::now() + std::chrono::duration<double>(options_.retry_seconds);
    auto pause = std::chrono::milliseconds(50);
    for (sent_again_ = false;; sent_again_ = true) {
      auto answer = client_.call(request);
      const bool again =
          answer.ok() ? answer->status == 429 || answer->status == 503 : retryable(answer.error().code);
      const auto wait = std::max(pause, answer.ok() ? retry_after(*answer) : std::chrono::milliseconds(0));
      if (!again || SteadyClock::now() + wait > deadline) return answer;
      say_why(answer);
      ++retries_;
      if (stop_.wait_for(std::chrono::duration<double>(wait).count())) return cancelled();
      pause = std::min(pause * 2, std::chrono::milliseconds(2'000));
    }
  }

  // Once a run: who waits for a minute wants to know for what.
  void say_why(const Result<HttpAnswer>& answer) {
    if (options_.quiet || retries_ > 0) return;
    progress_.wipe();
    say_trying_again(answer.ok() ? error_of(*answer) : answer.error(), options_.retry_seconds);
  }

  static std::chrono::milliseconds retry_after(const HttpAnswer& answer) {
    const double seconds = std::strtod(answer.header("retry-after").c_str(), nullptr);
    return std::chrono::milliseconds(
        std::isfinite(seconds) ? std::lround(1000 * std::clamp(seconds, 0.0, 30.0)) : 0);
  }

  int take(const HttpAnswer& answer, const Batch& batch) {
    const std::vector<uint64_t>& lines = batch.lines;
    const Json parsed = Json::parse(answer.body, nullptr, false);
    // A batch that holds nothing but bad events is answered with 400 and, like any other, with their reasons.
    if (!parsed.is_object() || !parsed.contains("accepted")) return say(error_of(answer));
    const uint64_t accepted = parsed.value("accepted", uint64_t{0});
    const uint64_t duplicates = parsed.value("duplicates", uint64_t{0});
    const uint64_t dead_letters = parsed.value("dead_letters", uint64_t{0});
    // Of what was sent again the first try may have arrived: that is no earlier run's.
    const bool replayed = !sent_again_ && !answer.header("idempotency-replayed").empty();
    accepted_ += replayed ? 0 : accepted;
    known_ += duplicates + (replayed ? accepted : 0);
    dead_letters_ += dead_letters;
    rejected_ += lines.size() - std::min<uint64_t>(accepted + duplicates + dead_letters, lines.size());
    if (!parsed.contains("rejected") || !parsed["rejected"].is_array()) return kOk;
    for (const Json& one : parsed["rejected"]) {
      if (shown_++ >= kShownRejections) break;
      progress_.wipe();
      const uint64_t index = one.value("index", uint64_t{0});
      const std::string message = one.value("message", "");
      fmt::print(stderr, "line {}: {} {}\n", index < lines.size() ? lines[index] : 0, one.value("code", ""),
                 options_.format == "csv" ? without_byte(message) : message);
      if (shown_ == 1 && options_.format == "ndjson" && begins_with_no_object(batch.events))
        fmt::print(stderr, "hint: an event is a line {{\"name\":value,…}}; for CSV give --format csv\n");
      if (shown_ == kShownRejections) fmt::print(stderr, "further ones are counted, not shown\n");
    }
    return kOk;
  }

  const ProduceOptions& options_;
  HttpClient& client_;
  Signals& stop_;
  Progress progress_;
  std::string random_prefix_;
  uint64_t batch_number_ = 0, bytes_ = 0;
  uint64_t accepted_ = 0, rejected_ = 0, retries_ = 0;
  uint64_t known_ = 0;         // sent before, and in the stream already
  uint64_t dead_letters_ = 0;  // that did not fit, and are kept
  bool cancelled_ = false, sent_again_ = false;
  size_t shown_ = 0;
};

int run(ProduceOptions options) {
  if (options.format.empty()) options.format = options.file.ends_with(".csv") ? "csv" : "ndjson";
  int fd = STDIN_FILENO;
  if (options.file != "-") fd = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    report(cannot_open(options.file, errno));
    return kUsage;
  }
  Signals stop({SIGINT, SIGTERM});
  ByteInput input(fd, stop.fd());
  HttpClient::Options limits;
  limits.cancel_fd = stop.fd();
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  Producer producer(options, **client, stop);
  if (options.format == "ndjson") {
    NdjsonSource source(input);
    return producer.run(source, input.size());
  }
  auto columns = producer.columns();
  if (!columns.ok()) return report(columns.error());
  CsvSource source(input, std::move(*columns));
  return producer.run(source, input.size());
}

}  // namespace

void add_produce_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ProduceOptions>();
  CLI::App* command =
      app.add_subcommand("produce", "Send events to a stream, NDJSON or CSV, each exactly once");
  add_server_options(*command, options->server);
  command->add_option("stream", options->stream, "The stream")->required();
  command->add_option("file", options->file, "A file of events, one a line; - for standard input")
      ->capture_default_str();
  command
      ->add_option("--format", options->format,
                   "ndjson, or csv whose first line names columns of the stream (default: csv for FILE.csv)")
      ->check(CLI::IsMember({"ndjson", "csv"}));
  command->add_option("--rate", options->rate, "Events a second, evenly (default: as fast as it goes)")
      ->check(CLI::Range(0.001, 1e9));
  command->add_option("--idempotency-prefix", options->prefix,
                      "Begins every batch's Idempotency-Key: the same file sent twice at the same rate "
                      "counts once (default: random)");
  command
      ->add_option("--retry-seconds", options->retry_seconds,
                   "How long to try again when the server is busy or away")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  command->add_flag("--quiet", options->quiet, "No progress, no summary, no word of waiting");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
