// Another system beside Millrace: its program, which runs both in turn, lies in bench/peers of the repository.
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "bench/bench.h"

namespace millrace::bench {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_upwards(fs::path from, const fs::path& file) {
  std::error_code failure;
  for (; !from.empty(); from = from.parent_path()) {
    if (fs::exists(from / file, failure)) return from / file;
    if (from == from.root_path()) break;
  }
  return std::nullopt;
}

}  // namespace

Error run_peer(const BenchOptions& options) {
  std::error_code failure;
  const fs::path binary = fs::read_symlink("/proc/self/exe", failure);
  const fs::path file = fs::path("bench/peers") / options.peer / "nexmark.py";
  auto program = find_upwards(fs::current_path(failure), file);
  if (!program) program = find_upwards(binary.parent_path(), file);
  if (!program) {
    return error(Code::kNotFound, "MR-BENCH-0026", "there is no " + file.string() + " here",
                 "run it in Millrace's repository");
  }
  std::vector<std::string> words = {"python3",       program->string(), "--millrace",
                                    binary.string(), "--events",        std::to_string(options.events),
                                    "--output",      options.output};
  if (!options.only.empty()) words.insert(words.end(), {"--case", options.only});
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  return error(Code::kUnavailable, "MR-BENCH-0027", "python3 cannot be started", "install Python 3");
}

}  // namespace millrace::bench
