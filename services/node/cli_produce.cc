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
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "CLI/CLI.hpp"
#include "base/hash.h"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/line_splitter.h"
#include "node/produce_input.h"
#include "node/progress.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using SteadyClock = std::chrono::steady_clock;
constexpr size_t kShownRejections = 10;

struct ProduceOptions {
  ServerOptions server;
  std::string stream;
  std::string file = "-";
  std::string format = "ndjson";
  std::string prefix;
  double rate = 0;  // 0: as fast as it goes
  double retry_seconds = 60;
  bool quiet = false;
};

class Producer {
 public:
  Producer(const ProduceOptions& options, HttpClient& client)
      : options_(options), client_(client), progress_(!options.quiet) {
    if (prefix().empty()) {
      std::random_device random;
      random_prefix_ = fmt::format("produce-{:08x}{:08x}", random(), random());
    }
  }

  // The types that CSV needs.
  Result<std::vector<StreamColumn>> columns() {
    const std::string describe = "DESCRIBE " + quoted_name(options_.stream);
    TRY_ASSIGN(const auto answer,
               send_until_answered({"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, describe}));
    if (answer.status >= 300) return error_of(answer);
    std::vector<StreamColumn> columns;
    LineSplitter lines([&](std::string_view line) {
      const Json row = Json::parse(line, nullptr, false);
      if (row.is_object()) columns.push_back({row.value("column", ""), row.value("type", "")});
      return true;
    });
    lines.add(answer.body);
    lines.finish();
    return columns;
  }

  int run(EventSource& source, uint64_t size) {
    const auto started = SteadyClock::now();
    int code = kOk;
    uint64_t first_line = 1;
    while (code == kOk) {
      const auto batch = source.next(
          options_.rate > 0 ? std::max<uint64_t>(1, std::llround(options_.rate / 10)) : UINT64_MAX);
      if (!batch.ok()) {
        progress_.wipe();
        code = report(batch.error());
        fmt::print(stderr, "lines from {} on were not sent\n", first_line);
        break;
      }
      if (batch->events.empty()) break;
      bytes_ += batch->bytes;
      wait_for_turn(started);
      code = send(*batch);
      if (code != kOk)
        fmt::print(stderr, "lines {} to {} were not accepted, later ones not sent\n", first_line,
                   batch->next_line - 1);
      first_line = batch->next_line;
      show_progress(started, size);
    }
    progress_.wipe();
    const std::chrono::duration<double> took = SteadyClock::now() - started;
    if (!options_.quiet) {
      fmt::print(stderr, "{} events accepted, {} rejected, {:.1f} MB in {:.2f} s{}\n", accepted_, rejected_,
                 static_cast<double>(bytes_) / 1e6, took.count(),
                 retries_ == 0 ? std::string() : fmt::format(", {} retries", retries_));
    }
    return code != kOk ? code : rejected_ > 0 ? kFailed : kOk;
  }

 private:
  std::string_view prefix() const { return options_.prefix.empty() ? random_prefix_ : options_.prefix; }

  uint64_t done() const { return accepted_ + rejected_; }

  // With a rate: when those before it have had their time.
  void wait_for_turn(SteadyClock::time_point started) const {
    if (options_.rate <= 0) return;
    const std::chrono::duration<double> due(static_cast<double>(done()) / options_.rate);
    std::this_thread::sleep_until(started + std::chrono::duration_cast<SteadyClock::duration>(due));
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
    if (answer.ok()) return take(*answer, lines);
    progress_.wipe();
    return report(answer.error());
  }

  Result<HttpAnswer> send_until_answered(const HttpRequest& request) {
    const auto deadline = SteadyClock::now() + std::chrono::duration<double>(options_.retry_seconds);
    auto pause = std::chrono::milliseconds(50);
    while (true) {
      auto answer = client_.call(request);
      const bool again =
          answer.ok() ? answer->status == 429 || answer->status == 503 : retryable(answer.error().code);
      const auto wait = std::max(pause, answer.ok() ? retry_after(*answer) : std::chrono::milliseconds(0));
      if (!again || SteadyClock::now() + wait > deadline) return answer;
      say_why(answer);
      ++retries_;
      std::this_thread::sleep_for(wait);
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

  int take(const HttpAnswer& answer, const std::vector<uint64_t>& lines) {
    const Json parsed = Json::parse(answer.body, nullptr, false);
    // A batch that holds nothing but bad events is answered with 400 and, like any other, with their reasons.
    if (!parsed.is_object() || !parsed.contains("accepted")) {
      progress_.wipe();
      return report(error_of(answer));
    }
    const uint64_t accepted = parsed.value("accepted", uint64_t{0});
    accepted_ += accepted;
    rejected_ += lines.size() - std::min<uint64_t>(accepted, lines.size());
    if (!parsed.contains("rejected") || !parsed["rejected"].is_array()) return kOk;
    for (const Json& one : parsed["rejected"]) {
      if (shown_++ >= kShownRejections) break;
      progress_.wipe();
      const uint64_t index = one.value("index", uint64_t{0});
      fmt::print(stderr, "line {}: {} {}\n", index < lines.size() ? lines[index] : 0, one.value("code", ""),
                 one.value("message", ""));
      if (shown_ == kShownRejections) fmt::print(stderr, "further ones are counted, not shown\n");
    }
    return kOk;
  }

  const ProduceOptions& options_;
  HttpClient& client_;
  Progress progress_;
  std::string random_prefix_;
  uint64_t batch_number_ = 0, bytes_ = 0;
  uint64_t accepted_ = 0, rejected_ = 0, retries_ = 0;
  size_t shown_ = 0;
};

int run(const ProduceOptions& options) {
  int fd = STDIN_FILENO;
  if (options.file != "-") fd = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    report(cannot_open(options.file, errno));
    return kUsage;
  }
  ByteInput input(fd);
  auto client = open_client(options.server);
  if (!client.ok()) return report(client.error());
  Producer producer(options, **client);
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
      ->add_option("--format", options->format, "ndjson, or csv whose first line names columns of the stream")
      ->check(CLI::IsMember({"ndjson", "csv"}))
      ->capture_default_str();
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
