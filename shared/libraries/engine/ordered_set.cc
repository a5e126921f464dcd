#include "engine/ordered_set.h"

#include <algorithm>
#include <cmath>

#include "engine/aggregate.h"
#include "engine/aggregates.h"
#include "engine/internal/accumulator_values.h"
#include "engine/value_codec.h"
#include "event/array.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using Values = std::vector<CountedValue>;

void append_value(std::string_view key, Column& out, Arena& arena) {
  const Status known = decode_key(key, out.type, out, arena);
  CHECK(known.ok(), "a value that was kept is of its aggregate's type");
}

// Of the rows in order, from 0.
std::string_view value_at(const Values& values, int64_t row) {
  for (const CountedValue& counted : values) {
    if (row < counted.rows) return counted.value;
    row -= counted.rows;
  }
  return values.back().value;
}

double double_at(const Values& values, int64_t row, Arena& arena) {
  Column one;
  one.type = Type::kDouble;
  append_value(value_at(values, row), one, arena);
  return one.doubles[0];
}

// Between two rows by as much as the fraction is between their places.
double percentile(const Values& values, int64_t rows, double fraction, Arena& arena) {
  const double place = fraction * static_cast<double>(rows - 1);
  const auto first = static_cast<int64_t>(std::floor(place));
  const auto second = static_cast<int64_t>(std::ceil(place));
  const double low = double_at(values, first, arena);
  if (first == second) return low;
  return low + (place - static_cast<double>(first)) * (double_at(values, second, arena) - low);
}

Interval interval_at(const Values& values, int64_t row, Arena& arena) {
  Column one;
  one.type = Type::kInterval;
  append_value(value_at(values, row), one, arena);
  return one.intervals[0];
}

Interval percentile_of_intervals(const Values& values, int64_t rows, double fraction, Arena& arena) {
  const double place = fraction * static_cast<double>(rows - 1);
  const auto first = static_cast<int64_t>(std::floor(place));
  const auto second = static_cast<int64_t>(std::ceil(place));
  const __int128 low = total_micros(interval_at(values, first, arena));
  const __int128 high = total_micros(interval_at(values, second, arena));
  const double part = (place - static_cast<double>(first)) * static_cast<double>(high - low);
  return interval_of(low + static_cast<__int128>(std::round(part)));
}

// Of one fraction.
void append_percentile(AggregateKind kind, double fraction, const Values& values, int64_t rows, Column& out,
                       Arena& arena) {
  if (kind == AggregateKind::kPercentileDisc) {
    const auto place = static_cast<int64_t>(std::ceil(fraction * static_cast<double>(rows)));
    return append_value(value_at(values, std::max<int64_t>(place, 1) - 1), out, arena);
  }
  if (!out.valid.empty()) out.valid.push_back(1);
  if (out.type == Type::kInterval)
    out.intervals.push_back(percentile_of_intervals(values, rows, fraction, arena));
  else
    out.doubles.push_back(percentile(values, rows, fraction, arena));
}

}  // namespace

void append_ordered_set(const AggregateCall& call, Values& values, Column& out, Arena& arena) {
  int64_t rows = 0;
  for (const CountedValue& counted : values) rows = add_counts(rows, counted.rows);
  if (values.empty() || rows <= 0) return out.append_null();
  if (call.descending) std::ranges::reverse(values);
  if (call.kind == AggregateKind::kMode)
    return append_value(std::ranges::max_element(values, {}, &CountedValue::rows)->value, out, arena);
  if (const auto* fraction = std::get_if<double>(&call.parameter->literal))
    return append_percentile(call.kind, *fraction, values, rows, out, arena);
  Column fractions;
  fractions.type = Type::kDouble;
  append_elements(std::get<std::string>(call.parameter->literal), fractions, arena);
  const Type element = element_of(call.type);
  ArrayMaker answers(element);
  for (size_t i = 0; i < fractions.doubles.size(); ++i) {
    Column one;
    one.type = element;
    if (!fractions.is_null(i)) append_percentile(call.kind, fractions.doubles[i], values, rows, one, arena);
    answers.add(fractions.is_null(i) ? Scalar() : one.scalar(0));
  }
  if (!out.valid.empty()) out.valid.push_back(1);
  out.texts.push_back(arena.keep(answers.bytes()));
}

