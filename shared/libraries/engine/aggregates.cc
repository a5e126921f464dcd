#include "engine/aggregates.h"

#include <algorithm>

namespace millrace::engine {
namespace {

using K = AggregateKind;

std::vector<AggregateFunction> counts_and_sums() {
  return {
      {"count",
       K::kCount,
       Takes::kAnything,
       "count(*), count(any)",
       "The number of rows, or of values that are not NULL",
       {{"count(*)", "4"}, {"count(n)", "3"}, {"count(DISTINCT n)", "2"}}},
      {"sum",
       K::kSum,
       Takes::kNumbers,
       "sum(number)",
       "The sum: a bigint of whole numbers, numeric of numeric, else double precision",
       {{"sum(n)", "5"}, {"sum(x)", "6"}}},
      {"avg",
       K::kAvg,
       Takes::kNumbers,
       "avg(number)",
       "The mean, from the exact sum of whole numbers: numeric of numeric, else double precision",
       {{"avg(x)", "2"}}},
      {"min",
       K::kMin,
       Takes::kOrdered,
       "min(any)",
       "The least value; not of boolean, bytea, uuid, jsonb",
       {{"min(word)", "a"}}},
      {"max",
       K::kMax,
       Takes::kOrdered,
       "max(any)",
       "The greatest value; not of boolean, bytea, uuid, jsonb",
       {{"max(n)", "2"}}},
      {"bool_and",
       K::kMin,
       Takes::kBooleans,
       "bool_and(boolean)",
       "Whether all are true",
       {{"bool_and(ok)", "false"}}},
      {"every",
       K::kMin,
       Takes::kBooleans,
       "every(boolean)",
       "Whether all are true",
       {{"every(n > 0)", "true"}}},
      {"bool_or",
       K::kMax,
       Takes::kBooleans,
       "bool_or(boolean)",
       "Whether one is true",
       {{"bool_or(ok)", "true"}}},
      {"bit_and",
       K::kBitAnd,
       Takes::kIntegers,
       "bit_and(integer)",
       "The bits that all have",
       {{"bit_and(n + 4)", "4"}}},
      {"bit_or",
       K::kBitOr,
       Takes::kIntegers,
       "bit_or(integer)",
       "The bits that one has",
       {{"bit_or(n)", "3"}}},
      {"bit_xor",
       K::kBitXor,
       Takes::kIntegers,
       "bit_xor(integer)",
       "The bits that an odd number of values have",
       {{"bit_xor(n)", "1"}}},
  };
}

std::vector<AggregateFunction> statistics() {
  constexpr std::string_view kSample =
      "The sample variance (divided by the count less one); numeric of whole numbers and numeric; NULL of "
      "one value";
  constexpr std::string_view kDeviation = "The square root of the sample variance";
  return {
      {"variance",
       K::kVarSamp,
       Takes::kNumbers,
       "variance(number)",
       kSample,
       {{"variance(n)", "0.33333333333333333333"}}},
      {"var_samp", K::kVarSamp, Takes::kNumbers, "var_samp(number)", kSample, {{"var_samp(x)", "3.25"}}},
      {"var_pop",
       K::kVarPop,
       Takes::kNumbers,
       "var_pop(number)",
       "The variance of the values (divided by their count)",
       {{"var_pop(n)", "0.22222222222222222222"}}},
      {"stddev",
       K::kStddevSamp,
       Takes::kNumbers,
       "stddev(number)",
       kDeviation,
       {{"stddev(n)", "0.57735026918962576451"}}},
      {"stddev_samp",
       K::kStddevSamp,
       Takes::kNumbers,
       "stddev_samp(number)",
       kDeviation,
       {{"stddev_samp(n * 3)", "1.7320508075688773"}}},
      {"stddev_pop",
       K::kStddevPop,
       Takes::kNumbers,
       "stddev_pop(number)",
       "The square root of var_pop",
       {{"stddev_pop(n)", "0.47140452079103168293"}}},
  };
}

std::vector<AggregateFunction> choices() {
  return {
      {"any_value",
       K::kAnyValue,
       Takes::kAnything,
       "any_value(any)",
       "One of the values: the least as it is kept, so that the answer depends on no order",
       {{"any_value(ok)", "false"}}},
      {"first_value",
       K::kFirst,
       Takes::kAnything,
       "first_value(any [ORDER BY …])",
       "The first value that is not NULL",
       {{"first_value(word)", "a"}, {"first_value(word ORDER BY x DESC)", "c"}}},
      {"last_value",
       K::kLast,
       Takes::kAnything,
       "last_value(any [ORDER BY …])",
       "The last value that is not NULL",
       {{"last_value(word)", "b"}, {"last_value(word ORDER BY word)", "c"}}},
  };
}

}  // namespace

const std::vector<AggregateFunction>& aggregate_table() {
  static const std::vector<AggregateFunction> table = [] {
    std::vector<AggregateFunction> all;
    for (const auto family : {counts_and_sums, statistics, choices}) {
      for (AggregateFunction& function : family()) all.push_back(std::move(function));
    }
    return all;
  }();
  return table;
}

const AggregateFunction* find_aggregate(std::string_view name) {
  const auto& table = aggregate_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& f) { return f.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string_view aggregate_name(const AggregateCall& call) {
  if (call.kind == K::kCountStar) return "count";
  const bool booleans = call.type == Type::kBoolean;
  for (const AggregateFunction& function : aggregate_table()) {
    const bool of_booleans = function.takes == Takes::kBooleans;
    if (function.kind == call.kind && (function.takes == Takes::kAnything || of_booleans == booleans))
      return function.name;
  }
  return "?";
}

bool is_ordered(AggregateKind kind) {
  return kind == K::kFirst || kind == K::kLast;
}

bool is_variance(AggregateKind kind) {
  return kind >= K::kVarSamp && kind <= K::kStddevPop;
}

}  // namespace millrace::engine
