// millrace demo: a web shop's events on a server, as they would come, and views over them.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/demo_server.h"
#include "node/demo_shop.h"
#include "node/duration.h"
#include "node/progress.h"
#include "node/shell/signals.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kTick = 0.1;     // seconds between two batches
constexpr double kPatience = 30;  // for a server that starts, or is away
constexpr size_t kMaxBatch = 20'000;

struct DemoOptions {
  ServerOptions server;
  uint32_t rate = 20;
  uint64_t seed = 1;
  uint32_t duration_ms = 0;  // 0: until ctrl-C
  bool clean = false;
  bool serve = false;
};

Error interrupted() {
  return error(Code::kCancelled, "MR-CLI-0015", "cancelled");
}

class Demo {
 public:
  Demo(const DemoOptions& options, HttpClient& client, Signals& stop)
      : options_(options), client_(client), stop_(stop) {}

  Status wait_for_server(DemoServer& server);
  Status make();
  Status clean();
  Status send();

 private:
  enum class State : uint8_t { kMissing, kOurs, kForeign };
  Result<State> state_of(const DemoThing& thing);
  Status check_names();  // refuses what somebody else made
  Status run(const std::string& statement);
  Status send_batch(const char* stream, const std::string& body);
  Result<HttpAnswer> call(const HttpRequest& request);

  const DemoOptions& options_;
  HttpClient& client_;
  Signals& stop_;
  uint64_t sent_ = 0, rejected_ = 0;
};

Result<HttpAnswer> Demo::call(const HttpRequest& request) {
  TRY_ASSIGN(HttpAnswer answer, client_.call(request));
  if (answer.status >= 300) return error_of(answer);
  return answer;
}

Status Demo::wait_for_server(DemoServer& server) {
  const auto start = Clock::now();
  while (true) {
    if (server.has_ended()) return server.failure();
    if (server.listens() && call({"GET", "/readyz", {}, {}}).ok()) return {};
    if (Clock::now() - start > std::chrono::duration<double>(kPatience)) return server.failure();
    if (stop_.wait_for(kTick)) return interrupted();
  }
}

