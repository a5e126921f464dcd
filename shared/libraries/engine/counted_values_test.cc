#include "engine/counted_values.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace millrace::engine {
namespace {

struct CountedValues : testing::Test {
  void change(const std::string& value, int64_t rows) {
    const auto made = change_count(table, list, value, rows);
    ASSERT_TRUE(made.has_value());
    list = *made;
  }
  size_t blobs() const {
    std::vector<uint64_t> ids;
    append_values(list, blob, ids);
    return ids.size();
  }

  std::unique_ptr<state::StateStore> store = state::StateStore::make({});
  state::Table& table = store->table({QueryId(1), 0, 0}, 8);
  const Blobs blob = [this](uint64_t id) { return table.blob(id); };
  uint64_t list = 0;
};

TEST_F(CountedValues, AValueIsThereForAsLongAsARowHasIt) {
  change("b", 1);
  change("b", 1);
  change("a", 1);
  EXPECT_EQ(least_value(list, blob), "a");
  change("a", -1);
  EXPECT_EQ(least_value(list, blob), "b");
  change("b", -1);
  EXPECT_EQ(greatest_value(list, blob), "b");
  change("b", -1);
  EXPECT_EQ(list, 0u);
}

TEST_F(CountedValues, ManyValuesInAnyOrder) {
  Random random(3);
  std::map<std::string, int64_t> model;
  size_t most = 0;
  for (int i = 0; i < 30'000; ++i) {
    // First they grow, then they shrink to nothing.
    const bool adds = i < 15'000 ? !random.chance(4) : random.chance(4);
    if (!adds && model.empty()) continue;
    std::string value = std::to_string(random.below(5'000));
    if (random.chance(50)) value += std::string(3'000, 'x');
    if (!adds) {
      const auto at = model.lower_bound(value);
      value = at == model.end() ? model.begin()->first : at->first;
    }
    change(value, adds ? 1 : -1);
    if ((model[value] += adds ? 1 : -1) == 0) model.erase(value);
    ASSERT_EQ(list == 0, model.empty());
    if (model.empty()) continue;
    ASSERT_EQ(least_value(list, blob), model.begin()->first);
    ASSERT_EQ(greatest_value(list, blob), model.rbegin()->first);
    most = std::max(most, blobs());
  }
  EXPECT_GT(most, 30u) << "of several blocks";
  while (!model.empty()) {
    const auto [value, rows] = *model.begin();
    change(value, -rows);
    model.erase(model.begin());
  }
  EXPECT_EQ(list, 0u);
}

TEST_F(CountedValues, MoveToAnotherTable) {
  for (int i = 0; i < 1'000; ++i) change(std::to_string(i), 1);
  state::Table& other = store->table({QueryId(2), 0, 0}, 8);
  const uint64_t moved = move_values(list, blob, other);
  const Blobs there = [&](uint64_t id) { return other.blob(id); };
  EXPECT_EQ(least_value(moved, there), "0");
  EXPECT_EQ(greatest_value(moved, there), "999");
}

TEST_F(CountedValues, TheStatesBoundIsAnAnswer) {
  auto small = state::StateStore::make({.max_bytes = 64 * 1024});
  state::Table& full = small->table({QueryId(1), 0, 0}, 8);
  std::optional<uint64_t> made = 0;
  for (int i = 0; made && i < 100'000; ++i) made = change_count(full, *made, std::to_string(i), 1);
  EXPECT_FALSE(made.has_value());
}

}  // namespace
}  // namespace millrace::engine
