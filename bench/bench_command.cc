#include <cstdio>
#include <memory>

#include "CLI/CLI.hpp"
#include "bench/bench.h"
#include "bench/floor_server.h"
#include "fmt/format.h"

namespace millrace::bench {

void Report::add(std::string_view bench, std::string_view name, std::string_view metric, double value,
                 std::string_view unit) {
  if (json_) {
    fmt::print("{{\"bench\":\"{}\",\"case\":\"{}\",\"metric\":\"{}\",\"value\":{:.6g},\"unit\":\"{}\"}}\n",
               bench, name, metric, value, unit);
  } else {
    fmt::print("{:<28} {:<24} {:>14.4g} {}\n", fmt::format("{} / {}", bench, name), metric, value, unit);
  }
  std::fflush(stdout);
}

void Report::say(std::string_view text) {
  fmt::print(stderr, "{}\n", text);
}

namespace {

struct Part {
  std::string_view name;
  std::vector<std::string> cases;
  Status (*run)(const BenchOptions&, Report&);
};

const std::vector<Part>& parts() {
  static const std::vector<Part> all = {
      {"journal", {"replay"}, &bench_journal},
      {"ingest", {"ndjson", "validated", "single", "single_tls", "websocket"}, &bench_ingest},
      {"latency", {"one_stream", "snapshots", "idle", "thousand_streams", "noisy"}, &bench_latency},
      {"fanout", {"sse_100", "sse_10000"}, &bench_fanout},
      {"connections", {"idle", "following", "websocket"}, &bench_connections},
      {"nexmark", nexmark_cases(), &bench_nexmark},
      {"state", {"keys", "spill"}, &bench_state},
      {"start", {"empty", "after_kill"}, &bench_start},
  };
  return all;
}

int fail(const Error& failure) {
  fmt::print(stderr, "error {}: {}\n", failure.id, failure.message);
  if (!failure.detail.empty()) fmt::print(stderr, "{}\n", failure.detail);
  return 1;
}

// Every part runs, also after one failed: the table shows what is missing.
int run(const BenchOptions& options) {
  Report report(options.output == "json");
  int code = 0;
  for (const auto& part : parts()) {
    if (options.bench != "all" && options.bench != part.name) continue;
    for (const auto& name : part.cases) {
      if (!options.only.empty() && options.only != name) continue;
      BenchOptions one = options;
      one.only = name;
      report.say(fmt::format("{} / {}", part.name, name));
      const Status ran = part.run(one, report);
      if (!ran.ok()) code = fail(ran.error());
    }
  }
  return code;
}

void add_part(CLI::App& bench, const std::string& name, const std::string& what,
              const std::shared_ptr<BenchOptions>& options, int& exit_code) {
  CLI::App* command = bench.add_subcommand(name, what);
  std::vector<std::string> cases;
  for (const auto& part : parts()) {
    if (part.name == name) cases = part.cases;
  }
  auto* chosen = command->add_option("--case", options->only, "one case only");
  if (!cases.empty()) chosen->check(CLI::IsMember(cases));
  command->add_option("--seconds", options->seconds, "length of a round")->check(CLI::Range(0.5, 3600.0));
  command->add_option("--warm-up", options->warm_up, "seconds before the first round")
      ->check(CLI::Range(0.0, 600.0));
  command->add_option("--rounds", options->rounds, "rounds; their median counts")->check(CLI::Range(1, 99));
  command->add_option("--rate", options->rate, "events a second of the latency cases")
      ->check(CLI::Range(100.0, 1e7));
  command->add_option("--history-gb", options->history_gb, "start / after_kill: history that is present")
      ->check(CLI::Range(0.1, 1000.0));
  command->add_option("--events", options->events, "nexmark: events")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  command->add_option("--rows", options->rows, "nexmark: a file for the rows of the case");
  auto* workers = command->add_option("--workers", options->workers, "nexmark: workers, on a core each")
                      ->check(CLI::Range(1, 64));
  auto* scaling =
      command
          ->add_flag("--scaling", options->scaling, "nexmark: one worker and two, in turn, and their ratio")
          ->excludes(workers);
  command->add_option("--directory", options->directory, "scratch space (default: the temporary directory)");
  command->add_option("--output", options->output, "json or table")->check(CLI::IsMember({"json", "table"}));
  command->add_option("--peer", options->peer, "nexmark: beside another system: flink")
      ->check(CLI::IsMember({"flink"}))
      ->excludes(workers)
      ->excludes(scaling);
  command->callback([name, options, &exit_code] {
    options->bench = name;
    exit_code = options->peer.empty() ? run(*options) : fail(run_peer(*options));
  });
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* bench = app.add_subcommand(
      "bench",
      "measure this machine: journal, ingest, latency, fanout, connections, nexmark, state, start or all");
  bench->require_subcommand(1);
  add_part(*bench, "journal", "reading and decoding", options, exit_code);
  add_part(*bench, "ingest", "durable ingest, as fast as it goes", options, exit_code);
  add_part(*bench, "latency", "due to received, open loop", options, exit_code);
  add_part(*bench, "fanout", "due to received, by many who follow one stream", options, exit_code);
  add_part(*bench, "connections", "what silent ones cost in memory", options, exit_code);
  add_part(*bench, "nexmark", "NEXMark's queries over its events", options, exit_code);
  add_part(*bench, "state", "what groups cost in memory", options, exit_code);
  add_part(*bench, "start", "empty and after a kill", options, exit_code);
  add_part(*bench, "all", "everything", options, exit_code);
  CLI::App* events = bench->add_subcommand("nexmark-events", "write NEXMark's events, a line of JSON each");
  events->add_option("--events", options->events, "how many");
  events->add_option("--to", options->to, "a file (default: the output)");
  events->callback([options, &exit_code] {
    const Status written = write_nexmark_events(*options);
    exit_code = written.ok() ? 0 : fail(written.error());
  });
  CLI::App* floor =
      bench->add_subcommand("floor-server", "the bare server that the latency cases compare with");
  floor->add_option("--directory", options->directory, "where its file lies")->required();
  floor->callback([options, &exit_code] {
    const Status ended = run_floor_server(options->directory);
    exit_code = ended.ok() ? 0 : fail(ended.error());
  });
}

}  // namespace millrace::bench