Status Demo::run(const std::string& statement) {
  TRY_ASSIGN(const HttpAnswer answer,
             call({"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, statement}));
  if (auto failure = error_of_line(answer.body)) return *failure;
  return {};
}

Result<Demo::State> Demo::state_of(const DemoThing& thing) {
  for (const char* kind : {"streams", "views"}) {
    TRY_ASSIGN(const HttpAnswer answer,
               client_.call({"GET", fmt::format("/v1/{}/{}", kind, thing.name), {}, {}}));
    if (answer.status == 404) continue;
    if (answer.status >= 300) return error_of(answer);
    const Json found = Json::parse(answer.body, nullptr, false);
    if (!found.is_object())
      return error(Code::kCorrupt, "MR-CLI-0010", "the server sent what is no JSON object");
    const Json definition = found.value("definition", Json());
    const bool ours =
        definition.is_string() && definition.get<std::string>().find(kDemoMark) != std::string::npos;
    return ours ? State::kOurs : State::kForeign;
  }
  return State::kMissing;
}

Status Demo::check_names() {
  for (const auto& thing : demo_things()) {
    TRY_ASSIGN(const State state, state_of(thing));
    if (state != State::kForeign) continue;
    return error(Code::kConflict, "MR-CLI-0017",
                 fmt::format("{} is there, and the demo has not made it", thing.name),
                 "drop it, or run the demo on a server of its own: millrace demo --serve");
  }
  return {};
}

Status Demo::make() {
  TRY(check_names());
  for (const auto& thing : demo_things()) {
    TRY_ASSIGN(const State state, state_of(thing));
    if (state == State::kMissing) TRY(run(thing.statement));
    fmt::print("{:<9} {:<24} {}\n", state == State::kMissing ? "made" : "is there", thing.name,
               thing.is_stream ? "stream" : "view");
  }
  return {};
}

Status Demo::clean() {
  TRY(check_names());
  const auto& things = demo_things();
  size_t dropped = 0;
  for (auto thing = things.rbegin(); thing != things.rend(); ++thing) {
    TRY_ASSIGN(const State state, state_of(*thing));
    if (state == State::kMissing) continue;
    TRY(run(fmt::format("DROP {} {}", thing->is_stream ? "STREAM" : "MATERIALIZED VIEW", thing->name)));
    fmt::print("dropped   {}\n", thing->name);
    ++dropped;
  }
  if (dropped == 0) fmt::print("there is nothing of the demo's on {}\n", options_.server.url);
  return {};
}

// A server that is busy, or away for a while, gets it again; the key keeps it from counting twice.
Status Demo::send_batch(const char* stream, const std::string& body) {
  if (body.empty()) return {};
  const std::string key = fmt::format("demo-{:x}-{}", Clock::now().time_since_epoch().count(), sent_);
  const HttpRequest request{"POST",
                            fmt::format("/v1/streams/{}/events", stream),
                            {{"Content-Type", "application/x-ndjson"}, {"Idempotency-Key", key}},
                            body};
  std::optional<Clock::time_point> lost;
  while (true) {
    const auto answer = call(request);
    if (answer.ok()) {
      const Json counts = Json::parse(answer->body, nullptr, false);
      const Json rejected = counts.is_object() ? counts.value("rejected", Json::array()) : Json::array();
      rejected_ += rejected.size();
      return {};
    }
    if (!retryable(answer.error().code)) return answer.error();
    if (!lost) say_trying_again(answer.error(), kPatience);
    if (!lost) lost = Clock::now();
    if (Clock::now() - *lost > std::chrono::duration<double>(kPatience)) return answer.error();
    if (stop_.wait_for(1)) return interrupted();
  }
}

Status Demo::send() {
  DemoShop shop(options_.seed);
  Progress progress;
  const auto start = Clock::now();
  double due = 0;
  while (true) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    if (options_.duration_ms != 0 && elapsed * 1000 >= options_.duration_ms) break;
    // What a pause has missed is not made up for.
    due = std::min(due + options_.rate * kTick, static_cast<double>(kMaxBatch));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto events = shop.next(static_cast<size_t>(due),
                                  std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    due -= static_cast<double>(events.count);
    TRY(send_batch("demo_visits", events.visits));
    TRY(send_batch("demo_orders", events.orders));
    sent_ += events.count;
    progress.at(0, 0, fmt::format("{} events sent, {} a second; ctrl-C ends it", sent_, options_.rate));
    const double next = std::chrono::duration<double>(Clock::now() - start).count();
    if (stop_.wait_for(std::max(0.0, elapsed + kTick - next))) break;
  }
  progress.wipe();
  fmt::print("{} sent", counted(sent_, "event"));
  if (rejected_ > 0) fmt::print(", {} rejected", rejected_);
  fmt::print("\n");
  return {};
}

void say_what_to_try(const std::string& url, bool is_default) {
  const std::string at = is_default ? "" : " --server " + url;
  fmt::print(R"(
In another terminal:

  millrace sql{0}
    SELECT * FROM demo_best_sellers ORDER BY revenue DESC LIMIT 5;
    SELECT minute, sum(orders) AS orders FROM demo_sales_per_minute GROUP BY minute ORDER BY minute;
    SUBSCRIBE TO demo_visitors_now;
    SELECT code, count(*) FROM dead_letters GROUP BY code;
  millrace consume demo_large_orders --follow{0}
  millrace top{0}

)",
             at);
  std::fflush(stdout);
}

int finish(const Status& done) {
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  if (done.ok() || done.error().id == "MR-CLI-0015") return kOk;
  return report(done.error());
}

int run(const DemoOptions& options) {
  Signals stop({SIGINT, SIGTERM, SIGHUP});
  HttpClient::Options limits;
  limits.cancel_fd = stop.fd();
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  Demo demo(options, **client, stop);
  if (options.clean) return finish(demo.clean());
  std::unique_ptr<DemoServer> server;
  if (options.serve) {
    const auto url = net::parse_url(options.server.url);
    if (!url.ok()) return report(url.error());
    auto started = DemoServer::start(fmt::format("{}:{}", url->host, url->port));
    if (!started.ok()) return report(started.error());
    server = std::move(*started);
    if (const Status ready = demo.wait_for_server(*server); !ready.ok()) return finish(ready);
    fmt::print("a server at {}, its data in {} until the demo ends\n", options.server.url,
               server->directory());
  }
  if (const Status made = demo.make(); !made.ok()) return finish(made);
  say_what_to_try(options.server.url, options.server.url == ServerOptions().url);
  const Status sent = demo.send();
  if (server == nullptr) fmt::print("its streams and views stay; millrace demo --clean drops them\n");
  return finish(sent);
}

}  // namespace

void add_demo_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* command =
      app.add_subcommand("demo", "A web shop's events, live, and views over them: something to look at");
  add_server_options(*command, options->server);
  command->add_option("--rate", options->rate, "Events a second")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Another seed, other events")->capture_default_str();
  command->add_option("--duration", options->duration_ms, "How long: 30s, 5m (default: until ctrl-C)")
      ->type_name("TIME")
      ->transform(CLI::Validator(duration_to_ms, ""));
  auto* clean = command->add_flag("--clean", options->clean, "Drop what the demo has made, and nothing else");
  command
      ->add_flag("--serve", options->serve,
                 "Start a server for it at --server, with its data in a temporary directory")
      ->excludes(clean);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
