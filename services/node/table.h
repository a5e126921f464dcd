// Table: rows of JSON objects as aligned text, as psql shows them.
//
// The first kSample rows decide the widths; later rows that are wider push their line out. Numbers stand
// right. A row whose columns differ from those before starts a new table, behind an empty line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "node/answer_row.h"

namespace millrace::cli {

// How many terminal cells a UTF-8 text takes: combining marks none, wide East Asian characters and emoji two.
size_t display_width(std::string_view text);

// A terminal must not be steered by data: control characters are shown escaped, those that turn the direction of writing, too.
std::string printable(std::string_view text, bool keep_lines = false);

enum class Expanded : uint8_t { kNever, kIfTooWide, kAlways };  // a line for each value

struct TableStyle {
  std::string null;  // stands for NULL
  size_t width = 0;  // values are cut so that a line has so many cells; 0: none is
  Expanded expanded = Expanded::kNever;
  bool colour = false;
};

class Table {
 public:
  enum class Tint : uint8_t { kNone, kAdded, kRemoved };
  static constexpr size_t kSample = 1000;
  explicit Table(std::FILE* out, TableStyle style = {}) : out_(out), style_(std::move(style)) {}

  // From here on finish() shows the rows that have come, and they may widen the columns.
  void go_live() { live_ = true; }

  void set_columns(std::vector<std::string> names);  // optional: shows the head also when there is no row
  void add(const AnswerRow& row, Tint tint = Tint::kNone);
  bool fits(const AnswerRow& row) const;  // its columns are the table's
  void finish();                          // prints what waits
  void end();                             // the table is over; the next row begins another
  size_t rows() const { return rows_; }   // of the table that is being shown
  bool has_cut() const { return has_cut_; }

 private:
  struct Cell {
    std::string text;
    bool right = false;
    bool null = false;
  };
  struct Row {
    std::vector<Cell> cells;
    Tint tint = Tint::kNone;
  };
  void fit();
  void print_head();
  void print(const Row& row);
  void print_line(const Row& row);
  void print_expanded(const Row& row);
  void print_cell(const Row& row, const Cell& cell, size_t width, bool last);
  void widen(const Row& row);
  Cell cell_of(const AnswerValue& value) const;
  std::string painted(const Row& row, const Cell& cell, const std::string& text) const;

  std::FILE* out_;
  const TableStyle style_;
  bool live_ = false;
  bool begun_ = false;     // the head, or a row, is printed
  bool expanded_ = false;  // this table
  bool has_cut_ = false;
  size_t bound_ = SIZE_MAX;  // of a column's width
  size_t tables_ = 0;
  size_t rows_ = 0;
  size_t printed_ = 0;
  std::vector<std::string> names_;
  std::vector<size_t> widths_;
  std::vector<Row> waiting_;
};

}  // namespace millrace::cli