std::vector<AggregateFunction> aggregates_of_order() {
  using K = AggregateKind;
  return {
      {"percentile_cont",
       K::kPercentileCont,
       Takes::kAnything,
       "percentile_cont(fraction) WITHIN GROUP (ORDER BY number [DESC]), percentile_cont(fraction) WITHIN "
       "GROUP (ORDER BY interval [DESC])",
       "The value that a constant fraction of all is not above, between two values where it lies between "
       "them; a double precision, or an interval. An array of fractions has an array of answers",
       {{"percentile_cont(0.5) WITHIN GROUP (ORDER BY x)", "1.5"},
        {"percentile_cont(0.25) WITHIN GROUP (ORDER BY n DESC)", "2"},
        {"percentile_cont(ARRAY[0, 0.25, 1]) WITHIN GROUP (ORDER BY n)", "{1,1.5,2}"},
        {"percentile_cont(0.5) WITHIN GROUP (ORDER BY x * INTERVAL '1 hour')", "01:30:00"}},
       2,
       2,
       true},
      {"percentile_disc",
       K::kPercentileDisc,
       Takes::kAnything,
       "percentile_disc(fraction) WITHIN GROUP (ORDER BY any [DESC])",
       "The first value that at least the constant fraction of all is not above (below, with DESC); of an "
       "array of "
       "fractions an array",
       {{"percentile_disc(0.5) WITHIN GROUP (ORDER BY word)", "b"},
        {"percentile_disc(ARRAY[0.3, 1]) WITHIN GROUP (ORDER BY word DESC)", "{c,a}"}},
       2,
       2,
       true},
      {"mode",
       K::kMode,
       Takes::kAnything,
       "mode() WITHIN GROUP (ORDER BY any [DESC])",
       "The value that most rows have; the least of several, the greatest with DESC",
       {{"mode() WITHIN GROUP (ORDER BY n)", "2"}, {"mode() WITHIN GROUP (ORDER BY word)", "a"}},
       1,
       1,
       true},
      {"rank",
       K::kRank,
       Takes::kAnything,
       "rank(constant, …) WITHIN GROUP (ORDER BY any [DESC], …)",
       "Where a row of the constants, one a key, would stand among the rows: one more than there are before "
       "it",
       {{"rank(2) WITHIN GROUP (ORDER BY n)", "2"},
        {"rank('b', 0) WITHIN GROUP (ORDER BY word, x DESC)", "3"}},
       2,
       2,
       true},
      {"dense_rank",
       K::kDenseRank,
       Takes::kAnything,
       "dense_rank(constant, …) WITHIN GROUP (ORDER BY any [DESC], …)",
       "The same of the different rows: one more than there are before it",
       {{"dense_rank(3) WITHIN GROUP (ORDER BY n)", "3"}},
       2,
       2,
       true},
      {"percent_rank",
       K::kPercentRank,
       Takes::kAnything,
       "percent_rank(constant, …) WITHIN GROUP (ORDER BY any [DESC], …)",
       "How much of the rows are before a row of the constants, from 0 to 1",
       {{"percent_rank(2) WITHIN GROUP (ORDER BY n)", "0.25"}},
       2,
       2,
       true},
      {"cume_dist",
       K::kCumeDist,
       Takes::kAnything,
       "cume_dist(constant, …) WITHIN GROUP (ORDER BY any [DESC], …)",
       "How much of the rows are before a row of the constants or like it, itself counted in, to 1",
       {{"cume_dist(2) WITHIN GROUP (ORDER BY n)", "0.8"}},
       2,
       2,
       true},
  };
}

}  // namespace millrace::engine
