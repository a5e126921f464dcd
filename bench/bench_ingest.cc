// ingest: durable events a second, closed loop.
#include <fstream>

#include "bench/loadgen.h"
#include "bench/workload.h"
#include "net/self_signed.h"

namespace millrace::bench {
namespace {

struct Shape {
  int connections;
  int events_per_request;
  bool websocket = false;
  bool tls = false;
};

Shape shape_of(const BenchOptions& options) {
  if (options.only == "single") return {64, 1};
  if (options.only == "single_tls") return {64, 1, false, true};
  if (options.only == "websocket") return {16, 25, true};
  return {4, 5000};  // a megabyte a request
}

// Certificate and key in one file of the scratch space.
std::string write_pair(const std::string& directory) {
  const auto pair = net::make_self_signed("IP:127.0.0.1");
  const std::string path = directory + "/tls.pem";
  std::ofstream(path) << pair.certificate << pair.key;
  return path;
}

uint16_t tls_port_of(const std::string& directory) {
  std::ifstream in(directory + "/https.port");
  uint16_t port = 0;
  in >> port;
  return port;
}

}  // namespace

Status bench_ingest(const BenchOptions& options, Report& report) {
  const Shape shape = shape_of(options);
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "ingest"));
  std::string pair;
  std::vector<std::string> more;
  if (shape.tls) {
    pair = write_pair(scratch.path());
    more = {"--https", "127.0.0.1:0", "--tls-cert", pair, "--tls-key", pair};
  }
  TRY_ASSIGN(const auto server, start_node(scratch.path(), more));
  TRY(server->sql(create_stream("load")));
  LoadGenerator load(server->port(), 3);
  SourceOptions source;
  source.streams = {"load"};
  source.connections = shape.connections;
  source.events_per_request = shape.events_per_request;
  source.websocket = shape.websocket;
  if (shape.tls) {
    TRY(load.trust(pair));
    source.tls_port = tls_port_of(scratch.path());
  }
  const size_t index = load.add_source(source);
  TRY(load.connect());
  TRY(load.run(options.warm_up / 2));
  std::vector<double> rates;
  for (int round = 0; round < options.rounds; ++round) {
    load.reset();
    const double cpu = server->cpu_seconds();
    const int64_t start = monotonic_ns();
    TRY(load.run(options.seconds / 2));
    const double seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
    auto& counts = load.source(index);
    if (counts.failed > 0) {
      return error(Code::kInternal, "MR-BENCH-0014", fmt::format("{} requests failed", counts.failed));
    }
    rates.push_back(static_cast<double>(counts.events) / seconds);
    report.say(
        fmt::format("  {:.0f} events/s; answer p50 {:.3f} p99 {:.3f} ms; {} refused; server {:.0f} % of a "
                    "core, {:.0f} MB",
                    rates.back(), counts.answer.ms(0.5), counts.answer.ms(0.99), counts.refused,
                    100 * (server->cpu_seconds() - cpu) / seconds, server->rss_mb()));
  }
  report.add("ingest", options.only, "events_per_s", median(rates), "1/s");
  return {};
}

}  // namespace millrace::bench
