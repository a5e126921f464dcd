// sim: runs simulated nodes by seed. `sim --seed 7 --trace` replays one; `sim --seeds 1..200` is what CI
// does.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "tests/sim/sim_node.h"

namespace {

using namespace millrace::sim;

struct Range {
  uint64_t first = 1, last = 1;
};

std::optional<Range> parse_range(const std::string& text) {
  const size_t dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  char* end = nullptr;
  Range range;
  range.first = std::strtoull(text.c_str(), &end, 10);
  if (end != text.c_str() + dots) return std::nullopt;
  range.last = std::strtoull(text.c_str() + dots + 2, &end, 10);
  if (*end != '\0' || range.last < range.first) return std::nullopt;
  return range;
}

// True if the seed passed.
bool run_one(const SimOptions& options, SimReport& total) {
  const SimReport report = simulate(options);
  total.requests += report.requests;
  total.acknowledged += report.acknowledged;
  total.events += report.events;
  total.frames += report.frames;
  total.crashes += report.crashes;
  total.restarts += report.restarts;
  total.views += report.views;
  total.derived += report.derived;
  total.window_rows += report.window_rows;
  total.changes += report.changes;
  total.selects += report.selects;
  total.dead_letters += report.dead_letters;
  total.removed += report.removed;
  total.followed += report.followed;
  total.late += report.late;
  total.overtaken += report.overtaken;
  if (!report.failure) return true;
  fmt::print("seed {} failed: {}\n  replay: {}\n", options.seed, *report.failure, replay_command(options));
  std::fflush(stdout);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Simulated nodes: every seed is a run with crashes and faults, checked against the naive evaluator"};
  SimOptions options;
  std::string seeds, bug;
  bool keep_going = false;
  app.add_option("--seed", options.seed, "one seed");
  app.add_option("--seeds", seeds, "a range of seeds, A..B");
  app.add_option("--actions", options.actions, "what clients and faults do in one run");
  app.add_option("--bug", bug,
                 "leave a duty out, to see it caught: " + fmt::format("{}", fmt::join(planted_bugs(), ", ")));
  app.add_flag("--trace", options.trace, "tell what happens, on stderr");
  app.add_flag("--keep-going", keep_going, "go on after a failing seed");
  CLI11_PARSE(app, argc, argv);
  if (!bug.empty() && !plant(bug, options)) {
    fmt::print(stderr, "millrace-sim: there is no planted bug called {}\n", bug);
    return 2;
  }
  Range range{options.seed, options.seed};
  if (!seeds.empty()) {
    const auto parsed = parse_range(seeds);
    if (!parsed) {
      fmt::print(stderr, "sim: --seeds takes A..B, not {}\n", seeds);
      return 2;
    }
    range = *parsed;
  }
  SimReport total;
  uint64_t failures = 0;
  for (uint64_t seed = range.first; seed <= range.last; ++seed) {
    options.seed = seed;
    failures += run_one(options, total) ? 0 : 1;
    if (failures > 0 && !keep_going) break;
  }
  fmt::print(
      "seeds {}..{}: {} failed; {} requests ({} acknowledged), {} events, {} frames, {} crashes, {} starts, "
      "{} views, {} "
      "derived streams, {} rows of closed windows, {} changes of groups, {} selects, {} dead letters, {} "
      "frames removed, {} "
      "readers overtaken, {} views followed, {} late events\n",
      range.first, range.last, failures, total.requests, total.acknowledged, total.events, total.frames,
      total.crashes, total.restarts, total.views, total.derived, total.window_rows, total.changes,
      total.selects, total.dead_letters, total.removed, total.overtaken, total.followed, total.late);
  return failures == 0 ? 0 : 1;
}
