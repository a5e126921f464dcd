#include "engine/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace millrace::engine {
namespace {

Column doubles(const std::vector<double>& values) {
  Column column;
  column.type = Type::kDouble;
  column.doubles = values;
  return column;
}

std::string state_of(const Sketch& sketch, const Column& column, const std::vector<size_t>& rows) {
  std::string state;
  for (const size_t row : rows) {
    std::string one;
    sketch.of_row(one, column, row, PartitionId(0));
    sketch.merge(state, one);
  }
  return state;
}

std::vector<size_t> numbers(size_t from, size_t to) {
  std::vector<size_t> out;
  for (; from < to; ++from) out.push_back(from);
  return out;
}

int64_t count_of(const Sketch& sketch, std::string_view state) {
  Column out;
  out.type = Type::kBigint;
  sketch.finish(state, out);
  return out.integers.at(0);
}

double value_of(const Sketch& sketch, std::string_view state) {
  Column out = doubles({});
  sketch.finish(state, out);
  return out.doubles.at(0);
}

// The same bytes in any order, whether the rows come one by one or in parts.
void expect_no_order(const Sketch& sketch, const Column& column, size_t rows) {
  std::vector<size_t> all = numbers(0, rows);
  const std::string state = state_of(sketch, column, all);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(state_of(sketch, column, all), state);
  std::string parts;
  for (size_t from = 0; from < rows; from += 700)
    sketch.merge(parts, state_of(sketch, column, numbers(from, std::min(from + 900, rows))));
  std::string again = state_of(sketch, column, numbers(0, rows / 2));
  sketch.merge(again, state_of(sketch, column, numbers(rows / 2, rows)));
  EXPECT_EQ(again, state);
}

TEST(HyperLogLog, CountsAFewExactlyAndManyAbout) {
  const auto sketch = hyperloglog();
  Column values;
  values.type = Type::kBigint;
  for (int64_t i = 0; i < 200'000; ++i) values.integers.push_back(i * 7919 % 100'000);
  EXPECT_EQ(count_of(*sketch, ""), 0);
  EXPECT_EQ(count_of(*sketch, state_of(*sketch, values, {5, 5, 5})), 1);
  EXPECT_EQ(count_of(*sketch, state_of(*sketch, values, numbers(0, 512))), 512);
  for (const size_t n : {513u, 1'000u, 3'000u, 10'000u, 30'000u, 100'000u, 200'000u}) {
    const auto expected = static_cast<double>(std::min<size_t>(n, 100'000));
    EXPECT_NEAR(static_cast<double>(count_of(*sketch, state_of(*sketch, values, numbers(0, n)))), expected,
                expected * 0.05)
        << n;
  }
  expect_no_order(*sketch, values, 3'000);
}

// The typical error over many sets is the paper's.
TEST(HyperLogLog, ErrsByAboutOneAndAHalfPercent) {
  const auto sketch = hyperloglog();
  double squares = 0;
  constexpr int kSets = 60;
  Random random(7);
  for (int set = 0; set < kSets; ++set) {
    Column values;
    values.type = Type::kBigint;
    for (int i = 0; i < 20'000; ++i) values.integers.push_back(static_cast<int64_t>(random.next()));
    const auto found = static_cast<double>(count_of(*sketch, state_of(*sketch, values, numbers(0, 20'000))));
    squares += std::pow(found / 20'000 - 1, 2);
  }
  EXPECT_LT(std::sqrt(squares / kSets), 0.022);
}

TEST(HyperLogLog, RefusesWhatIsNoState) {
  const auto sketch = hyperloglog();
  for (const std::string& bytes : {std::string(), std::string("\1abc"), std::string("\3"),
                                   std::string(5'000, '\1'), "\2" + std::string(4'095, '\0'),
                                   "\2" + std::string(4'096, '\x7f'), "\2" + std::string(4'096, '\xff')}) {
    std::string state;
    EXPECT_FALSE(sketch->merge(state, bytes)) << bytes.size();
    EXPECT_TRUE(state.empty());
  }
}

TEST(PercentileSketch, IsWithinOnePercent) {
  Random random(3);
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i)
    values.push_back(std::exp(random.unit() * 12 - 4) * (random.chance(4) ? -1 : 1));
  const Column column = doubles(values);
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  for (const double fraction : {0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0}) {
    const auto sketch = percentile_sketch(fraction);
    const auto rank = static_cast<size_t>(std::max(std::ceil(fraction * 20'000), 1.0));
    const double exact = sorted[rank - 1];
    EXPECT_NEAR(value_of(*sketch, state_of(*sketch, column, numbers(0, values.size()))), exact,
                std::abs(exact) * 0.01);
  }
  expect_no_order(*percentile_sketch(0.5), column, 5'000);
}

TEST(PercentileSketch, KeepsTheGreatestBucketsInAnyOrder) {
  Random random(4);
  std::vector<double> values;
  for (int i = 0; i < 12'000; ++i) values.push_back(std::exp2(random.unit() * 200 - 100));
  const Column column = doubles(values);
  const auto sketch = percentile_sketch(0.99);
  const std::string state = state_of(*sketch, column, numbers(0, values.size()));
  EXPECT_LE(state.size(), kMaxSketchBytes);
  std::sort(values.begin(), values.end());
  EXPECT_NEAR(value_of(*sketch, state), values[11'879], values[11'879] * 0.01);
  expect_no_order(*sketch, column, 12'000);
}

TEST(PercentileSketch, TakesEveryDouble) {
  const auto sketch = percentile_sketch(0.5);
  for (const double value :
       std::vector<double>{0.0, -0.0, 5e-324, -5e-324, INFINITY, -INFINITY, 1.7976931348623157e308}) {
    const double found = value_of(*sketch, state_of(*sketch, doubles({value}), {0}));
    if (std::isinf(value) || std::abs(value) < 1e-300)
      EXPECT_EQ(found, std::abs(value) < 1e-300 ? 0 : value);
    else
      EXPECT_NEAR(found / value, 1, 0.01);
  }
  EXPECT_TRUE(std::isnan(value_of(*sketch, state_of(*sketch, doubles({std::nan("")}), {0}))));
  std::string state;
  EXPECT_FALSE(sketch->merge(state, "12345"));
}

TEST(Moments, NeedNoMean) {
  const auto sketch = moments(AggregateKind::kVarPop);
  const Column column = doubles({1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16});
  EXPECT_EQ(value_of(*sketch, state_of(*sketch, column, numbers(0, 4))), 22.5);
}

}  // namespace
}  // namespace millrace::engine
