// ingest: durable events a second, closed loop.
#include <fstream>

#include "bench/loadgen.h"
#include "bench/workload.h"
#include "formats/json.h"
#include "net/http_client.h"
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

uint16_t port_in(const std::string& file) {
  std::ifstream in(file);
  uint16_t port = 0;
  in >> port;
  return port;
}

struct Rate {
  double events_per_s = 0;
  double cpu_us_an_event = 0;  // the server's
};

Result<Rate> measure(LoadGenerator& load, size_t source, const ServerProcess& server, double seconds,
                     Report& report) {
  load.reset();
  const double cpu = server.cpu_seconds();
  const int64_t start = monotonic_ns();
  TRY(load.run(seconds));
  const double took = static_cast<double>(monotonic_ns() - start) / 1e9;
  const double used = server.cpu_seconds() - cpu;
  auto& counts = load.source(source);
  if (counts.failed > 0)
    return error(Code::kInternal, "MR-BENCH-0014",
                 fmt::format("{} requests failed: {}", counts.failed, counts.failure));
  const double events = static_cast<double>(counts.events);
  report.say(
      fmt::format("  {:.0f} events/s; answer p50 {:.3f} p99 {:.3f} ms; {} refused; server {:.0f} % of a "
                  "core, {:.2f} us an event, {:.0f} MB",
                  events / took, counts.answer.ms(0.5), counts.answer.ms(0.99), counts.refused,
                  100 * used / took, 1e6 * used / events, server.rss_mb()));
  return Rate{events / took, 1e6 * used / events};
}

// Twelve rules over the load's events.
constexpr const char* kSchema = R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object",
"required":["due","ts","k"],"properties":{"due":{"type":"integer","minimum":0},"ts":{"type":"integer","minimum":0},
"k":{"type":"string","pattern":"^k[0-9]{7}$","maxLength":8},"sel":{"type":"integer","minimum":0,"maximum":9},
"v":{"type":"number"},"pad":{"type":"string","maxLength":200}}})";

Status register_schema(uint16_t port) {
  std::string body = "{\"schemaType\":\"JSON\",\"schema\":";
  formats::append_json_string(body, kSchema);
  net::HttpClient registry({"127.0.0.1", port}, {});
  body += '}';
  TRY_ASSIGN(const auto answer, registry.call({"POST",
                                               "/subjects/load-value/versions",
                                               {{"Content-Type", "application/vnd.schemaregistry.v1+json"}},
                                               body}));
  if (answer.status == 200) return {};
  return error(Code::kInternal, "MR-BENCH-0015",
               fmt::format("the schema was not registered: {} {}", answer.status, answer.body));
}

// The same load into two streams of one node in turn, of which one asks for a schema.
Status bench_validated(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "ingest"));
  TRY_ASSIGN(const auto server, start_node(scratch.path(), {"--schema-registry", "127.0.0.1:0"}));
  TRY(register_schema(port_in(scratch.path() + "/schema-registry.port")));
  TRY(server->sql(create_stream("plain") + create_stream("checked", ", schema = 'load-value'")));
  std::vector<std::unique_ptr<LoadGenerator>> loads;
  for (const char* stream : {"plain", "checked"}) {
    auto& load = *loads.emplace_back(std::make_unique<LoadGenerator>(server->port(), 3));
    SourceOptions source;
    source.streams = {stream};
    source.connections = 4;
    source.events_per_request = 5000;
    load.add_source(source);
    TRY(load.connect());
    TRY(load.run(options.warm_up / 4));
  }
  std::vector<double> rates, added;
  for (int round = 0; round < options.rounds; ++round) {
    TRY_ASSIGN(const Rate plain, measure(*loads[0], 0, *server, options.seconds / 4, report));
    TRY_ASSIGN(const Rate checked, measure(*loads[1], 0, *server, options.seconds / 4, report));
    rates.push_back(checked.events_per_s);
    added.push_back(checked.cpu_us_an_event - plain.cpu_us_an_event);
  }
  report.add("ingest", options.only, "events_per_s", median(rates), "1/s");
  report.add("ingest", options.only, "added_us", median(added), "us");
  return {};
}

}  // namespace

Status bench_ingest(const BenchOptions& options, Report& report) {
  if (options.only == "validated") return bench_validated(options, report);
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
    source.tls_port = port_in(scratch.path() + "/https.port");
  }
  const size_t index = load.add_source(source);
  TRY(load.connect());
  TRY(load.run(options.warm_up / 2));
  std::vector<double> rates;
  for (int round = 0; round < options.rounds; ++round) {
    TRY_ASSIGN(const Rate rate, measure(load, index, *server, options.seconds / 2, report));
    rates.push_back(rate.events_per_s);
  }
  report.add("ingest", options.only, "events_per_s", median(rates), "1/s");
  return {};
}

}  // namespace millrace::bench
