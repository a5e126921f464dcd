// CountWindow: windows of a group's rows, which are numbered 1, 2, … as they come, and the panes that windows share.
//
// Windows: one ends with each slide-th row and holds the last `size` rows up to there; the first ones hold what there
//          is. A window is named by its end, the number of its last row. TUMBLE: the slide is the size.
// Panes:   of gcd(slide, size) rows; a row belongs to one pane, and every window is made of whole panes. A pane is
//          named by its end, too.
// Bound:   kMaxPanes panes a window, kMaxWindowRows rows (the binder refuses more).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace millrace::engine {

inline constexpr int64_t kMaxWindowRows = 1'000'000'000;

struct CountWindow {
  int64_t size = 0;  // 0: no window of rows
  int64_t slide = 0;

  bool any() const { return size > 0; }
  bool shares_panes() const { return slide < size; }
  int64_t pane_rows() const { return std::gcd(slide, size); }
  int64_t pane_of(int64_t row) const { return up(row, pane_rows()); }
  // The first and the last of the windows that hold the pane.
  int64_t first_end(int64_t pane) const { return up(pane, slide); }
  int64_t last_end(int64_t pane) const { return (pane - pane_rows() + size) / slide * slide; }
  // The first pane of the window.
  int64_t first_pane(int64_t end) const { return std::max<int64_t>(0, end - size) + pane_rows(); }
  // The last window that had closed when there were so many rows; 0: none.
  int64_t closed_by(int64_t rows) const { return rows / slide * slide; }
  // How many windows a pane is in, at most.
  size_t most_windows() const { return any() ? static_cast<size_t>((size + slide - 1) / slide) : 1; }

 private:
  static int64_t up(int64_t row, int64_t step) { return (row + step - 1) / step * step; }
};

}  // namespace millrace::engine
