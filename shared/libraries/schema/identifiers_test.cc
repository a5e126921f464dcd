#include "schema/identifiers.h"

#include <gtest/gtest.h>

namespace millrace::schema {
namespace {

using Names = std::vector<std::string>;

TEST(Identifiers, AreNamesThatEveryLanguageTakes) {
  EXPECT_EQ(identifier_of("unit_price"), "unit_price");
  EXPECT_EQ(identifier_of("?column?"), "_column_");
  EXPECT_EQ(identifier_of("1st"), "_1st");
  EXPECT_EQ(identifier_of("größe"), "gr__e");
  EXPECT_EQ(identifier_of(""), "_");
}

TEST(Identifiers, WhatIsOneKeepsItsNameWhereverItStands) {
  EXPECT_EQ(Identifiers().take_all({"a b", "a_b", "a-b", "a_b_2"}),
            (Names{"a_b_3", "a_b", "a_b_4", "a_b_2"}));
  EXPECT_EQ(Identifiers().take_all({"x", "x", "x", ""}), (Names{"x", "x_2", "x_3", "_"}));
}

TEST(Identifiers, MayHaveMoreInCommon) {
  const auto without_case = [](std::string_view name) { return camel_case(name); };
  EXPECT_EQ(Identifiers(without_case).take_all({"unit_price", "unitPrice", "unit_Price_2"}),
            (Names{"unit_price", "unitPrice_3", "unit_Price_2"}));
}

TEST(Identifiers, AsNamesOfTypes) {
  EXPECT_EQ(camel_case("orders_by_city"), "OrdersByCity");
  EXPECT_EQ(camel_case("v2x"), "V2X");
  EXPECT_EQ(camel_case("_1st"), "Row1St");
  EXPECT_EQ(camel_case("_"), "Row");
}

}  // namespace
}  // namespace millrace::schema
