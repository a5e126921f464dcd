#include "tests/sql/case.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/sim/naive_expr.h"

namespace millrace::corpus {
namespace {

constexpr int64_t kOriginUs = 978'307'200'000'000;  // 2001-01-01T00:00:00Z
constexpr size_t kWidth = 110;

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

// "(a, b) (c, d)". A value is bare, or "…" with \" and \\ inside; a quoted one keeps its quotes.
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
      if (at < text.size() && text[at] == '"') {
        const size_t from = at++;
        while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
        value = text.substr(from, ++at - from);
        skip();
      } else {
        while (at < text.size() && text[at] != ',' && text[at] != ')') value += text[at++];
        value = trimmed(value);
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

bool plain(const std::string& text) {
  if (text.empty() || text == "null" || text != trimmed(text)) return false;
  return text.find_first_of("(),\"|\\\n#") == std::string::npos;
}

std::string clock_text(int64_t us) {
  const int64_t rest = us - kOriginUs;
  if (rest < 0 || rest >= 86'400'000'000) return sim::naive_timestamp_text(us);
  std::string out = fmt::format("{}:{:02}", rest / 60'000'000, rest / 1'000'000 % 60);
  if (rest % 1'000'000 != 0) {
    out += fmt::format(".{:06}", rest % 1'000'000);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

// 1:05.5 -> microseconds since the epoch.
std::optional<int64_t> clock_us(const std::string& text) {
  int minutes = 0, used = 0;
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%d:%lf%n", &minutes, &seconds, &used) == 2 && size_t(used) == text.size()) {
    return kOriginUs + minutes * int64_t{60'000'000} + std::llround(seconds * 1e6);
  }
  return sim::naive_timestamp_us(text);
}

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<CaseFile> run() {
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
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
  // The next line, with those that go on with it.
  std::string block() {
    std::string out = lines_[next_++];
    while (next_ < lines_.size() && lines_[next_].starts_with(" ")) out += "\n" + lines_[next_++];
    return out;
  }

  std::string statement(std::string first) {
    while (!trimmed(first).ends_with(';') && next_ < lines_.size()) first += "\n" + lines_[next_++];
    return first;
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
      query(step);
    } else if (std::isupper(static_cast<unsigned char>(word[0]))) {
      step.what = Step::What::kStatement;
      step.text = step.source = statement(lines_[next_++]);
    } else {
      step.source = block();
      rest = step.source;
      take_word(rest);
      TRY(command(word, rest, step, to));
    }
    to.steps.push_back(std::move(step));
    return {};
  }

  void query(Step& step) {
    step.what = Step::What::kQuery;
    step.source = statement(lines_[next_++]);
    step.text = trimmed(step.source.substr(6));
    for (; next_ < lines_.size() && lines_[next_].starts_with("|"); ++next_) {
      Tuple tuple;
      std::stringstream cells(lines_[next_].substr(1));
      for (std::string cell; std::getline(cells, cell, '|');) tuple.push_back(trimmed(cell));
      step.tuples.push_back(std::move(tuple));
    }
  }

  Status command(const std::string& word, std::string rest, Step& step, Case& to) {
    if (word == "only") {
      step.what = Step::What::kOnly;
      if (rest != "one_partition") return bad_line(path_, step.line, "only one_partition is known");
      to.one_partition = true;
    } else if (word == "error") {
      step.what = Step::What::kError;
      step.text = rest;
    } else if (word == "restart" || word == "wait") {
      step.what = word == "wait" ? Step::What::kWait : Step::What::kRestart;
      step.seconds = std::atoll(rest.c_str());
      if (word == "wait" && step.seconds <= 0) return bad_line(path_, step.line, "wait takes seconds");
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

std::string shown(const Scalar& value) {
  if (sim::is_null(value)) return "null";
  if (const auto* s = std::get_if<std::string>(&value)) return plain(*s) ? *s : nlohmann::json(*s).dump();
  if (const auto* t = std::get_if<Timestamp>(&value)) return clock_text(t->micros);
  if (const auto* d = std::get_if<double>(&value)) return fmt::format("{}", *d);
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<Interval>(&value)) {
    if (i->months == 0 && i->days == 0) return fmt::format("{}us", i->micros);
    return fmt::format("{}mon {}d {}us", i->months, i->days, i->micros);
  }
  return std::to_string(std::get<int64_t>(value));
}

Result<std::string> json_of(const std::string& token, Type type) {
  if (token == "null") return token;
  if (token.starts_with('"')) return token;
  if ((physical(type) == Physical::kText && type != Type::kJsonb && type != Type::kNumeric) ||
      type == Type::kDate || type == Type::kTime || type == Type::kTimestamp)
    return nlohmann::json(token).dump();
  if (type != Type::kTimestamptz) return token;
  const auto us = clock_us(token);
  if (!us) return error(Code::kInvalid, "MR-TEST-0003", "not a time: " + token);
  return "\"" + sim::naive_timestamp_text(*us) + "\"";
}

}  // namespace millrace::corpus
