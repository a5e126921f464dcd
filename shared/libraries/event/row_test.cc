#include "event/row.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

Type row_of(Schema fields) {
  return *row_type(std::move(fields));
}

TEST(RowType, IsOneForTheSameFields) {
  const Type geo = row_of({{.name = "lat", .type = Type::kDouble}, {.name = "lon", .type = Type::kDouble}});
  const Type address =
      row_of({{.name = "City", .type = Type::kText, .length = 3}, {.name = "geo", .type = geo}});
  EXPECT_TRUE(is_row(address) && !is_array(address) && !is_row(array_of(address)) && !is_row(Type::kRecord));
  EXPECT_EQ(element_of(array_of(address)), address);
  EXPECT_EQ(physical(address), Physical::kText);
  EXPECT_EQ(to_string(array_of(address)),
            "row<\"City\" character varying(3), geo row<lat double precision, lon double precision>>[]");
  EXPECT_EQ(row_of({{.name = "City", .type = Type::kText, .length = 3}, {.name = "geo", .type = geo}}),
            address);
  EXPECT_NE(row_of({{.name = "city", .type = Type::kText, .length = 3}, {.name = "geo", .type = geo}}),
            address);
  EXPECT_EQ(without_lengths(array_of(address)),
            array_of(row_of({{.name = "City", .type = Type::kText}, {.name = "geo", .type = geo}})));
  EXPECT_EQ(without_lengths(geo), geo);
}

TEST(RowType, KnowsWhatIsKeptAlike) {
  const Type a = row_of({{.name = "x", .type = Type::kText}});
  const Type b = row_of({{.name = "y", .type = Type::kText, .length = 7}});
  const Type c = row_of({{.name = "x", .type = Type::kBigint}});
  EXPECT_TRUE(same_fields(a, b));
  EXPECT_TRUE(same_fields(array_of(a), array_of(b)));
  EXPECT_FALSE(same_fields(a, c));
  EXPECT_FALSE(same_fields(a, array_of(b)));
  EXPECT_TRUE(has_order(a));
  EXPECT_FALSE(has_order(row_of({{.name = "j", .type = row_of({{.name = "k", .type = Type::kJsonb}})}})));
}

TEST(RowType, IsBounded) {
  Schema many(kMaxRowFields, {.name = "a", .type = Type::kText});
  for (size_t i = 0; i < many.size(); ++i) many[i].name += std::to_string(i);
  EXPECT_TRUE(row_type(many).ok());
  const Type wide = row_of(many);
  Schema wider;
  for (int i = 0; i < 16; ++i) wider.push_back({.name = "b" + std::to_string(i), .type = wide});
  EXPECT_EQ(row_type(wider).error().id, "MR-EVT-0103");
  many.push_back({.name = "b", .type = Type::kText});
  EXPECT_EQ(row_type(many).error().id, "MR-EVT-0103");
  EXPECT_EQ(row_type({}).error().id, "MR-EVT-0103");
  Type deep = Type::kText;
  for (size_t i = 0; i < kMaxRowDepth; ++i) deep = row_of({{.name = "d", .type = deep}});
  EXPECT_EQ(row_type({{.name = "d", .type = array_of(deep)}}).error().id, "MR-EVT-0103");
}

std::string bytes_of(const std::vector<std::pair<Type, Scalar>>& values) {
  std::string out;
  for (const auto& [type, value] : values) {
    Column column;
    column.type = type;
    column.append(value);
    append_ordered(out, column, 0);
  }
  return out;
}

TEST(Row, IsReadFieldByField) {
  const Type type = row_of({{.name = "a", .type = Type::kText}, {.name = "b", .type = Type::kBigint}});
  const std::string bytes = bytes_of({{Type::kText, std::string("x\0y", 3)}, {Type::kBigint, Scalar()}});
  std::vector<Scalar> read;
  visit_fields(bytes, type, [&](const ColumnDef&, const Column& value) { read.push_back(value.scalar(0)); });
  EXPECT_EQ(read, (std::vector<Scalar>{std::string("x\0y", 3), Scalar()}));
  EXPECT_TRUE(is_ordered_null(field_bytes(bytes, fields_of(type), 1)));
  EXPECT_FALSE(all_fields(bytes, fields_of(type), true));
  EXPECT_FALSE(all_fields(bytes, fields_of(type), false));
}

TEST(Row, IsInOrderByItsFields) {
  const auto of = [](const Scalar& a, const Scalar& b) {
    return bytes_of({{Type::kText, a}, {Type::kBigint, b}});
  };
  const std::string a = "a";
  const std::string b = "b";
  const std::vector<std::string> order{of(a, int64_t{-1}), of(a, int64_t{2}),  of(a, {}),
                                       of(b, int64_t{0}),  of({}, int64_t{0}), of({}, {})};
  for (size_t i = 1; i < order.size(); ++i) EXPECT_LT(order[i - 1], order[i]) << i;
}

}  // namespace
}  // namespace millrace
