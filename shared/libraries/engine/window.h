// WindowSpec: how rows are put into windows of time, and the panes that windows share.
//
// Panes:     every window is made of whole panes, and a row belongs to one pane. Only panes are kept; a window
//            is combined from them when it is read. TUMBLE: the window is its pane. HOP: gcd(slide, size).
//            CUMULATE: the step.
// Late rows: a row counts in those of its windows that have not ended by the watermark that it met. With several
//            windows in a pane, the pane's rows are kept by the first window that takes them (its "part": 0 for
//            all that came in time), so that a window that has ended never changes.
// SESSION:   a session is a chain of a group's rows, each less than the gap (size_us) behind the one before. Rows of
//            one pane of the gap's width belong together, so panes keep their first and last time, and chains of
//            panes are put together at the read (session_read.cc). A row is late behind the watermark itself: then
//            no row comes to a session that has ended.
// Order:     the windows of one pane are numbered by their ends.
// Bound:     kMaxPanes panes a window (the binder refuses more).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace millrace::engine {

inline constexpr int64_t kMaxPanes = 1'440;  // a day of minutes

struct Window {
  int64_t start = 0;
  int64_t end = 0;
  friend auto operator<=>(const Window&, const Window&) = default;
};

// SESSION: of a group's rows in a pane.
struct SessionTimes {
  int64_t first = 0;
  int64_t last = 0;
};

// Windows at equal distances, ascending.
struct WindowRun {
  Window first;
  int64_t start_step = 0;
  int64_t end_step = 0;
  size_t count = 0;

  Window at(size_t i) const {
    const auto n = static_cast<int64_t>(i);
    return {first.start + n * start_step, first.end + n * end_step};
  }
  // How many of them have ended by the watermark.
  size_t ended(int64_t watermark_us) const;
};

struct WindowSpec {
  enum class Kind : uint8_t { kTumble, kHop, kCumulate, kSession };
  Kind kind = Kind::kTumble;
  int64_t size_us = 0;  // SESSION: the gap
  int64_t step_us = 0;  // HOP: the slide; CUMULATE: the step
  int64_t offset_us = 0;

  bool made_of_panes() const { return kind != Kind::kTumble; }
  // A pane is in many windows.
  bool shares_panes() const { return kind == Kind::kHop || kind == Kind::kCumulate; }
  bool is_session() const { return kind == Kind::kSession; }
  int64_t pane_us() const;
  int64_t pane_of(int64_t time_us) const;  // the start of the pane that holds the time
  // The end of the last window that the time is in; SESSION: the first watermark
  // behind the time.
  int64_t last_end(int64_t time_us) const;
  // A number that grows where some window's end is passed, and only there.
  int64_t ends_until(int64_t watermark_us) const;
  int64_t between_ends_us() const { return kind == Kind::kTumble ? size_us : step_us; }
  // The last end of a window at or before the time.
  int64_t ended_by(int64_t time_us) const;
  // The least end, and the least start (not of SESSION), of a window that ends behind the watermark. SESSION: moves
  // by whole panes, so that it need not be told with every row.
  int64_t least_end_after(int64_t watermark_us) const;
  int64_t least_start_after(int64_t watermark_us) const;
  // How many windows a pane is in, at most.
  size_t most_windows() const { return shares_panes() ? static_cast<size_t>(size_us / step_us) + 1 : 1; }
  // The windows that hold the pane (no session: those depend on rows); those that do not lie in the range of
  // timestamps are none.
  WindowRun windows_of(int64_t pane_us) const;
};

}  // namespace millrace::engine
