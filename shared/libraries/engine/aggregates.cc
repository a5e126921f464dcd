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
       "sum(number), sum(interval)",
       "The sum: a bigint of whole numbers, numeric of numeric, interval of interval, else double precision",
       {{"sum(n)", "5"}, {"sum(x)", "6"}, {"sum(n * INTERVAL '1 day 1 hour')", "5 days 05:00:00"}}},
      {"avg",
       K::kAvg,
       Takes::kNumbers,
       "avg(number), avg(interval)",
       "The mean: numeric, from the exact sum, of whole numbers and numeric, interval of interval, else "
       "double precision",
       {{"avg(x)", "2"}, {"avg(n)", "1.6666666666666667"}, {"avg(x * INTERVAL '1 hour')", "02:00:00"}}},
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

std::vector<AggregateFunction> approximations() {
  return {
      {"approx_count_distinct",
       K::kApproxCountDistinct,
       Takes::kAnything,
       "approx_count_distinct(any)",
       "How many different values there are: exactly up to 512, beyond that with an error of about 1.6 % "
       "(HyperLogLog); 4 KB a group",
       {{"approx_count_distinct(n)", "2"}}},
      {"approx_percentile",
       K::kApproxPercentile,
       Takes::kNumbers,
       "approx_percentile(number, fraction)",
       "The value that a constant fraction of all is not above, within 1 % of the value (DDSketch, over 64 "
       "powers "
       "of two); a double precision",
       {{"approx_percentile(x, 0.5)", "1.5078125"}, {"approx_percentile(n, 1)", "2.015625"}},
       2,
       2},
  };
}

std::vector<AggregateFunction> lists() {
  return {
      {"string_agg",
       K::kStringAgg,
       Takes::kTexts,
       "string_agg(text, 'separator' [ORDER BY …]), string_agg(bytea, 'separator' [ORDER BY …])",
       "The texts one behind the other, the constant separator between them",
       {{"string_agg(word, ', ')", "a, c, b"},
        {"string_agg(DISTINCT word, '-' ORDER BY word DESC)", "c-b-a"}},
       2,
       2},
      {"listagg",
       K::kStringAgg,
       Takes::kTexts,
       "listagg(text [, 'separator'] [ORDER BY …])",
       "As in Flink: string_agg, with a comma if no separator is given",
       {{"listagg(word)", "a,c,b"}},
       1,
       2},
      {"array_agg",
       K::kArrayAgg,
       Takes::kAnything,
       "array_agg(any [ORDER BY …])",
       "An array of the values, NULLs included; not of arrays",
       {{"array_agg(n)", "{2,2,1,NULL}"}, {"array_agg(DISTINCT word ORDER BY word DESC)", "{NULL,c,b,a}"}}},
      {"jsonb_agg",
       K::kJsonbAgg,
       Takes::kAnything,
       "jsonb_agg(any [ORDER BY …])",
       "An array of the values as JSON, NULLs included",
       {{"jsonb_agg(n)", "[2, 2, 1, null]"}}},
      {"jsonb_object_agg",
       K::kJsonbObjectAgg,
       Takes::kAnything,
       "jsonb_object_agg(name, any [ORDER BY …])",
       "An object of names and values; of a name that comes twice the last one counts; a name that is NULL "
       "fails",
       {{"jsonb_object_agg(word, n) FILTER (WHERE ok)", R"({"b": 1, "c": 2})"}},
       2,
       2},
  };
}

}  // namespace

const std::vector<AggregateFunction>& aggregate_table() {
  static const std::vector<AggregateFunction> table = [] {
    std::vector<AggregateFunction> all;
    for (const auto family : {counts_and_sums, statistics, aggregates_of_pairs, aggregates_of_order, choices,
                              approximations, lists}) {
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

bool gathers(AggregateKind kind) {
  return kind == K::kStringAgg || kind == K::kArrayAgg || kind == K::kJsonbAgg || kind == K::kJsonbObjectAgg;
}

bool is_ordered(AggregateKind kind) {
  return kind == K::kFirst || kind == K::kLast || gathers(kind);
}

bool is_variance(AggregateKind kind) {
  return kind >= K::kVarSamp && kind <= K::kStddevPop;
}

bool is_of_pairs(AggregateKind kind) {
  return kind >= K::kCorr && kind <= K::kRegrCount;
}

bool is_of_order(AggregateKind kind) {
  return kind >= K::kPercentileCont && kind <= K::kMode;
}

bool is_rank(AggregateKind kind) {
  return kind >= K::kRank && kind <= K::kCumeDist;
}

}  // namespace millrace::engine
