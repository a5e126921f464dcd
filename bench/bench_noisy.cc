// latency / noisy: does a tenant at ten times its quota slow down one that keeps to a small load?
#include <fstream>

#include "bench/loadgen.h"
#include "bench/workload.h"

namespace millrace::bench {
namespace {

constexpr double kNoisyQuota = 10'000;
constexpr const char* kNoisyToken = "bench-token-a";
constexpr const char* kQuietToken = "bench-token-b";
// Their SHA-256, as the tokens file wants it.
constexpr const char* kNoisyHash = "9d4cb558ae8c15faa492a04def85c31792d724630bac9fc3a56f9c64ff2c979a";
constexpr const char* kQuietHash = "b2f5bedae1ad1bb095f685085c84d928e71072168a22e44c9da631776846f4ea";

Status write_tokens(const std::string& path) {
  std::ofstream out(path);
  out << "tokens:\n"
      << fmt::format("  - {{tenant: noisy, sha256: {}, events_per_s: {:.0f}}}\n", kNoisyHash, kNoisyQuota)
      << fmt::format("  - {{tenant: quiet, sha256: {}}}\n", kQuietHash);
  if (!out.flush()) return error(Code::kUnavailable, "MR-BENCH-0019", "cannot write " + path);
  return {};
}

SourceOptions quiet_source() {
  SourceOptions source;
  source.streams = {"load"};
  source.token = kQuietToken;
  source.requests_per_s = 1000;
  source.events_per_request = 1;
  return source;
}

SourceOptions noisy_source() {
  SourceOptions source;
  source.streams = {"load"};
  source.token = kNoisyToken;
  source.requests_per_s = 10 * kNoisyQuota / 25;
  source.events_per_request = 25;
  return source;
}

// The quiet tenant's latencies, with or without the other one.
Result<double> round_p99(const BenchOptions& options, Report& report, const ServerProcess& server,
                         bool with_noise) {
  LoadGenerator load(server.port(), 7);
  const size_t quiet = load.add_source(quiet_source());
  const size_t noisy = with_noise ? load.add_source(noisy_source()) : quiet;
  SubscriberOptions subscriber;
  subscriber.sql = "SUBSCRIBE TO every";
  subscriber.token = kQuietToken;
  load.add_subscriber(subscriber);
  TRY(load.connect());
  TRY(load.run(2));
  load.reset();
  TRY(load.run(options.seconds));
  auto& counts = load.source(quiet);
  if (counts.failed + counts.refused > 0 || load.rows().count() == 0) {
    return error(Code::kInternal, "MR-BENCH-0020", "the quiet tenant was not served");
  }
  report.say(
      fmt::format("  {}: p50 {:.3f} p99 {:.3f} p99.9 {:.3f} ms, {} rows; the other: {} answered, {} refused",
                  with_noise ? "with the noisy tenant" : "alone", load.rows().ms(0.5), load.rows().ms(0.99),
                  load.rows().ms(0.999), load.rows().count(), with_noise ? load.source(noisy).answered : 0,
                  with_noise ? load.source(noisy).refused : 0));
  return load.rows().ms(0.99);
}

}  // namespace

Status bench_noisy(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "noisy"));
  const std::string tokens = scratch.path() + "/tokens.yaml";
  TRY(write_tokens(tokens));
  const std::string data = scratch.path() + "/data";
  TRY_ASSIGN(const auto server, start_node(data, {"--tokens", tokens}));
  const std::string every = "CREATE STREAM every AS SELECT due, ts, k, v FROM load WHERE sel >= 0;\n";
  TRY(server->sql(create_stream("load") + every, kQuietToken));
  TRY(server->sql(create_stream("load") + every, kNoisyToken));
  std::vector<double> alone, quiet;
  for (int round = 0; round < options.rounds; ++round) {
    TRY_ASSIGN(const double without, round_p99(options, report, *server, false));
    TRY_ASSIGN(const double with, round_p99(options, report, *server, true));
    alone.push_back(without);
    quiet.push_back(with);
  }
  report.add("latency", "noisy", "alone_p99", median(alone), "ms");
  report.add("latency", "noisy", "quiet_p99", median(quiet), "ms");
  return {};
}

}  // namespace millrace::bench
