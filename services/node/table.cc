#include "node/table.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace millrace::cli {
namespace {

struct Range {
  uint32_t first, last;
};
// Unicode 15, the blocks that matter on a terminal: marks that add to the character before, and double-width
// ones.
constexpr std::array kZero = {Range{0x300, 0x36F},   Range{0x483, 0x489},   Range{0x591, 0x5BD},
                              Range{0x610, 0x61A},   Range{0x64B, 0x65F},   Range{0x900, 0x902},
                              Range{0x93C, 0x93C},   Range{0x941, 0x948},   Range{0xE31, 0xE31},
                              Range{0xE34, 0xE3A},   Range{0xE47, 0xE4E},   Range{0x1AB0, 0x1AFF},
                              Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200F}, Range{0x202A, 0x202E},
                              Range{0x2060, 0x2064}, Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F},
                              Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF}, Range{0xE0100, 0xE01EF}};
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},   Range{0x23E9, 0x23EC},
    Range{0x25FD, 0x25FE},   Range{0x2614, 0x2615},   Range{0x2648, 0x2653},   Range{0x26AA, 0x26AB},
    Range{0x2705, 0x2705},   Range{0x2728, 0x2728},   Range{0x274C, 0x274C},   Range{0x2753, 0x2755},
    Range{0x2795, 0x2797},   Range{0x2B1B, 0x2B1C},   Range{0x2B50, 0x2B50},   Range{0x2E80, 0x303E},
    Range{0x3041, 0x33FF},   Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},   Range{0xA000, 0xA4CF},
    Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF},
    Range{0x1F900, 0x1F9FF}, Range{0x1FA70, 0x1FAFF}, Range{0x20000, 0x3FFFD}};

template <size_t N>
bool in(const std::array<Range, N>& ranges, uint32_t c) {
  const auto* it = std::lower_bound(ranges.begin(), ranges.end(), c,
                                    [](const Range& r, uint32_t value) { return r.last < value; });
  return it != ranges.end() && it->first <= c;
}

size_t width_of(uint32_t c) {
  if (in(kZero, c)) return 0;
  return in(kWide, c) ? 2 : 1;
}

// Takes one code point off the front; a byte that is no UTF-8 counts for one cell.
uint32_t next_code_point(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text.front());
  const size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  uint32_t c = length == 1 ? first : first & (0x7Fu >> length);
  const size_t take = std::min(length, text.size());
  for (size_t i = 1; i < take; ++i) c = (c << 6) | (static_cast<uint8_t>(text[i]) & 0x3Fu);
  text.remove_prefix(take);
  return c;
}

// A terminal must not be steered by data: control characters are shown escaped, U+0080 to U+009F, too.
std::string printable(const std::string& text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<uint8_t>(c);
    const auto next = i + 1 < text.size() ? static_cast<uint8_t>(text[i + 1]) : uint8_t{0};
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
      out += {'\\', 'x', kHex[next >> 4], kHex[next & 15]};
      ++i;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t cells = 0;
  while (!text.empty()) cells += width_of(next_code_point(text));
  return cells;
}

Table::Cell Table::cell_of(const AnswerValue& value) {
  return {printable(value.text), value.kind == AnswerValue::Kind::kNumber};
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
  head_printed_ = false;
}

void Table::widen(const std::vector<Cell>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], display_width(cells[i].text));
}

void Table::add(const AnswerRow& row) {
  std::vector<std::string> names;
  std::vector<Cell> cells;
  for (const AnswerValue& value : row) {
    names.push_back(printable(value.name));
    cells.push_back(cell_of(value));
  }
  set_columns(std::move(names));
  ++rows_;
  if (head_printed_) return print_row(cells);
  widen(cells);
  waiting_.push_back(std::move(cells));
  if (live_ || waiting_.size() >= kSample) finish();
}

void Table::finish() {
  if (names_.empty()) return;
  if (!head_printed_) print_head();
  for (const auto& cells : waiting_) print_row(cells);
  waiting_.clear();
  std::fflush(out_);
}

void Table::end() {
  finish();
  names_.clear();
  rows_ = 0;
}

void Table::print_head() {
  head_printed_ = true;
  if (tables_++ > 0) std::fputc('\n', out_);
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) std::fputs("|", out_);
    print_cell({names_[i], false}, widths_[i], i + 1 == names_.size());
  }
  std::fputc('\n', out_);
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) std::fputs("+", out_);
    std::fputs(std::string(widths_[i] + 2, '-').c_str(), out_);
  }
  std::fputc('\n', out_);
}

void Table::print_row(const std::vector<Cell>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) std::fputs("|", out_);
    print_cell(cells[i], widths_[i], i + 1 == cells.size());
  }
  std::fputc('\n', out_);
  if (live_) std::fflush(out_);
}

void Table::print_cell(const Cell& cell, size_t width, bool last) {
  const size_t used = display_width(cell.text);
  const std::string fill(width > used ? width - used : 0, ' ');
  std::string line = " " + (cell.right ? fill + cell.text : cell.text + fill) + " ";
  if (last) line.erase(line.find_last_not_of(' ') + 1);
  std::fputs(line.c_str(), out_);
}

}  // namespace millrace::cli
