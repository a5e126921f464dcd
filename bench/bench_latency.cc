// latency: from when an event was due to when the row that follows from it is at a subscriber, everything
// durable.
#include <map>

#include "bench/loadgen.h"
#include "bench/workload.h"

namespace millrace::bench {
namespace {

constexpr int kPerRequest = 25;

using Rounds = std::map<std::string, std::vector<double>>;

void take(Rounds& rounds, const std::string& prefix, Samples& samples) {
  rounds[prefix + "_p50"].push_back(samples.ms(0.5));
  rounds[prefix + "_p99"].push_back(samples.ms(0.99));
  rounds[prefix + "_p999"].push_back(samples.ms(0.999));
}

void publish(Report& report, std::string_view name, const Rounds& rounds,
             const std::vector<std::string>& metrics) {
  for (const auto& metric : metrics) {
    const auto it = rounds.find(metric);
    if (it != rounds.end()) report.add("latency", name, metric, median(it->second), "ms");
  }
}

// What the server says of itself between two moments.
struct Mark {
  std::string text;
  double operator[](const std::string& name) const { return metric_value(text, name, 0); }
};
Result<Mark> mark(const ServerProcess& server) {
  TRY_ASSIGN(std::string text, server.metrics());
  return Mark{std::move(text)};
}

SourceOptions full_rate(const BenchOptions& options, std::vector<std::string> streams) {
  SourceOptions source;
  source.streams = std::move(streams);
  source.requests_per_s = options.rate / kPerRequest;
  source.events_per_request = kPerRequest;
  return source;
}

SubscriberOptions rows_of(const std::string& name) {
  SubscriberOptions subscriber;
  subscriber.sql = "SUBSCRIBE TO " + name;
  return subscriber;
}

Status check_round(LoadGenerator& load, size_t source) {
  const auto& counts = load.source(source);
  if (counts.failed > 0) {
    return error(Code::kInternal, "MR-BENCH-0014",
                 fmt::format("{} requests failed, the first with: {}", counts.failed, counts.failure));
  }
  if (load.rows().count() == 0)
    return error(Code::kInternal, "MR-BENCH-0015", "no row arrived at the subscriber");
  return {};
}

void say_round(Report& report, const char* what, LoadGenerator& load, size_t source, double seconds) {
  auto& counts = load.source(source);
  report.say(
      fmt::format("  {}: {:.0f} events/s, {} rows, p50 {:.3f} p99 {:.3f} p99.9 {:.3f} ms; answer p50 {:.3f} "
                  "p99 {:.3f} ms; {} sent "
                  "late, {} refused",
                  what, static_cast<double>(counts.events) / seconds, load.rows().count(),
                  load.rows().ms(0.5), load.rows().ms(0.99), load.rows().ms(0.999), counts.answer.ms(0.5),
                  counts.answer.ms(0.99), counts.late, counts.refused));
}

// One round against the floor, in a process of its own each time.
Status floor_round(const BenchOptions& options, const Scratch& scratch, Report& report, Rounds& rounds) {
  TRY_ASSIGN(const auto server, start_floor(scratch.path()));
  LoadGenerator load(server->port(), 11);
  const size_t source = load.add_source(full_rate(options, {"load"}));
  load.add_subscriber(rows_of("hot"));
  TRY(load.connect());
  TRY(load.run(options.warm_up / 2));
  load.reset();
  TRY(load.run(options.seconds));
  TRY(check_round(load, source));
  say_round(report, "floor", load, source, options.seconds);
  take(rounds, "floor", load.rows());
  return {};
}

double quantile_of(const Mark& at, const std::string& quantile) {
  return 1000 * metric_value(at.text, "millrace_processing_seconds{quantile=\"" + quantile + "\"}", 0);
}

// What proves a round: it had a snapshot, and the run a change of segment.
void say_events(Report& report, const Mark& before, const Mark& after) {
  report.say(fmt::format(
      "  in this round: {:.0f} snapshots, {:.0f} segment changes, {:.0f} syncs",
      after["millrace_snapshots_total"] - before["millrace_snapshots_total"],
      after["millrace_journal_segment_changes_total"] - before["millrace_journal_segment_changes_total"],
      after["millrace_journal_syncs_total"] - before["millrace_journal_syncs_total"]));
}

// A node, the queries of one_stream on it, and the load for them.
struct OneStream {
  std::unique_ptr<ServerProcess> server;
  std::unique_ptr<LoadGenerator> load;
  size_t source = 0;

