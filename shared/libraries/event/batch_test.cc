#include "event/batch.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Column, KeepsNullsAndValues) {
  Column c;
  c.type = Type::kBigint;
  c.append(Scalar(int64_t{1}));
  EXPECT_TRUE(c.valid.empty());
  c.append_null();
  c.append(Scalar(int64_t{3}));
  EXPECT_EQ(c.size(), 3u);
  EXPECT_FALSE(c.is_null(0));
  EXPECT_TRUE(c.is_null(1));
  EXPECT_EQ(std::get<int64_t>(c.scalar(2)), 3);
  Column d;
  d.type = Type::kBigint;
  for (size_t i = 0; i < 3; ++i) d.append_from(c, i);
  EXPECT_EQ(d.scalar(0), c.scalar(0));
  EXPECT_EQ(d.scalar(1), c.scalar(1));
  d.clear();
  EXPECT_EQ(d.size(), 0u);
  EXPECT_EQ(d.type, Type::kBigint);
}

TEST(Column, FirstRowMayBeNull) {
  for (const Type type : {Type::kNull, Type::kBoolean, Type::kBigint, Type::kDouble, Type::kText}) {
    Column c;
    c.type = type;
    c.append_null();
    EXPECT_EQ(c.size(), 1u);
    EXPECT_EQ(c.valid.size(), 1u);
    EXPECT_TRUE(c.is_null(0));
  }
}

TEST(Column, GrowsByRowsThatAreNullUntilTheyAreSet) {
  for (const Type type : {Type::kNull, Type::kBoolean, Type::kBigint, Type::kDouble, Type::kText}) {
    Column c;
    c.type = type;
    c.shrink_valid();
    c.grow(2);
    c.shrink_valid();
    EXPECT_EQ(c.valid, (std::vector<uint8_t>{0, 0}));
    EXPECT_EQ(c.size(), 2u);
    if (type == Type::kNull) continue;
    c.valid.assign(2, 1);
    c.shrink_valid();
    EXPECT_TRUE(c.valid.empty());
    c.grow(1);
    EXPECT_EQ(c.valid, (std::vector<uint8_t>{1, 1, 0}));
    EXPECT_EQ(c.size(), 3u);
  }
}

TEST(Column, EveryTypeRoundTrips) {
  const Scalar values[] = {Scalar(true),         Scalar(int64_t{-7}),
                           Scalar(2.5),          Scalar(std::string("ana")),
                           Scalar(Timestamp{9}), Scalar(Interval{1, 2, 3})};
  const Type types[] = {Type::kBoolean, Type::kBigint,      Type::kDouble,
                        Type::kText,    Type::kTimestamptz, Type::kInterval};
  for (size_t i = 0; i < 6; ++i) {
    Column c;
    c.type = types[i];
    c.append(values[i]);
    c.append_null();
    EXPECT_EQ(c.scalar(0), values[i]);
    EXPECT_EQ(c.scalar(1), Scalar());
    EXPECT_EQ(c.size(), 2u);
  }
}

TEST(Arena, AddressesStayAndClearReuses) {
  Arena arena;
  std::vector<std::string_view> kept;
  for (int i = 0; i < 20'000; ++i) kept.push_back(arena.keep("value " + std::to_string(i)));
  const auto large = arena.keep(std::string(1 << 20, 'x'));
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(kept[i], "value " + std::to_string(i));
  EXPECT_EQ(large.size(), size_t{1} << 20);
  arena.clear();
  EXPECT_EQ(arena.bytes(), 0u);
  EXPECT_EQ(arena.keep("again"), "again");
}

TEST(Batch, ClearKeepsRowsThatSomebodyHolds) {
  Batch batch;
  batch.set_schema({{"a", Type::kText}});
  batch.columns[0].texts.push_back(batch.arena->keep("held"));
  const auto held = batch.arena;
  const std::string_view view = batch.columns[0].texts[0];
  batch.clear();
  batch.arena->keep("other");
  EXPECT_EQ(view, "held");
  EXPECT_EQ(batch.columns[0].size(), 0u);
}

}  // namespace
}  // namespace millrace
