#include "tests/sql/page.h"

#include <fstream>
#include <utility>

namespace millrace::query_tests {
namespace {

// Statements end with a ';' at the end of a line, or before a comment.
bool ends_statement(const std::string& line) {
  const std::string code = line.substr(0, line.find("--"));
  const size_t last = code.find_last_not_of(' ');
  return last != std::string::npos && code[last] == ';';
}

}  // namespace

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Step statement(int line, std::string text) {
  Step step;
  step.what = Step::What::kStatement;
  step.line = line;
  step.text = std::move(text);
  return step;
}

void add_refused(int line, std::string text, const std::string& id, Case& out) {
  out.steps.push_back(statement(line, std::move(text)));
  Step error;
  error.what = Step::What::kError;
  error.line = line;
  error.text = id;
  out.steps.push_back(std::move(error));
}

Case example_blocks(const std::string& path) {
  Case out;
  out.title = "the examples";
  bool inside = false;
  std::string text;
  int number = 0;
  for (const std::string& line : lines_of(path)) {
    ++number;
    if (line == "```sql" || line == "```") {
      inside = line == "```sql";
    } else if (inside) {
      text += line + "\n";
      if (ends_statement(line)) out.steps.push_back(statement(number, std::exchange(text, {})));
    }
  }
  if (!text.empty()) out.title.clear();
  return out;
}

std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> out(1);
  for (size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '\\' && i + 1 < row.size() && row[i + 1] == '|')
      out.back() += row[++i];
    else if (row[i] == '|')
      out.emplace_back();
    else if (row[i] != '`')
      out.back() += row[i];
  }
  out.pop_back();
  for (std::string& cell : out) {
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
  }
  return out;
}

}  // namespace millrace::query_tests
