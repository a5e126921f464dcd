// The bound of all row types together; a process of its own, for what it makes stays.
#include <gtest/gtest.h>

#include "event/row_type.h"

namespace millrace {
namespace {

Result<Type> make(size_t number) {
  return row_type({{.name = "a" + std::to_string(number), .type = Type::kText}});
}

// One process, one table: the cases stand in one test, in this order.
TEST(RowTypes, OneTenantsSelectsLeaveSomeToOthersAndTheLastAreKeptForDefinitions) {
  const size_t most = kMaxRowTypes - kRowTypesForDefinitions;
  {
    const MakesRowTypesOfTenant tenant(TenantId(7));
    for (size_t i = 0; i < kRowTypesOfTenant; ++i) ASSERT_TRUE(make(i).ok()) << i;
    EXPECT_EQ(make(kRowTypesOfTenant).error().message,
              "the tenant's SELECTs have named too many different row types since the node started");
    EXPECT_TRUE(make(0).ok());  // known
    const MakesRowTypesOfDefinition definition(true);
    EXPECT_TRUE(make(kRowTypesOfTenant).ok());
  }
  {
    const MakesRowTypesOfTenant other(TenantId(8));
    EXPECT_TRUE(make(kRowTypesOfTenant + 1).ok());
  }
  for (size_t i = 0; i < most; ++i) ASSERT_TRUE(make(i).ok()) << i;
  EXPECT_EQ(make(most).error().message,
            "the node knows so many different row types that the rest are kept for definitions");
  EXPECT_EQ(make(most).error().id, "MR-EVT-0103");
  EXPECT_TRUE(make(0).ok());  // known
  {
    const MakesRowTypesOfDefinition definition(true);
    ASSERT_TRUE(make(most).ok());
    const MakesRowTypesOfDefinition statement(false);
    EXPECT_FALSE(make(most + 1).ok());
  }
  EXPECT_TRUE(make(most).ok());
  EXPECT_FALSE(make(most + 1).ok());
  const MakesRowTypesOfDefinition definition(true);
  for (size_t i = most + 1; i < kMaxRowTypes; ++i) ASSERT_TRUE(make(i).ok()) << i;
  EXPECT_EQ(make(kMaxRowTypes).error().message, "the node knows too many different row types");
}

}  // namespace
}  // namespace millrace
