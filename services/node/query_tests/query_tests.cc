#include "node/query_tests/query_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::query_tests {
namespace {

namespace fs = std::filesystem;

Error not_there(const std::string& path) {
  return error(Code::kNotFound, "MR-TEST-0005", path + " cannot be read",
               "name a file or a folder that is there");
}

Status add_folder(const std::string& folder, std::vector<std::string>& out) {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().extension() == ".test" && at->is_regular_file(failed))
      found.push_back(at->path().string());
    if (out.size() + found.size() > kMaxFiles) {
      return error(Code::kInvalid, "MR-TEST-0006",
                   fmt::format("there are more than {} test files", kMaxFiles), "name a smaller folder");
    }
  }
  if (failed) return not_there(folder);
  if (found.empty()) {
    return error(Code::kNotFound, "MR-TEST-0007", "there is no test file in " + folder,
                 "a test file's name ends in .test");
  }
  std::sort(found.begin(), found.end());
  out.insert(out.end(), found.begin(), found.end());
  return {};
}

// Nothing is left half written: the new text takes the old one's place when it is there whole.
Status replace_file(const std::string& path, const std::string& text) {
  const std::string next = path + ".new";
  std::ofstream out(next, std::ios::binary);
  out << text;
  out.close();
  std::error_code failed;
  if (!out.fail()) fs::rename(next, path, failed);
  if (!out.fail() && !failed) return {};
  return error(Code::kUnavailable, "MR-TEST-0008", path + " cannot be written", "the file is as it was");
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The first schedule may rewrite; the others have to find the same.
void run_schedules(const std::string& path, Case& test, const Options& options, FileResult& result) {
  for (const Schedule& schedule : kSchedules) {
    if (test.one_partition && schedule.partitions > 1) continue;
    if (!schedule.optimizes && !options.not_optimized) continue;
    const bool first = &schedule == &kSchedules[0];
    std::string difference = run_case(path, test, schedule, options.rewrite && first);
    if (!difference.empty()) {
      result.failures.push_back({test.title, schedule.name, std::move(difference)});
      return;
    }
    if (options.quick) return;
  }
}

}  // namespace

Result<std::vector<std::string>> find_files(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::error_code failed;
    const auto status = fs::status(path, failed);
    if (!fs::exists(status)) return not_there(path);
    if (fs::is_directory(status)) {
      TRY(add_folder(path, out));
    } else {
      out.push_back(path);
    }
  }
  return out;
}

Result<FileResult> run_file(const std::string& path, const Options& options) {
  TRY_ASSIGN(CaseFile file, read_cases(path));
  FileResult result;
  result.cases = file.cases.size();
  for (auto& test : file.cases) run_schedules(path, test, options, result);
  if (!options.rewrite) return result;
  const std::string text = write_cases(file);
  if (text == content_of(path)) return result;
  TRY(replace_file(path, text));
  result.rewritten = true;
  return result;
}

}  // namespace millrace::query_tests
