#include "event/array.h"

#include <gtest/gtest.h>

#include <cmath>

namespace millrace {
namespace {

std::string bytes_of(Type element, const std::vector<Scalar>& values) {
  Column column;
  column.type = element;
  std::string out;
  for (const Scalar& value : values) {
    column.clear();
    column.append(value);
    append_ordered(out, column, 0);
  }
  return out;
}

std::vector<Scalar> values_of(Type element, std::string_view bytes) {
  Column column;
  Arena arena;
  column.type = element;
  append_elements(bytes, column, arena);
  std::vector<Scalar> out;
  for (size_t i = 0; i < column.size(); ++i) out.push_back(column.scalar(i));
  return out;
}

const std::vector<std::pair<Type, std::vector<Scalar>>>& samples() {
  using namespace std::string_literals;
  // Each in its order, NULL last.
  static const std::vector<std::pair<Type, std::vector<Scalar>>> all{
      {Type::kBoolean, {false, true, {}}},
      {Type::kBigint, {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, INT64_MAX, {}}},
      {Type::kDouble, {-INFINITY, -1.5, 0.0, 1e-300, 2.0, INFINITY, {}}},
      {Type::kText, {""s, "\0"s, "\0a"s, "a"s, "a\0"s, "aa"s, "é"s, "\xFF"s, {}}},
      {Type::kTimestamptz, {Timestamp{-5}, Timestamp{0}, Timestamp{7}, {}}},
      {Type::kInterval,
       {Interval{-1, 0, 0},
        Interval{0, 0, 1},
        Interval{0, 30, 0},
        Interval{1, 0, 0},
        Interval{INT32_MAX, INT32_MAX, INT64_MAX},
        {}}}};
  return all;
}

TEST(Array, HoldsEveryValueInOrder) {
  for (const auto& [type, values] : samples()) {
    EXPECT_EQ(values_of(type, bytes_of(type, values)), values) << to_string(type);
    EXPECT_EQ(array_size(bytes_of(type, values), type), values.size());
    for (size_t i = 0; i + 1 < values.size(); ++i) {
      EXPECT_LT(bytes_of(type, {values[i]}), bytes_of(type, {values[i + 1]})) << to_string(type) << i;
    }
  }
}

TEST(Array, ComparesElementByElement) {
  using namespace std::string_literals;
  const auto text = [](std::vector<Scalar> values) { return bytes_of(Type::kText, values); };
  EXPECT_LT(text({}), text({"a"s}));
  EXPECT_LT(text({"a"s}), text({"a"s, ""s}));
  EXPECT_LT(text({"a"s, "z"s}), text({"aa"s}));
  EXPECT_LT(text({"a"s, "z"s}), text({"a"s, {}}));
  EXPECT_EQ(bytes_of(Type::kDouble, {-0.0, std::nan("1")}), bytes_of(Type::kDouble, {0.0, -std::nan("")}));
}

TEST(Array, EqualIntervalsCompareEqual) {
  const std::string month = bytes_of(Type::kInterval, {Interval{1, 0, 0}});
  const std::string days = bytes_of(Type::kInterval, {Interval{0, 30, 0}});
  EXPECT_NE(month, days);
  EXPECT_EQ(compared_bytes(month, Type::kInterval), compared_bytes(days, Type::kInterval));
}

// Bytes that are no array end where they stop to be one.
TEST(Array, DamagedBytesAreBounded) {
  for (const auto& [type, values] : samples()) {
    const std::string bytes = bytes_of(type, values);
    for (size_t size = 0; size <= bytes.size(); ++size) {
      std::string cut = bytes.substr(0, size);
      EXPECT_LE(values_of(type, cut).size(), values.size());
      if (size > 0) cut[size / 2] = '\x03';
      values_of(type, cut);
    }
  }
}

TEST(Array, TypesAreNamedByTheirElements) {
  EXPECT_EQ(to_string(array_of(Type::kTimestamptz)), "timestamp with time zone[]");
  EXPECT_EQ(element_of(array_of(Type::kNumeric)), Type::kNumeric);
  EXPECT_TRUE(is_array(array_of(Type::kBoolean)) && !is_array(Type::kNumeric));
  EXPECT_EQ(declared_type({.name = "a", .type = array_of(Type::kNumeric), .length = 10, .scale = 2}),
            "numeric(10,2)[]");
  EXPECT_EQ(declared_type({.name = "a", .type = array_of(Type::kText), .length = 3}),
            "character varying(3)[]");
}

}  // namespace
}  // namespace millrace
