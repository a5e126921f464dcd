// start: how long until a server is ready, from an empty directory and after a kill with a history present.
#include <filesystem>

#include "bench/loadgen.h"
#include "bench/workload.h"

namespace millrace::bench {
namespace {

Status empty(const BenchOptions& options, Report& report) {
  std::vector<double> ready, rss;
  for (int round = 0; round < options.rounds; ++round) {
    TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "empty"));
    TRY_ASSIGN(const auto server, start_node(scratch.path()));
    ready.push_back(server->ready_ms());
    rss.push_back(server->rss_mb());
  }
  report.add("start", "empty", "rss_mb", median(rss), "MB");
  report.add("start", "empty", "ready_ms", median(ready), "ms");
  return {};
}

double directory_gb(const std::string& path) {
  std::error_code ignored;
  uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, ignored)) {
    if (entry.is_regular_file(ignored)) bytes += entry.file_size(ignored);
  }
  return static_cast<double>(bytes) / 1e9;
}

// Bulk ingest until the directory holds the history.
Status fill(const BenchOptions& options, Report& report, ServerProcess& server,
            const std::string& directory) {
  LoadGenerator load(server.port(), 5);
  SourceOptions source;
  source.streams = {"history"};
  source.connections = 4;
  source.events_per_request = 5000;
  load.add_source(source);
  TRY(load.connect());
  while (directory_gb(directory) < options.history_gb) TRY(load.run(2));
  report.say(fmt::format("  history: {:.1f} GB", directory_gb(directory)));
  return {};
}

// Load, then a kill in the middle of it; answers how long the next start took.
Result<double> kill_and_start(std::unique_ptr<ServerProcess>& server, const std::string& directory,
                              SourceOptions source, double seconds) {
  {
    LoadGenerator load(server->port(), 5);
    load.add_source(std::move(source));
    TRY(load.connect());
    TRY(load.run(seconds));
    const int pid = server->pid();
    load.kill_while_running(pid);
    const Status ended = load.run(1);
    if (ended.ok()) return error(Code::kInternal, "MR-BENCH-0016", "the server outlived its kill");
  }
  server->kill_hard();
  TRY_ASSIGN(server, start_node(directory));
  return server->ready_ms();
}

Status after_kill(const BenchOptions& options, Report& report) {
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "after-kill"));
  if (scratch.free_gb() < options.history_gb + 4) {
    return error(Code::kExhausted, "MR-BENCH-0017",
                 fmt::format("{:.0f} GB free are too little for this case", scratch.free_gb()),
                 "choose less with --history-gb, or another --directory");
  }
  TRY_ASSIGN(auto server, start_node(scratch.path()));
  TRY(server->sql(create_stream("history") + create_stream("load") + create_filter("hot", "load") +
                  create_window("per_key", "load")));
  TRY(fill(options, report, *server, scratch.path()));
  SourceOptions steady;
  steady.streams = {"load"};
  steady.requests_per_s = options.rate / 25;
  SourceOptions full;
  full.streams = {"load"};
  full.connections = 4;
  full.events_per_request = 5000;
  std::vector<double> steady_ms, full_ms;
  for (int round = 0; round < options.rounds; ++round) {
    TRY_ASSIGN(const double first, kill_and_start(server, scratch.path(), steady, options.seconds / 4));
    TRY_ASSIGN(const double second, kill_and_start(server, scratch.path(), full, options.seconds / 4));
    report.say(fmt::format("  ready after {:.0f} ms (steady load), {:.0f} ms (full rate); {:.0f} MB", first,
                           second, server->rss_mb()));
    steady_ms.push_back(first);
    full_ms.push_back(second);
  }
  report.add("start", "after_kill", "ready_ms", median(steady_ms), "ms");
  report.add("start", "after_kill_full_rate", "ready_ms", median(full_ms), "ms");
  report.add("start", "after_kill", "history_gb", directory_gb(scratch.path()), "GB");
  return {};
}

}  // namespace

Status bench_start(const BenchOptions& options, Report& report) {
  return options.only == "empty" ? empty(options, report) : after_kill(options, report);
}

}  // namespace millrace::bench
