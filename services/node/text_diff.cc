#include "node/text_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace millrace::cli {
namespace {

constexpr size_t kMostLines = 4'000;
constexpr size_t kContext = 3;

using Lines = std::vector<std::string_view>;

struct Edit {
  char sign;  // ' ', '-', '+'
  std::string_view line;
};

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Of the lines between what both begin and end with: the longest common subsequence, by dynamic programming.
void append_middle(const Lines& a, const Lines& b, std::vector<Edit>& edits) {
  const size_t rows = a.size(), columns = b.size();
  const bool too_many = rows > kMostLines || columns > kMostLines;
  std::vector<uint16_t> common(too_many ? 0 : (rows + 1) * (columns + 1));  // of what begins at (i, j)
  const auto at = [&](size_t i, size_t j) -> uint16_t& { return common[i * (columns + 1) + j]; };
  for (size_t i = too_many ? 0 : rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      at(i, j) =
          a[i] == b[j] ? static_cast<uint16_t>(at(i + 1, j + 1) + 1) : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    const bool in_both = i < rows && j < columns;
    if (!too_many && in_both && a[i] == b[j]) {
      edits.push_back({' ', a[i++]});
      ++j;
    } else if (j == columns || (i < rows && (too_many || at(i + 1, j) >= at(i, j + 1)))) {
      edits.push_back({'-', a[i++]});
    } else {
      edits.push_back({'+', b[j++]});
    }
  }
}

std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t begin = 0, end = 0;
  while (begin < shorter && a[begin] == b[begin]) ++begin;
  while (end < shorter - begin && a[a.size() - 1 - end] == b[b.size() - 1 - end]) ++end;
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<ptrdiff_t>(begin), lines.end() - static_cast<ptrdiff_t>(end));
  };
  std::vector<Edit> edits;
  for (size_t i = 0; i < begin; ++i) edits.push_back({' ', a[i]});
  append_middle(middle(a), middle(b), edits);
  for (size_t i = a.size() - end; i < a.size(); ++i) edits.push_back({' ', a[i]});
  return edits;
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after, std::string_view before_name,
                      std::string_view after_name) {
  const auto edits = edits_of(lines_of(before), lines_of(after));
  std::vector<bool> shown(edits.size());
  for (size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].sign == ' ') continue;
    const size_t to = std::min(edits.size(), i + kContext + 1);
    for (size_t j = i - std::min(i, kContext); j < to; ++j) shown[j] = true;
  }
  std::string out;
  size_t before_line = 1, after_line = 1;
  for (size_t i = 0; i < edits.size(); ++i) {
    if (shown[i]) {
      if (out.empty()) out = fmt::format("--- {}\n+++ {}\n", before_name, after_name);
      if (i == 0 || !shown[i - 1]) out += fmt::format("@@ -{} +{} @@\n", before_line, after_line);
      out += edits[i].sign;
      out += edits[i].line;
      out += '\n';
    }
    before_line += edits[i].sign != '+';
    after_line += edits[i].sign != '-';
  }
  return out;
}

}  // namespace millrace::cli
