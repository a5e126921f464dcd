// Runs tests/schemas/json/*.test; their README has the grammar.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "json-schema/validator.h"

namespace millrace::json_schema {
namespace {

namespace fs = std::filesystem;

// A line with those that are indented behind it.
struct Entry {
  int line = 0;
  std::string word;
  std::string text;               // behind the word
  std::vector<std::string> more;  // without the indent
};

std::vector<Entry> entries_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<Entry> entries;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text[0] == '#') continue;
    const size_t begin = text.find_first_not_of(' ');
    if (begin > 0) {
      entries.back().more.push_back(text.substr(begin));
      continue;
    }
    const size_t space = std::min(text.find(' '), text.size());
    entries.push_back({line, text.substr(0, space), text.substr(std::min(space + 1, text.size())), {}});
  }
  return entries;
}

std::string with_more(const Entry& entry, std::string text) {
  for (const std::string& line : entry.more) text += "\n" + line;
  return text;
}

class CaseFile {
 public:
  explicit CaseFile(fs::path path) : path_(std::move(path)) {}

  void run() {
    const std::vector<Entry> entries = entries_of(path_);
    for (size_t i = 0; i < entries.size(); ++i) {
      line_ = entries[i].line;
      run(entries[i], i + 1 < entries.size() ? entries[i + 1].word : std::string());
    }
  }

 private:
  void run(const Entry& entry, const std::string& next) {
    if (entry.word == "reference") {
      const size_t space = std::min(entry.text.find(' '), entry.text.size());
      references_.push_back({entry.text.substr(0, space), with_more(entry, entry.text.substr(space))});
    } else if (entry.word == "formats") {
      options_.assert_formats = true;
    } else if (entry.word == "schema") {
      compile(with_more(entry, entry.text), next == "error");
    } else if (entry.word == "error") {
      same(said(error_), entry.text);
    } else if (entry.word == "accepts") {
      same(failures(entry.text), {});
    } else if (entry.word == "refuses") {
      same(failures(entry.text), entry.more);
    } else {
      fail(fmt::format("`{}` is no word of a case", entry.word));
    }
  }

  void compile(const std::string& text, bool may_fail) {
    validator_.reset();
    error_.reset();
    const auto document = Document::parse(text, references_);
    auto validator =
        document.ok() ? Validator::compile(*document, options_) : Result<Validator>(document.error());
    if (validator.ok()) {
      validator_.emplace(std::move(validator).value());
    } else {
      error_ = validator.error();
      if (!may_fail) fail(error_->to_string());
    }
    references_.clear();
    options_ = {};
  }

  std::vector<std::string> failures(const std::string& event) {
    const auto parsed = parser_.parse(event);
    if (!parsed.ok()) return {said(parsed.error())};
    if (!validator_) return {"there is no schema"};
    const auto found = validator_->failures(*parsed, 10);
    if (!found.ok()) return {said(found.error())};
    std::vector<std::string> lines;
    for (const Failure& one : *found)
      lines.push_back(fmt::format("{}: {} ({})", one.instance_path, one.message, one.schema_path));
    EXPECT_EQ(validator_->check(*parsed).ok(), lines.empty());
    return lines;
  }

  static std::string said(const std::optional<Error>& error) {
    return error ? fmt::format("{}: {}", error->id, error->message) : "no error";
  }
  template <typename T>
  void same(const T& got, const T& expected) {
    if (got != expected) fail(testing::PrintToString(got));
  }
  void fail(const std::string& got) const { ADD_FAILURE_AT(path_.c_str(), line_) << "got: " << got; }

  fs::path path_;
  int line_ = 0;
  std::vector<schema::NamedSchema> references_;
  ValidatorOptions options_;
  std::optional<Validator> validator_;
  std::optional<Error> error_;
  EventParser parser_;
};

TEST(JsonSchemaCases, Hold) {
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(MILLRACE_CASES)) {
    if (entry.path().extension() != ".test") continue;
    ++files;
    CaseFile(entry.path()).run();
  }
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace millrace::json_schema
