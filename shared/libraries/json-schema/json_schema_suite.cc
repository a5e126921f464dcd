// The official JSON-Schema-Test-Suite, required and optional cases: json_schema_suite SUITE EXPECTED.
//
// EXPECTED lists what fails, one case a line, with its reason as a comment above. The test fails if the list is not the
// truth, either way.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "json-schema/validator.h"

namespace millrace::json_schema {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, Draft> kDrafts[] = {{"draft4", Draft::k4},
                                                          {"draft6", Draft::k6},
                                                          {"draft7", Draft::k7},
                                                          {"draft2019-09", Draft::k2019},
                                                          {"draft2020-12", Draft::k2020}};

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The suite's remotes, as references: those of the drafts above and those of none.
std::vector<schema::NamedSchema> remotes(const fs::path& suite) {
  std::vector<schema::NamedSchema> found;
  for (const auto& entry : fs::recursive_directory_iterator(suite / "remotes")) {
    const std::string name = fs::relative(entry.path(), suite / "remotes");
    const bool of_other_draft = name.rfind("draft-next/", 0) == 0 || name.rfind("draft3/", 0) == 0;
    if (entry.is_regular_file() && !of_other_draft)
      found.push_back({"http://localhost:1234/" + name, read(entry.path())});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

class Suite {
 public:
  Suite(fs::path suite, std::string_view draft, Draft fallback)
      : suite_(std::move(suite)), draft_(draft), fallback_(fallback), remotes_(remotes(suite_)) {}

  void run(std::set<std::string>& failed) {
    for (const auto& entry : fs::recursive_directory_iterator(suite_ / "tests" / draft_)) {
      if (entry.path().extension() == ".json") run_file(entry.path(), failed);
    }
  }
  size_t cases() const { return cases_; }

 private:
  void run_file(const fs::path& path, std::set<std::string>& failed) {
    const auto groups = parse_json(read(path));
    if (!groups.ok()) {
      fmt::print("{}: {}\n", path.string(), groups.error().to_string());
      return;
    }
    const bool formats = path.string().find("/optional/format/") != std::string::npos;
    for (const Value& group : groups->items) {
      const std::string name = fmt::format("{}: {}", fs::relative(path, suite_ / "tests").string(),
                                           group.find("description")->text);
      const auto document = Document::parse(write_json(*group.find("schema")), remotes_, fallback_);
      auto validator = document.ok() ? Validator::compile(*document, {.assert_formats = formats})
                                     : Result<Validator>(document.error());
      if (!validator.ok()) fmt::print("{}: {}\n", name, validator.error().to_string());
      for (const Value& one : group.find("tests")->items) {
        ++cases_;
        const std::string full = fmt::format("{}: {}", name, one.find("description")->text);
        if (!validator.ok() || !passes(*validator, one, full)) failed.insert(full);
      }
    }
  }

  bool passes(const Validator& validator, const Value& one, const std::string& name) {
    const auto event = parser_.parse(write_json(*one.find("data")));
    if (!event.ok()) return false;
    const Status verdict = validator.check(*event);
    const bool ok =
        verdict.ok() == one.find("valid")->boolean && (verdict.ok() || verdict.error().id == "MR-JSCH-0007");
    if (!ok) fmt::print("{}: {}\n", name, verdict.ok() ? "taken" : verdict.error().to_string());
    return ok;
  }

  fs::path suite_;
  std::string_view draft_;
  Draft fallback_;
  std::vector<schema::NamedSchema> remotes_;
  EventParser parser_;
  size_t cases_ = 0;
};

std::set<std::string> expected_failures(const char* path) {
  std::ifstream file(path);
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.insert(line);
  }
  return lines;
}

int run(const fs::path& suite, const char* expected_path) {
  std::set<std::string> failed;
  size_t cases = 0;
  for (const auto& [name, draft] : kDrafts) {
    if (!fs::exists(suite / "tests" / name)) {
      fmt::print("{} is not there: tools/install_packages.sh test\n", (suite / "tests" / name).string());
      return 1;
    }
    Suite tests(suite, name, draft);
    tests.run(failed);
    cases += tests.cases();
  }
  const std::set<std::string> expected = expected_failures(expected_path);
  int wrong = 0;
  for (const std::string& name : failed) {
    if (expected.count(name) == 0) ++wrong, fmt::print("fails: {}\n", name);
  }
  for (const std::string& name : expected) {
    if (failed.count(name) == 0) ++wrong, fmt::print("passes, though it is listed: {}\n", name);
  }
  fmt::print("{} cases, {} fail, {} of them listed\n", cases, failed.size(), expected.size());
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace millrace::json_schema

int main(int argc, char** argv) {
  if (argc == 3) return millrace::json_schema::run(argv[1], argv[2]);
  fmt::print("usage: json_schema_suite SUITE EXPECTED\n");
  return 2;
}
