#include "engine/select_order.h"

#include <algorithm>

#include "engine/program.h"

namespace millrace::engine {
namespace {

constexpr size_t kRunRows = 65'536;

// PostgreSQL's order: NULL is the largest value, unless the key says where NULLs go.
int compare_keys(const SortKey& key, const Column& column, uint32_t a, uint32_t b) {
  const bool a_null = column.type == Type::kNull || column.is_null(a);
  const bool b_null = column.type == Type::kNull || column.is_null(b);
  if (a_null || b_null) {
    if (a_null && b_null) return 0;
    return a_null == key.nulls_first ? -1 : 1;
  }
  const int order = compare_values(column, a, column, b);
  return key.descending ? -order : order;
}

// A sorted run: what is left of it.
struct Run {
  size_t next = 0, end = 0;
};

}  // namespace

bool order_rows(const std::vector<SortKey>& order_by, const std::vector<Column>& keys, size_t needed,
                Selection& rows, const Stop* stop) {
  const auto before = [&](uint32_t a, uint32_t b) {
    for (size_t i = 0; i < order_by.size(); ++i) {
      const int order = compare_keys(order_by[i], keys[i], a, b);
      if (order != 0) return order < 0;
    }
    return a < b;
  };
  StopPoll poll(stop);
  needed = std::min(needed, rows.size());
  std::vector<Run> runs;
  for (size_t at = 0; at < rows.size(); at += kRunRows) {
    if (poll.is_requested()) return false;
    const size_t end = std::min(rows.size(), at + kRunRows);
    // A LIMIT needs only the first rows of each.
    const size_t kept = std::min(end, at + needed);
    const auto place = [&](size_t row) { return rows.begin() + static_cast<std::ptrdiff_t>(row); };
    std::partial_sort(place(at), place(kept), place(end), before);
    runs.push_back({at, kept});
  }
  if (runs.size() > 1) {
    Selection merged;
    merged.reserve(needed);
    const auto later = [&](const Run& a, const Run& b) { return before(rows[b.next], rows[a.next]); };
    std::erase_if(runs, [](const Run& run) { return run.next == run.end; });
    std::make_heap(runs.begin(), runs.end(), later);
    while (merged.size() < needed) {
      if (poll.stopped()) return false;
      std::pop_heap(runs.begin(), runs.end(), later);
      merged.push_back(rows[runs.back().next++]);
      if (runs.back().next == runs.back().end) {
        runs.pop_back();
      } else {
        std::push_heap(runs.begin(), runs.end(), later);
      }
    }
    rows = std::move(merged);
  }
  rows.resize(needed);
  return true;
}

}  // namespace millrace::engine
