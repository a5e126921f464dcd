#include "tests/sim/naive_aggregate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/sim/naive_list.h"
#include "tests/sim/naive_numeric.h"

namespace millrace::sim {
namespace {

using sql::ast::Expr;

int compare_keys(const Scalar& a, const Scalar& b, const Expr::Order& order) {
  const bool nulls_first = order.nulls_first.value_or(order.descending);
  if (is_null(a) && is_null(b)) return 0;
  if (is_null(a) || is_null(b)) return is_null(a) == nulls_first ? -1 : 1;
  const int compared = naive_compare(a, b);
  return order.descending ? -compared : compared;
}

void sort_values(const Expr& call, std::vector<NaiveValue>& values) {
  const auto comes_before = [&](const NaiveValue& a, const NaiveValue& b) {
    for (size_t i = 0; i < call.order_by.size(); ++i) {
      const int order = compare_keys(a.input.order[i], b.input.order[i], call.order_by[i]);
      if (order != 0) return order < 0;
    }
    if (call.distinct && call.order_by.empty()) return compare_keys(a.input.value, b.input.value, {}) < 0;
    for (size_t i = 0; i < a.origin.order.size(); ++i) {
      const int order = naive_compare(a.origin.order[i], b.origin.order[i]);
      if (order != 0) return order < 0;
    }
    return false;
  };
  std::sort(values.begin(), values.end(), comes_before);
}

void leave_one_of_each(std::vector<NaiveValue>& values) {
  std::set<std::string> seen;
  std::erase_if(values, [&](const NaiveValue& v) { return !seen.insert(to_line({v.input.value})).second; });
}

Scalar gathered(const Expr& call, const std::vector<NaiveValue>& values) {
  if (call.text == "array_agg" || call.text == "jsonb_agg") {
    auto array = nlohmann::json::array();
    for (const auto& v : values) array.push_back(json_of(v.input.value));
    return call.text == "array_agg" ? list_scalar(array) : Scalar(array.dump());
  }
  if (call.text == "jsonb_object_agg") {
    auto object = nlohmann::json::object();
    for (const auto& v : values) {
      const auto member = list_of(v.input.value);
      object[member[0].get<std::string>()] = member[1];
    }
    return Scalar(object.dump());
  }
  std::string list;
  for (size_t i = 0; i < values.size(); ++i)
    list += (i == 0 ? "" : call.args[1]->text) + std::get<std::string>(values[i].input.value);
  return Scalar(std::move(list));
}

// Partition by partition, and in each pane by pane.
double sum_of_doubles(const std::vector<NaiveValue>& values) {
  std::map<uint16_t, std::map<NaivePart, double>> sums;
  for (const auto& v : values) sums[v.origin.partition.value][v.part] += std::get<double>(v.input.value);
  double sum = 0;
  for (const auto& [partition, parts] : sums) {
    double of_partition = 0;
    for (const auto& [pane, part] : parts) of_partition += part;
    sum += of_partition;
  }
  return sum;
}

NaiveNumeric exact_sum(const std::vector<NaiveValue>& values) {
  NaiveNumeric sum;
  for (const auto& v : values) sum = sum + numeric_of(v.input.value);
  return sum;
}

bool are_doubles(const std::vector<NaiveValue>& values) {
  return std::holds_alternative<double>(values.front().input.value);
}

Scalar sum_of(const std::vector<NaiveValue>& values) {
  if (are_doubles(values)) return Scalar(sum_of_doubles(values));
  const NaiveNumeric sum = exact_sum(values);
  if (is_numeric(values.front().input.value)) return numeric_scalar(sum);
  return Scalar(static_cast<int64_t>(sum.units));
}

Scalar mean_of(const std::vector<NaiveValue>& values) {
  const auto count = static_cast<int64_t>(values.size());
  if (are_doubles(values)) return Scalar(sum_of_doubles(values) / static_cast<double>(count));
  return numeric_scalar(naive_quotient(exact_sum(values), {count, 0}));
}

// Doubles in two passes: the last digits are not the node's.
Scalar spread_of_doubles(const std::vector<NaiveValue>& values, int64_t divisor, bool root) {
  double sum = 0;
  for (const auto& v : values) sum += std::get<double>(v.input.value);
  const double mean = sum / static_cast<double>(values.size());
  double squares = 0;
  for (const auto& v : values) squares += std::pow(std::get<double>(v.input.value) - mean, 2);
  const double variance = squares / static_cast<double>(divisor);
  return Scalar(root ? std::sqrt(variance) : variance);
}

Scalar spread_of(const Expr& call, const std::vector<NaiveValue>& values) {
  const auto count = static_cast<int64_t>(values.size());
  const int64_t divisor = call.text.ends_with("_pop") ? count : count - 1;
  const bool root = call.text.starts_with("stddev");
  if (divisor == 0) return Scalar();
  if (are_doubles(values)) return spread_of_doubles(values, divisor, root);
  NaiveNumeric squares;
  for (const auto& v : values) squares = squares + numeric_of(v.input.value) * numeric_of(v.input.value);
  const NaiveNumeric sum = exact_sum(values);
  const NaiveNumeric spread = NaiveNumeric{count, 0} * squares - sum * sum;
  const NaiveNumeric by = NaiveNumeric{count, 0} * NaiveNumeric{divisor, 0};
  return numeric_scalar(root ? naive_root(spread, by) : naive_quotient(spread, by));
}

Scalar bits_of(const Expr& call, const std::vector<NaiveValue>& values) {
  int64_t bits = std::get<int64_t>(values.front().input.value);
  for (size_t i = 1; i < values.size(); ++i) {
    const int64_t value = std::get<int64_t>(values[i].input.value);
    if (call.text == "bit_and") bits &= value;
    if (call.text == "bit_or") bits |= value;
    if (call.text == "bit_xor") bits ^= value;
  }
  return Scalar(bits);
}

Scalar extreme_of(const std::vector<NaiveValue>& values, int sign) {
  Scalar best = values.front().input.value;
  for (const auto& v : values) {
    if (naive_compare(v.input.value, best) * sign > 0) best = v.input.value;
  }
  return best;
}

}  // namespace

NaiveOutcome naive_input(const Expr& call, const RowContext& context, bool null_on_error) {
  size_t arguments = call.args.size() - call.order_by.size();
  const auto evaluate = [&](const Expr& expr) {
    auto value = naive_evaluate(expr, context);
    return value.ok() || !null_on_error ? std::move(value) : Result<Scalar>(Scalar());
  };
  if (call.has_filter) {
    --arguments;
    TRY_ASSIGN(const Scalar passes, evaluate(*call.args.back()));
    if (is_null(passes) || !std::get<bool>(passes)) return std::optional<NaiveInput>();
  }
  NaiveInput input{Scalar(true), {}};
  if (!call.star) {
    TRY_ASSIGN(input.value, evaluate(*call.args[0]));
  }
  if (call.text == "jsonb_object_agg") {
    const bool named = !is_null(input.value);
    if (!named && !null_on_error) return error(Code::kInvalid, "MR-NAIVE-0001", "a name is NULL");
    if (!named) return std::optional<NaiveInput>();
    TRY_ASSIGN(const Scalar value, evaluate(*call.args[1]));
    input.value = list_scalar(nlohmann::json::array({json_of(input.value), json_of(value)}));
  }
  for (size_t i = 0; i < call.order_by.size(); ++i) {
    TRY_ASSIGN(Scalar key, evaluate(*call.args[arguments + i]));
    input.order.push_back(std::move(key));
  }
  const bool takes_nulls = call.text == "array_agg" || call.text == "jsonb_agg";
  if (is_null(input.value) && !takes_nulls) return std::optional<NaiveInput>();
  return std::optional<NaiveInput>(std::move(input));
}

Scalar naive_aggregate(const Expr& call, std::vector<NaiveValue> values) {
  const std::string& name = call.text;
  // Sets of a few values: the sketch is exact.
  if (call.distinct || name == "approx_count_distinct") leave_one_of_each(values);
  if (name == "count" || name == "approx_count_distinct") return Scalar(static_cast<int64_t>(values.size()));
  if (values.empty()) return Scalar();
  if (name == "sum") return sum_of(values);
  if (name == "avg") return mean_of(values);
  if (name.starts_with("var") || name.starts_with("stddev")) return spread_of(call, values);
  if (name.starts_with("bit_")) return bits_of(call, values);
  if (name == "min" || name == "any_value" || name == "bool_and") return extreme_of(values, -1);
  if (name == "max" || name == "bool_or") return extreme_of(values, 1);
  sort_values(call, values);
  if (name == "first_value") return values.front().input.value;
  if (name == "last_value") return values.back().input.value;
  return gathered(call, values);
}

}  // namespace millrace::sim
