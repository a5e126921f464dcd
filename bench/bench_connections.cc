// connections: what one that is silent costs the server in memory.
#include "bench/loadgen.h"
#include "bench/workload.h"

namespace millrace::bench {
namespace {

constexpr int kConnections = 10'000;

// Ten thousand that asked for something once, or that follow a stream on which nothing happens.
void add_silent(LoadGenerator& load, std::string_view kind) {
  if (kind == "following") {
    SubscriberOptions subscriber;
    subscriber.stream = "load";
    for (int i = 0; i < kConnections; ++i) load.add_subscriber(subscriber);
    return;
  }
  SourceOptions source;
  source.streams = {"load"};
  source.connections = kConnections;
  source.events_per_request = 1;
  source.websocket = kind == "websocket";
  source.once = true;
  load.add_source(source);
}

}  // namespace

Status bench_connections(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "connections"));
  TRY_ASSIGN(const auto server,
             start_node(scratch.path(), {"--max-connections", std::to_string(kConnections + 100)}));
  TRY(server->sql(create_stream("load")));
  LoadGenerator load(server->port(), 5);
  add_silent(load, options.only);
  const double before = server->rss_mb();
  TRY(load.connect());
  TRY(load.run(1));
  const double cpu = server->cpu_seconds();
  TRY(load.run(options.warm_up));
  report.say(fmt::format("  {} connections: {:.0f} MB before, {:.0f} MB with them, {:.1f} % of a core",
                         kConnections, before, server->rss_mb(),
                         100 * (server->cpu_seconds() - cpu) / options.warm_up));
  report.add("connections", options.only, "idle_kb", 1024 * (server->rss_mb() - before) / kConnections, "KB");
  return {};
}

}  // namespace millrace::bench
