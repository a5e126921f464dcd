// Sketches: aggregates whose state is a text of bytes that two of make one. Private to engine/.
//
// Why:    panes, partial groups and rows are put together in whatever order they come.
// Order:  merge() gives the same bytes in any order, but for moments: those go by partition, and within one by its
//         rows' order.
// Bound:  a state has at most kMaxSketchBytes (moments: 26 a partition, of pairs 50).
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "engine/plan.h"

namespace millrace::engine {

inline constexpr size_t kMaxSketchBytes = 48 * 1024;

class Sketch {
 public:
  virtual ~Sketch() = default;
  // The state of one value that is not NULL, appended.
  virtual void of_row(std::string& out, const Column& values, size_t row, PartitionId partition) const = 0;
  // An empty state is that of no value. False: `more` adds nothing, or is no state.
  virtual bool merge(std::string& state, std::string_view more) const = 0;
  // The answer, appended to `out`; of no value NULL.
  virtual void finish(std::string_view state, Column& out) const = 0;
};

// Null: the aggregate keeps none.
std::shared_ptr<const Sketch> sketch_of(const AggregateCall& call);

// Count, sum and squared differences of doubles (moments.cc).
std::shared_ptr<const Sketch> moments(AggregateKind kind);
std::shared_ptr<const Sketch> pair_moments(AggregateKind kind);  // pair_moments.cc
std::shared_ptr<const Sketch> hyperloglog();
std::shared_ptr<const Sketch> percentile_sketch(double fraction);

// In entries of one size, ascending: the first for which it is true; `count`: for none.
size_t first_place(size_t count, const auto& is_true) {
  size_t from = 0;
  for (size_t to = count; from < to;) {
    const size_t middle = from + (to - from) / 2;
    if (is_true(middle))
      to = middle;
    else
      from = middle + 1;
  }
  return from;
}

inline void append_answer(Column& out, double value) {
  if (!out.valid.empty()) out.valid.push_back(1);
  out.doubles.push_back(value);
}

}  // namespace millrace::engine
