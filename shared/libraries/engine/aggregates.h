// The aggregate table: what SQL can call over groups. An aggregate is one row: name, kind, what it takes, one
// sentence, examples.
//
// Why:        the binder, its hints, EXPLAIN, docs/sql/functions.md and the tests all come from here.
// Examples:   are evaluated over the four rows of kSampleRows.
// To add one: an AggregateKind, what it keeps (accumulator.h), and a line here.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/functions.h"
#include "engine/plan.h"

namespace millrace::engine {

// Of an aggregate's first argument.
enum class Takes : uint8_t { kAnything, kOrdered, kNumbers, kIntegers, kBooleans, kTexts };

struct AggregateFunction {
  std::string_view name;
  AggregateKind kind;
  Takes takes;
  std::string_view form;     // how it is written
  std::string_view meaning;  // one sentence for the reference, without its full stop
  std::vector<Example> examples;
  size_t least_arguments = 1;
  size_t most_arguments = 1;
  bool within_group = false;  // written with WITHIN GROUP (ORDER BY x, …): x, … are the first arguments
};

// Families in files of their own.
std::vector<AggregateFunction> aggregates_of_pairs();
std::vector<AggregateFunction> aggregates_of_order();

const std::vector<AggregateFunction>& aggregate_table();
const AggregateFunction* find_aggregate(std::string_view name);
std::string_view aggregate_name(const AggregateCall& call);

bool gathers(AggregateKind kind);  // keeps all values of a group
// Their answer depends on the order of the rows: ORDER BY inside of them counts.
bool is_ordered(AggregateKind kind);
bool is_variance(AggregateKind kind);  // or a standard deviation
bool is_of_pairs(AggregateKind kind);  // corr, covar_…, regr_…
bool is_of_order(
    AggregateKind kind);  // needs all values of a group, in order: percentile_cont, percentile_disc, mode
bool is_rank(AggregateKind kind);  // where constants would stand: rank, dense_rank, percent_rank, cume_dist

// The columns n (bigint), x (double precision), word (text), ok (boolean), at (timestamptz) of the examples' rows, as
// JSON. The watermark's column is `at`.
inline constexpr std::string_view kSampleRows =
    R"({"n": 1, "x": 0.5, "word": "b", "ok": true, "at": "2001-01-01T00:00:03Z"}
{"n": 2, "x": 1.5, "word": "a", "ok": false, "at": "2001-01-01T00:00:01Z"}
{"n": 2, "x": 4, "word": "c", "ok": true, "at": "2001-01-01T00:00:02Z"}
{"n": null, "x": null, "word": null, "ok": null, "at": "2001-01-01T00:00:04Z"})";

}  // namespace millrace::engine