  static Result<OneStream> start(const BenchOptions& options, const Scratch& scratch,
                                 std::vector<std::string> arguments) {
    OneStream made;
    TRY_ASSIGN(made.server, start_node(scratch.path(), std::move(arguments)));
    TRY(made.server->sql(create_stream("load") + create_filter("hot", "load") +
                         create_window("per_key", "load")));
    made.load = std::make_unique<LoadGenerator>(made.server->port(), 7);
    made.source = made.load->add_source(full_rate(options, {"load"}));
    made.load->add_subscriber(rows_of("hot"));
    SubscriberOptions finals = rows_of("per_key");
    finals.windows = true;
    finals.disorder_ms = kDisorderMs;
    made.load->add_subscriber(finals);
    TRY(made.load->connect());
    TRY(made.load->run(options.warm_up));
    return made;
  }
};

// So that one falls into every round.
std::string snapshot_interval(const BenchOptions& options) {
  return std::to_string(std::max(1, static_cast<int>(options.seconds / 2)));
}

Status one_stream(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "one-stream"));
  // The floor's files stay until the end: a file system that discards what was removed would slow the next
  // round.
  TRY_ASSIGN(const Scratch floor_scratch, Scratch::make(options.directory, "floor"));
  TRY_ASSIGN(const auto node,
             OneStream::start(options, scratch, {"--snapshot-seconds", snapshot_interval(options)}));
  const auto& server = node.server;
  LoadGenerator& load = *node.load;
  const size_t source = node.source;
  Rounds rounds;
  for (int round = 0; round < options.rounds; ++round) {
    TRY(floor_round(options, floor_scratch, report, rounds));
    TRY(load.run(1));  // warm again
    load.reset();
    TRY_ASSIGN(const Mark before, mark(*server));
    const double cpu = server->cpu_seconds();
    TRY(load.run(options.seconds));
    TRY_ASSIGN(const Mark after, mark(*server));
    TRY(check_round(load, source));
    say_round(report, "millrace", load, source, options.seconds);
    report.say(fmt::format("  server: {:.0f} % of a core, {:.0f} MB; {} final rows",
                           100 * (server->cpu_seconds() - cpu) / options.seconds, server->rss_mb(),
                           load.close_rows()));
    say_events(report, before, after);
    take(rounds, "durable", load.rows());
    take(rounds, "answer", load.source(source).answer);
    rounds["close_last_p99"].push_back(load.closes().ms(0.99));
    rounds["processing_p99"].push_back(quantile_of(after, "0.99"));
    rounds["processing_p999"].push_back(quantile_of(after, "0.999"));
  }
  publish(report, "one_stream", rounds,
          {"durable_p50", "durable_p99", "durable_p999", "floor_p50", "floor_p99", "floor_p999",
           "processing_p99", "processing_p999", "close_last_p99", "answer_p50", "answer_p99"});
  return {};
}

