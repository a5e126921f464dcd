// millrace produce: NDJSON from a file or standard input into a stream, in batches, each exactly once.
//
// Every batch has an Idempotency-Key, so a batch whose answer got lost can be sent again: the server answers
// what it answered the first time. The key follows from the prefix, the batch's number and its bytes.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <system_error>
#include <thread>

#include "CLI/CLI.hpp"
#include "base/hash.h"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/progress.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using SteadyClock = std::chrono::steady_clock;
constexpr size_t kBatchBytes = 512u << 10;
constexpr size_t kMaxLineBytes = 16u << 20;
constexpr size_t kShownRejections = 10;

struct ProduceOptions {
  ServerOptions server;
  std::string stream;
  std::string file = "-";
  std::string prefix;
  double retry_seconds = 60;
  bool quiet = false;
};

// Input reads whole lines into batches. From a pipe that has nothing more for now, what is there goes out at
// once.
class Input {
 public:
  explicit Input(int fd) : fd_(fd) {}
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  uint64_t size() const {
    struct stat info {};
    return ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
  }
  // Empty at the end.
  Result<std::string> next() {
    while (true) {
      const size_t line_end = rest_.rfind('\n');
      const bool enough = rest_.size() >= kBatchBytes || ended_ || !more_waits();
      if (line_end != std::string::npos && enough) return take(line_end + 1);
      if (ended_) return take(rest_.size());
      if (rest_.size() > kMaxLineBytes) {
        return error(Code::kInvalid, "MR-CLI-0009", "a line of the input is longer than 16 MB",
                     "the input has to be NDJSON: one event a line");
      }
      TRY(read_more());
    }
  }

 private:
  bool more_waits() const {
    pollfd one{fd_, POLLIN, 0};
    return ::poll(&one, 1, 0) > 0;
  }
  std::string take(size_t bytes) {
    std::string out = rest_.substr(0, bytes);
    rest_.erase(0, bytes);
    return out;
  }
  Status read_more() {
    const size_t before = rest_.size();
    rest_.resize(before + (64u << 10));
    ssize_t n = 0;
    do {
      n = ::read(fd_, rest_.data() + before, rest_.size() - before);
    } while (n < 0 && errno == EINTR);
    rest_.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0) {
      return error(Code::kUnavailable, "MR-CLI-0011",
                   "cannot read on in the input: " + std::generic_category().message(errno));
    }
    ended_ = n == 0;
    return {};
  }
  int fd_;
  std::string rest_;
  bool ended_ = false;
};

// The line numbers of a batch's events: blank lines are no events, but count as lines.
std::vector<uint64_t> event_lines(std::string_view batch, uint64_t& line) {
  std::vector<uint64_t> lines;
  while (!batch.empty()) {
    const size_t end = batch.find('\n');
    ++line;
    if (batch.substr(0, end).find_first_not_of(" \t\r") != std::string_view::npos) lines.push_back(line);
    if (end == std::string_view::npos) break;
    batch.remove_prefix(end + 1);
  }
  return lines;
}

class Producer {
 public:
  Producer(const ProduceOptions& options, HttpClient& client)
      : options_(options), client_(client), progress_(!options.quiet) {
    if (prefix().empty()) {
      std::random_device random;
      random_prefix_ = fmt::format("produce-{:08x}{:08x}", random(), random());
    }
  }

  int run(Input& input) {
    const auto started = SteadyClock::now();
    int code = kOk;
    while (code == kOk) {
      const auto batch = input.next();
      if (!batch.ok()) {
        progress_.wipe();
        code = report(batch.error());
        fmt::print(stderr, "lines from {} on were not sent\n", line_ + 1);
        break;
      }
      if (batch->empty()) break;
      bytes_ += batch->size();
      const uint64_t first_line = line_ + 1;
      code = send(*batch);
      if (code != kOk)
        fmt::print(stderr, "lines {} to {} were not accepted, later ones not sent\n", first_line, line_);
      progress_.at(bytes_, input.size(), fmt::format("{} events", accepted_ + rejected_));
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

  int send(const std::string& batch) {
    const std::vector<uint64_t> lines = event_lines(batch, line_);
    if (lines.empty()) return kOk;
    const std::string key = fmt::format("{}-{}-{:016x}", prefix(), batch_number_++, stable_hash(batch));
    HttpRequest request{"POST",
                        "/v1/streams/" + percent_encode(options_.stream) + "/events",
                        {{"Content-Type", "application/x-ndjson"}, {"Idempotency-Key", key}},
                        batch};
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
  uint64_t batch_number_ = 0, line_ = 0, bytes_ = 0;
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
  Input input(fd);
  auto client = open_client(options.server);
  if (!client.ok()) return report(client.error());
  return Producer(options, **client).run(input);
}

}  // namespace

void add_produce_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ProduceOptions>();
  CLI::App* command = app.add_subcommand("produce", "Send NDJSON events to a stream, each exactly once");
  add_server_options(*command, options->server);
  command->add_option("stream", options->stream, "The stream")->required();
  command->add_option("file", options->file, "A file of events, one a line; - for standard input")
      ->capture_default_str();
  command->add_option(
      "--idempotency-prefix", options->prefix,
      "Begins every batch's Idempotency-Key: the same file sent twice counts once (default: random)");
  command
      ->add_option("--retry-seconds", options->retry_seconds,
                   "How long to try again when the server is busy or away")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  command->add_flag("--quiet", options->quiet, "No progress, no summary, no word of waiting");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
