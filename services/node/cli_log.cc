// `millrace log`: a node's journal, looked at while no node runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>

#include "base/clock.h"
#include "base/files.h"
#include "log/inspect.h"
#include "log/segment.h"
#include "node/cli.h"
#include "node/data_directory.h"
#include "node/machine_memory.h"
#include "node/node.h"
#include "node/progress.h"

namespace millrace::cli {
namespace {

struct LogOptions {
  std::string data = "./data";
  bool recompute = false;
  log::DumpRange range;
};

// Where the segments are. `lock` keeps a node from starting meanwhile.
struct JournalFolder {
  std::string path;
  std::shared_ptr<void> lock;
};

bool holds_segments(Files& files, const std::string& directory) {
  const auto names = files.list(directory);
  return names.ok() && std::any_of(names->begin(), names->end(),
                                   [](const auto& name) { return log::segment_id(name).has_value(); });
}

// A data directory, or a copy of its journal folder.
Result<JournalFolder> open_folder(Files& files, const std::string& directory) {
  if (files.exists(directory + "/VERSION")) {
    TRY_ASSIGN(auto lock, node::take_data_directory(files, directory));
    return JournalFolder{directory + "/journal", std::move(lock)};
  }
  if (holds_segments(files, directory)) return JournalFolder{directory, nullptr};
  return error(Code::kNotFound, "MR-NODE-0003",
               fmt::format("{} is not a data directory of Millrace", directory),
               "name the folder that `millrace serve --data` was given");
}

std::function<void(uint64_t, uint64_t)> show(Progress& progress, uint64_t unit, const char* what) {
  return [&progress, unit, what](uint64_t done, uint64_t total) {
    progress.at(done, total, fmt::format("{} of {} {}", done / unit, total / unit, what));
  };
}

int run_verify(Files& files, const std::string& data) {
  const auto folder = open_folder(files, data);
  if (!folder.ok()) return cli::report(folder.error());
  Progress progress;
  const auto report = log::verify(files, folder->path, show(progress, 1u << 20, "MiB"));
  progress.wipe();
  if (!report.ok()) return cli::report(report.error());
  for (const auto& finding : report->findings) fmt::print("DAMAGED {}\n", to_string(finding));
  if (report->findings_in_all > report->findings.size()) {
    fmt::print("… and {} more\n", report->findings_in_all - report->findings.size());
  }
  fmt::print(
      "verified {} segments, frames {} to {}: {} frames, {} batches, {} records, {} bytes, {} starts\n",
      report->segments, report->first.value, report->last.value, report->frames, report->batches,
      report->records, report->bytes, report->starts);
  if (report->torn_bytes > 0) {
    fmt::print("the last {} bytes were written in part and never acknowledged\n", report->torn_bytes);
  }
  fmt::print("{}\n", report->ok() ? "all is well" : fmt::format("{} findings", report->findings_in_all));
  return report->ok() ? kOk : kFailed;
}

int run_recompute(Files& files, const std::string& data) {
  const SystemClock clock;
  Progress progress;
  const size_t state_memory = node::machine_memory_bytes(files) / node::kStateShare;
  const auto report = node::recompute(files, clock, data, state_memory, show(progress, 1, "frames"));
  progress.wipe();
  if (!report.ok()) return cli::report(report.error());
  for (const auto& difference : report->differences) fmt::print("DIFFERENT {}\n", difference);
  fmt::print("recomputed {} queries, {} steps, {} rows: {}\n", report->queries, report->steps, report->rows,
             report->differences.empty() ? "all as recorded" : "not as recorded");
  return report->differences.empty() ? kOk : kFailed;
}

int run_dump(Files& files, const LogOptions& options) {
  const auto folder = open_folder(files, options.data);
  if (!folder.ok()) return cli::report(folder.error());
  const auto result = log::dump(files, folder->path, options.range, [](std::string_view line) {
    return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
  });
  if (!result.ok()) return cli::report(result.error());
  if (result->unreadable == 0) return kOk;
  fmt::print(stderr, "{} frames are unreadable: run `millrace log verify`\n", result->unreadable);
  return kFailed;
}

void add_directory(CLI::App& command, LogOptions& options) {
  command.add_option("directory,--data", options.data, "Data directory, or a copy of its journal folder")
      ->capture_default_str();
}

void add_verify(CLI::App& log, const std::shared_ptr<LogOptions>& options, int& exit_code) {
  auto* verify = log.add_subcommand("verify", "Check every byte; with --recompute every answer, too");
  add_directory(*verify, *options);
  verify->add_flag("--recompute", options->recompute, "Run every query again and compare each recorded step");
  verify->footer("Exit codes: 0 all is well, 1 damage or an error, 2 wrong usage.");
  verify->callback([options, &exit_code] {
    const auto files = make_system_files();
    exit_code = run_verify(*files, options->data);
    if (exit_code == kOk && options->recompute) exit_code = run_recompute(*files, options->data);
  });
}

void add_dump(CLI::App& log, const std::shared_ptr<LogOptions>& options, int& exit_code) {
  auto* dump = log.add_subcommand("dump", "Show frames and records, one JSON object a line");
  add_directory(*dump, *options);
  const auto number = CLI::Range(int64_t{0}, INT64_MAX);  // without it CLI11 takes -1 for a very large number
  dump->add_option("--from", options->range.from.value, "First frame")->check(number);
  dump->add_option("--upto", options->range.upto.value, "Last frame")->check(number);
  dump->add_option("--limit", options->range.limit, "At most so many frames")->check(number);
  dump->callback([options, &exit_code] {
    const auto files = make_system_files();
    exit_code = run_dump(*files, *options);
  });
}

}  // namespace

void add_log_command(CLI::App& app, int& exit_code) {
  auto* log = app.add_subcommand("log", "Look at a node's journal while the node is not running");
  log->require_subcommand(1);
  const auto options = std::make_shared<LogOptions>();
  add_verify(*log, options, exit_code);
  add_dump(*log, options, exit_code);
}

}  // namespace millrace::cli
