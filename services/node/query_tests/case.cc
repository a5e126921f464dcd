#include "node/query_tests/case.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace millrace::query_tests {
namespace {

constexpr size_t kWidth = 110;
constexpr size_t kMaxFileBytes = 4u << 20;
constexpr int64_t kMaxSeconds = 86'400;

Error bad_line(const std::string& path, int line, std::string what) {
  return error(Code::kInvalid, "MR-TEST-0001", fmt::format("{}:{}: {}", path, line, what));
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// Takes the first word off.
std::string take_word(std::string& text) {
  text = trimmed(text);
  const size_t end = std::min(text.find_first_of(" \n"), text.size());
  std::string word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

size_t end_of_quoted(const std::string& text, size_t at) {
  for (++at; at < text.size() && text[at] != '"';) at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// Behind the array or the object of JSON that begins here; where none does, or it never ends, here.
size_t end_of_json(const std::string& text, const size_t from) {
  int depth = 0;
  for (size_t at = from; at < text.size();) {
    if (text[at] == '"' && depth > 0) {
      at = end_of_quoted(text, at);
      continue;
    }
    if (text[at] == '[' || text[at] == '{') ++depth;
    if (text[at] == ']' || text[at] == '}') --depth;
    ++at;
    if (depth <= 0) return depth == 0 && at > from + 1 ? at : from;
  }
  return from;
}

// "(a, b) (c, d)". A value is bare, JSON's arrays and objects among it, or "…" with \" and \\ inside; a quoted one keeps
// its quotes.
Result<std::vector<Tuple>> read_tuples(const std::string& text) {
  std::vector<Tuple> out;
  size_t at = 0;
  const auto skip = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  };
  for (skip(); at < text.size(); skip()) {
    if (text[at++] != '(') return error(Code::kInvalid, "MR-TEST-0002", "a ( is expected in: " + text);
    Tuple tuple;
    for (bool more = true; more;) {
      skip();
      std::string value;
      const size_t from = at;
      if (at < text.size() && text[at] == '"') {
        at = end_of_quoted(text, at);
        value = text.substr(from, at - from);
        skip();
      } else {
        at = std::min(text.find_first_of(",)", end_of_json(text, at)), text.size());
        value = trimmed(text.substr(from, at - from));
      }
      if (at >= text.size() || (text[at] != ',' && text[at] != ')')) {
        return error(Code::kInvalid, "MR-TEST-0002", "a , or ) is expected in: " + text);
      }
      tuple.push_back(std::move(value));
      more = text[at++] == ',';
    }
    out.push_back(std::move(tuple));
  }
  return out;
}

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<CaseFile> run() {
    TRY(read_lines());
    file_.path = path_;
    while (next_ < lines_.size()) {
      if (lines_[next_].starts_with("== ")) {
        file_.cases.push_back({lines_[next_].substr(3), static_cast<int>(next_) + 1, false, {}});
        ++next_;
      } else if (file_.cases.empty()) {
        file_.head += lines_[next_++] + "\n";
      } else {
        TRY(step(file_.cases.back()));
      }
    }
    if (file_.cases.empty()) return bad_line(path_, 1, "there is no case: a line `== title` starts one");
    return std::move(file_);
  }

 private:
  Status read_lines() {
    std::ifstream in(path_);
    size_t bytes = 0;
    for (std::string line; std::getline(in, line);) {
      bytes += line.size() + 1;
      if (bytes > kMaxFileBytes)
        return bad_line(path_, 1, "the file has more than 4 MiB: make several of it");
      lines_.push_back(std::move(line));
    }
    if (in.eof() && !in.bad()) return {};
    return error(Code::kNotFound, "MR-TEST-0005", path_ + " cannot be read",
                 "name a file or a folder that is there");
  }

  // The next line, with those that go on with it.
  std::string block() {
    std::string out = lines_[next_++];
    while (next_ < lines_.size() && lines_[next_].starts_with(" ")) out += "\n" + lines_[next_++];
    return out;
  }

  Result<std::string> statement() {
    const int line = static_cast<int>(next_) + 1;
    std::string text = lines_[next_++];
    while (!trimmed(text).ends_with(';')) {
      if (next_ == lines_.size() || lines_[next_].starts_with("== "))
        return bad_line(path_, line, "the statement has no ; at the end of a line");
      text += "\n" + lines_[next_++];
    }
    return text;
  }

  Status step(Case& to) {
    Step step;
    step.line = static_cast<int>(next_) + 1;
    const std::string line = lines_[next_];
    if (trimmed(line).empty() || line.starts_with("#")) {
      step.text = step.source = lines_[next_++];
      to.steps.push_back(std::move(step));
      return {};
    }
    std::string rest = line;
    const std::string word = take_word(rest);
    if (word == "query") {
      TRY(query(step));
    } else if (std::isupper(static_cast<unsigned char>(word[0]))) {
      step.what = Step::What::kStatement;
      TRY_ASSIGN(step.source, statement());
      step.text = step.source;
    } else {
      step.source = block();
      rest = step.source;
      take_word(rest);
      TRY(command(word, rest, step, to));
    }
    to.steps.push_back(std::move(step));
    return {};
  }

  Status query(Step& step) {
    step.what = Step::What::kQuery;
    TRY_ASSIGN(step.source, statement());
    step.text = step.source;
    take_word(step.text);
    for (; next_ < lines_.size() && lines_[next_].starts_with("|"); ++next_) {
      Tuple tuple;
      std::stringstream cells(lines_[next_].substr(1));
      for (std::string cell; std::getline(cells, cell, '|');) tuple.push_back(trimmed(cell));
      step.tuples.push_back(std::move(tuple));
    }
    return {};
  }

  Status command(const std::string& word, std::string rest, Step& step, Case& to) {
    if (word == "only") {
      step.what = Step::What::kOnly;
      if (rest != "one_partition") return bad_line(path_, step.line, "only one_partition is known");
      to.one_partition = true;
    } else if (word == "error") {
      step.what = Step::What::kError;
      step.text = rest;
      if (to.steps.empty() || to.steps.back().what != Step::What::kStatement)
        return bad_line(path_, step.line, "error stands in the line behind its statement");
    } else if (word == "restart" || word == "wait") {
      step.what = word == "wait" ? Step::What::kWait : Step::What::kRestart;
      const bool may_be_bare = word == "restart" && rest.empty();
      const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), step.seconds);
      const bool number = failed == std::errc() && end == rest.data() + rest.size();
      if (!may_be_bare && (!number || step.seconds <= 0 || step.seconds > kMaxSeconds))
        return bad_line(path_, step.line, fmt::format("{} takes seconds, 1 to {}", word, kMaxSeconds));
    } else if (word == "advance") {
      step.what = Step::What::kAdvance;
      step.name = rest;
    } else if (word == "raw" || word == "reject") {
      step.what = word == "raw" ? Step::What::kRaw : Step::What::kReject;
      step.name = take_word(rest);
      if (word == "reject") step.code = take_word(rest);
      step.text = rest;
    } else if (word == "push" || word == "expect") {
      step.what = word == "push" ? Step::What::kPush : Step::What::kExpect;
      step.name = take_word(rest);
      if (word == "expect" && step.name == "ordered") {
        step.ordered = true;
        step.name = take_word(rest);
      }
      auto tuples = read_tuples(rest);
      if (!tuples.ok()) return bad_line(path_, step.line, tuples.error().message);
      step.tuples = std::move(*tuples);
    } else {
      return bad_line(path_, step.line, "unknown word: " + word);
    }
    return {};
  }

