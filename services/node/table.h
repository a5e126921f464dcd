// Table: rows of JSON objects as aligned text, as psql shows them.
//
// The first kSample rows decide the widths; later rows that are wider push their line out. Numbers stand
// right. A row whose columns differ from those before starts a new table, behind an empty line.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "node/answer_row.h"

namespace millrace::cli {

// How many terminal cells a UTF-8 text takes: combining marks none, wide East Asian characters and emoji two.
size_t display_width(std::string_view text);

class Table {
 public:
  static constexpr size_t kSample = 1000;
  explicit Table(std::FILE* out) : out_(out) {}

  // From here on rows are shown as they come; the widths follow the first row.
  void go_live() { live_ = true; }

  void set_columns(std::vector<std::string> names);  // optional: shows the head also when there is no row
  void add(const AnswerRow& row);
  bool fits(const AnswerRow& row) const;  // its columns are the table's
  void finish();                          // prints what waits
  void end();                             // the table is over; the next row begins another
  size_t rows() const { return rows_; }   // of the table that is being shown

 private:
  struct Cell {
    std::string text;
    bool right = false;
  };
  void print_head();
  void print_row(const std::vector<Cell>& cells);
  void print_cell(const Cell& cell, size_t width, bool last);
  void widen(const std::vector<Cell>& cells);
  static Cell cell_of(const AnswerValue& value);

  std::FILE* out_;
  bool live_ = false;
  bool head_printed_ = false;
  size_t tables_ = 0;
  size_t rows_ = 0;
  std::vector<std::string> names_;
  std::vector<size_t> widths_;
  std::vector<std::vector<Cell>> waiting_;
};

}  // namespace millrace::cli