// The same load on two nodes in turn, of which one writes snapshots and the other never does.
Status snapshots(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch with_scratch, Scratch::make(options.directory, "snapshots"));
  TRY_ASSIGN(const Scratch without_scratch, Scratch::make(options.directory, "no-snapshots"));
  TRY_ASSIGN(const auto with,
             OneStream::start(options, with_scratch, {"--snapshot-seconds", snapshot_interval(options)}));
  TRY_ASSIGN(const auto without,
             OneStream::start(options, without_scratch,
                              {"--snapshot-seconds", "31536000", "--snapshot-mb", "1000000000"}));
  Rounds rounds;
  std::vector<double> ratios;
  for (int round = 0; round < options.rounds; ++round) {
    for (const auto* node : {&without, &with}) {
      TRY(node->load->run(1));  // warm again
      node->load->reset();
      TRY_ASSIGN(const Mark before, mark(*node->server));
      TRY(node->load->run(options.seconds));
      TRY_ASSIGN(const Mark after, mark(*node->server));
      TRY(check_round(*node->load, node->source));
      const bool writes = node == &with;
      say_round(report, writes ? "with" : "without", *node->load, node->source, options.seconds);
      say_events(report, before, after);
      take(rounds, writes ? "with" : "without", node->load->rows());
    }
    ratios.push_back(rounds["with_p99"].back() / rounds["without_p99"].back());
  }
  publish(report, "snapshots", rounds,
          {"with_p50", "with_p99", "with_p999", "without_p50", "without_p99", "without_p999"});
  report.add("latency", "snapshots", "ratio_p99", median(ratios), "x");
  return {};
}

Status idle(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "idle"));
  TRY_ASSIGN(const auto server, start_node(scratch.path()));
  TRY(server->sql(create_stream("load") + create_filter("hot", "load")));
  LoadGenerator load(server->port(), 7);
  SourceOptions options_of_source;
  options_of_source.streams = {"load"};
  options_of_source.requests_per_s = 100;
  options_of_source.events_per_request = 1;
  const size_t source = load.add_source(options_of_source);
  load.add_subscriber(rows_of("hot"));
  TRY(load.connect());
  TRY(load.run(1));
  load.reset();
  TRY_ASSIGN(const Mark before, mark(*server));
  TRY(load.run(options.seconds));
  TRY_ASSIGN(const Mark after, mark(*server));
  TRY(check_round(load, source));
  say_round(report, "idle", load, source, options.seconds);
  const double syncs = after["millrace_journal_syncs_total"] - before["millrace_journal_syncs_total"];
  report.add("latency", "idle", "durable_p50", load.rows().ms(0.5), "ms");
  report.add("latency", "idle", "durable_p99", load.rows().ms(0.99), "ms");
  report.add("latency", "idle", "syncs_per_answer", syncs / static_cast<double>(load.source(source).answered),
             "syncs");
  return {};
}

Status thousand_streams(const BenchOptions& options, Report& report) {
  constexpr int kStreams = 1000;
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "thousand"));
  TRY_ASSIGN(const auto server, start_node(scratch.path()));
  std::vector<std::string> streams;
  for (int i = 0; i < kStreams; ++i) {
    const std::string name = fmt::format("load{}", i);
    TRY(server->sql(create_stream(name) + create_filter(fmt::format("hot{}", i), name) +
                    create_window(fmt::format("per_key{}", i), name)));
    streams.push_back(name);
  }
  LoadGenerator load(server->port(), 7);
  const size_t source = load.add_source(full_rate(options, streams));
  for (int i = 0; i < kStreams; ++i) load.add_subscriber(rows_of(fmt::format("hot{}", i)));
  TRY(load.connect());
  TRY(load.run(options.warm_up));
  Rounds rounds;
  for (int round = 0; round < options.rounds; ++round) {
    load.reset();
    TRY(load.run(options.seconds));
    TRY(check_round(load, source));
    say_round(report, "1,000 streams", load, source, options.seconds);
    take(rounds, "durable", load.rows());
  }
  publish(report, "thousand_streams", rounds, {"durable_p50", "durable_p99", "durable_p999"});
  return {};
}

}  // namespace

Status bench_noisy(const BenchOptions& options, Report& report);

Status bench_latency(const BenchOptions& options, Report& report) {
  if (options.only == "one_stream") return one_stream(options, report);
  if (options.only == "snapshots") return snapshots(options, report);
  if (options.only == "idle") return idle(options, report);
  if (options.only == "thousand_streams") return thousand_streams(options, report);
  return bench_noisy(options, report);
}

}  // namespace millrace::bench
