#include "node/table.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "fmt/format.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kCut = "…";
constexpr size_t kLeastWidth = 6;  // of a column that is cut to make room

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 1;
};

// A byte that is no UTF-8 counts for one cell.
CodePoint first_of(std::string_view text) {
  utf8proc_int32_t value = 0;
  const auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                  static_cast<utf8proc_ssize_t>(text.size()), &value);
  if (n <= 0) return {'?', 1};
  return {static_cast<uint32_t>(value), static_cast<size_t>(n)};
}

size_t width_of(uint32_t c) {
  return static_cast<size_t>(utf8proc_charwidth(static_cast<utf8proc_int32_t>(c)));
}

// What steers a terminal, or turns the direction of what is around it.
bool steers(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string escaped(uint32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  return c < 0x100 ? fmt::format("\\x{:02x}", c) : fmt::format("\\u{:04x}", c);
}

std::string cut_to(const std::string& text, size_t width) {
  size_t cells = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const CodePoint c = first_of(rest);
    if (cells + width_of(c.value) + 1 > width) break;
    cells += width_of(c.value);
    rest.remove_prefix(c.bytes);
  }
  return text.substr(0, text.size() - rest.size()) + std::string(kCut);
}

// The greatest bound of a column's width by which all have room.
size_t bound_for(const std::vector<size_t>& widths, size_t room) {
  size_t bound = *std::max_element(widths.begin(), widths.end());
  const auto used = [&] {
    return std::accumulate(widths.begin(), widths.end(), size_t{0},
                           [&](size_t sum, size_t width) { return sum + std::min(width, bound); });
  };
  while (bound > kLeastWidth && used() > room) --bound;
  return bound;
}

}  // namespace

std::string printable(std::string_view text, bool keep_lines) {
  std::string out;
  while (!text.empty()) {
    const CodePoint c = first_of(text);
    const bool line_end = keep_lines && c.value == '\n';
    out += steers(c.value) && !line_end ? escaped(c.value) : std::string(text.substr(0, c.bytes));
    text.remove_prefix(c.bytes);
  }
  return out;
}

size_t display_width(std::string_view text) {
  size_t cells = 0;
  while (!text.empty()) {
    const CodePoint c = first_of(text);
    cells += width_of(c.value);
    text.remove_prefix(c.bytes);
  }
  return cells;
}

Table::Cell Table::cell_of(const AnswerValue& value) const {
  using Kind = AnswerValue::Kind;
  if (value.kind == Kind::kNull) return {style_.null, false, true};
  return {printable(value.text), value.kind == Kind::kNumber, false};
}

bool Table::fits(const AnswerRow& row) const {
  return std::ranges::equal(row, names_, {}, [](const AnswerValue& value) { return printable(value.name); });
}

void Table::set_columns(std::vector<std::string> names) {
  if (names == names_) return;
  end();
  names_ = std::move(names);
  widths_.clear();
  for (const auto& name : names_) widths_.push_back(display_width(name));
  begun_ = false;
}

void Table::widen(const Row& row) {
  for (size_t i = 0; i < row.cells.size(); ++i)
    widths_[i] = std::max(widths_[i], display_width(row.cells[i].text));
}

void Table::add(const AnswerRow& row, Tint tint) {
  std::vector<std::string> names;
  Row shown{{}, tint};
  for (const AnswerValue& value : row) {
    names.push_back(printable(value.name));
    shown.cells.push_back(cell_of(value));
  }
  set_columns(std::move(names));
  ++rows_;
  if (begun_ && !live_) return print(shown);
  widen(shown);
  waiting_.push_back(std::move(shown));
  if (waiting_.size() >= kSample) finish();
}

// Between the widths stand two spaces and a bar.
void Table::fit() {
  bound_ = SIZE_MAX;
  const size_t lines = 3 * names_.size() - 1;
  const size_t all = std::accumulate(widths_.begin(), widths_.end(), lines);
  expanded_ = style_.expanded == Expanded::kAlways;
  if (style_.width == 0 || all <= style_.width) return;
  const size_t room = style_.width > lines ? style_.width - lines : 0;
  bound_ = bound_for(widths_, room);
  const size_t least =
      std::accumulate(widths_.begin(), widths_.end(), size_t{0},
                      [&](size_t sum, size_t width) { return sum + std::min(width, bound_); });
  if (least > room && style_.expanded == Expanded::kIfTooWide && !live_) expanded_ = true;
}

void Table::finish() {
  if (names_.empty()) return;
  if (!begun_ || live_) {
    const bool was_expanded = expanded_;
    fit();
    if (begun_) expanded_ = was_expanded;
  }
  if (!begun_ && tables_++ > 0) std::fputc('\n', out_);
  if (!begun_ && !expanded_) print_head();
  begun_ = true;
  for (const auto& row : waiting_) print(row);
  waiting_.clear();
  std::fflush(out_);
}

void Table::end() {
  finish();
  names_.clear();
  rows_ = printed_ = 0;
}

void Table::print_head() {
  Row head;
  for (const auto& name : names_) head.cells.push_back({name, false, false});
  print_line(head);
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) std::fputs("+", out_);
    std::fputs(std::string(std::min(widths_[i], bound_) + 2, '-').c_str(), out_);
  }
  std::fputc('\n', out_);
}

void Table::print(const Row& row) {
  ++printed_;
  expanded_ ? print_expanded(row) : print_line(row);
}

void Table::print_expanded(const Row& row) {
  size_t name_width = 0;
  for (const auto& name : names_) name_width = std::max(name_width, display_width(name));
  const std::string head = fmt::format("-[ row {} ]", printed_);
  std::fputs((head + std::string(std::max(name_width + 3, head.size()) - head.size(), '-') + "\n").c_str(),
             out_);
  for (size_t i = 0; i < names_.size(); ++i) {
    const std::string fill(name_width - display_width(names_[i]), ' ');
    std::fputs(
        fmt::format("{}{} | {}\n", names_[i], fill, painted(row, row.cells[i], row.cells[i].text)).c_str(),
        out_);
  }
}

void Table::print_line(const Row& row) {
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (i > 0) std::fputs("|", out_);
    print_cell(row, row.cells[i], std::min(widths_[i], bound_), i + 1 == row.cells.size());
  }
  std::fputc('\n', out_);
}

void Table::print_cell(const Row& row, const Cell& cell, size_t width, bool last) {
  size_t used = display_width(cell.text);
  std::string text = cell.text;
  if (used > width && bound_ != SIZE_MAX) {
    text = cut_to(text, width);
    used = display_width(text);
    has_cut_ = true;
  }
  const std::string fill(width > used ? width - used : 0, ' ');
  text = painted(row, cell, text);
  std::string line = " " + (cell.right ? fill + text : text + fill) + " ";
  if (last) line.erase(line.find_last_not_of(' ') + 1);
  std::fputs(line.c_str(), out_);
}

std::string Table::painted(const Row& row, const Cell& cell, const std::string& text) const {
  if (!style_.colour || text.empty()) return text;
  if (cell.null) return "\033[2m" + text + "\033[0m";
  if (row.tint == Tint::kAdded) return "\033[32m" + text + "\033[0m";
  if (row.tint == Tint::kRemoved) return "\033[31m" + text + "\033[0m";
  return text;
}

}  // namespace millrace::cli
