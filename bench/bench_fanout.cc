// fanout: one stream, many who follow it, durable before anybody hears of it.
#include "bench/loadgen.h"
#include "bench/workload.h"

namespace millrace::bench {
namespace {

struct Crowd {
  int subscribers;
  double events_per_s;
  int events_per_request;
};

Crowd crowd_of(std::string_view name) {
  if (name == "sse_100") return {100, 10'000, 25};
  return {10'000, 10, 1};
}

}  // namespace

Status bench_fanout(const BenchOptions& options, Report& report) {
  const Crowd crowd = crowd_of(options.only);
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "fanout"));
  TRY_ASSIGN(const auto server,
             start_node(scratch.path(), {"--max-connections", std::to_string(crowd.subscribers + 100)}));
  TRY(server->sql(create_stream("load")));
  LoadGenerator load(server->port(), 5);
  SourceOptions source;
  source.streams = {"load"};
  source.requests_per_s = crowd.events_per_s / crowd.events_per_request;
  source.events_per_request = crowd.events_per_request;
  const size_t index = load.add_source(source);
  SubscriberOptions subscriber;
  subscriber.stream = "load";
  for (int i = 0; i < crowd.subscribers; ++i) load.add_subscriber(subscriber);
  const double alone = server->rss_mb();
  TRY(load.connect());
  TRY(load.run(options.warm_up));
  std::vector<double> p50, p99, rates;
  for (int round = 0; round < options.rounds; ++round) {
    load.reset();
    const double cpu = server->cpu_seconds();
    TRY(load.run(options.seconds));
    const auto& counts = load.source(index);
    const uint64_t expected = counts.events * static_cast<uint64_t>(crowd.subscribers);
    if (counts.failed + counts.refused > 0 || load.rows().count() + load.rows().dropped() != expected) {
      return error(Code::kInternal, "MR-BENCH-0028",
                   fmt::format("{} rows arrived of {}; {} requests failed, {} were refused",
                               load.rows().count(), expected, counts.failed, counts.refused));
    }
    p50.push_back(load.rows().ms(0.5));
    p99.push_back(load.rows().ms(0.99));
    rates.push_back(static_cast<double>(expected) / options.seconds);
    report.say(fmt::format(
        "  {:.0f} rows/s: p50 {:.3f} p99 {:.3f} p99.9 {:.3f} ms; server {:.0f} % of a core, {:.0f} MB",
        rates.back(), p50.back(), p99.back(), load.rows().ms(0.999),
        100 * (server->cpu_seconds() - cpu) / options.seconds, server->rss_mb()));
  }
  report.add("fanout", options.only, "durable_p50", median(p50), "ms");
  report.add("fanout", options.only, "durable_p99", median(p99), "ms");
  report.add("fanout", options.only, "rows_per_s", median(rates), "1/s");
  report.add("fanout", options.only, "subscriber_kb", 1024 * (server->rss_mb() - alone) / crowd.subscribers,
             "KB");
  return {};
}

}  // namespace millrace::bench