  std::string path_;
  std::vector<std::string> lines_;
  size_t next_ = 0;
  CaseFile file_;
};

std::string expect_text(const Step& step) {
  std::string out = fmt::format("expect {}{}", step.ordered ? "ordered " : "", step.name);
  size_t width = out.size();
  for (const auto& tuple : step.tuples) {
    const std::string text = fmt::format("({})", fmt::join(tuple, ", "));
    if (width + text.size() + 1 > kWidth) {
      out += "\n  " + text;
      width = text.size() + 2;
    } else {
      out += " " + text;
      width += text.size() + 1;
    }
  }
  return out;
}

}  // namespace

Result<CaseFile> read_cases(const std::string& path) {
  return Reader(path).run();
}

std::string write_cases(const CaseFile& file) {
  std::string out = file.head;
  for (const auto& c : file.cases) {
    out += "== " + c.title + "\n";
    for (const auto& step : c.steps) {
      if (step.what == Step::What::kExpect) {
        out += expect_text(step);
      } else if (step.what == Step::What::kError) {
        out += "error " + step.text;
      } else if (step.what == Step::What::kReject) {
        out += fmt::format("reject {} {} {}", step.name, step.code, step.text);
      } else {
        out += step.source;
      }
      out += "\n";
      if (step.what != Step::What::kQuery) continue;
      for (const auto& tuple : step.tuples) out += fmt::format("| {}\n", fmt::join(tuple, " | "));
    }
  }
  return out;
}

}  // namespace millrace::query_tests
