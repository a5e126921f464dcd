#include "state/state_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "state/testing/model.h"

namespace millrace::state {
namespace {

using testing::Model;

TableName name_of(uint32_t query, int64_t window = 0) {
  return {QueryId(query), 0, window};
}

std::string key_of(uint64_t n) {
  std::string key;
  append_be(key, n);
  return key;
}

char* put(Table& table, const std::string& key, uint64_t value) {
  bool inserted = false;
  char* at = table.upsert(key, stable_hash(key), inserted);
  if (at != nullptr) store_le(at, value);
  return at;
}

TEST(StateStore, NewRowsAreZeroAndStay) {
  auto store = StateStore::make({});
  Table& table = store->table(name_of(1), 24);
  bool inserted = false;
  char* value = table.upsert("ana", 7, inserted);
  ASSERT_NE(value, nullptr);
  EXPECT_TRUE(inserted);
  EXPECT_EQ(std::string(value, 24), std::string(24, '\0'));
  std::memcpy(value, "x", 1);
  EXPECT_EQ(*table.upsert("ana", 7, inserted), 'x');
  EXPECT_FALSE(inserted);
  EXPECT_EQ(table.rows(), 1u);
  EXPECT_EQ(table.find("bob", 7), nullptr);
  EXPECT_EQ(table.find_mutable("bob", 7), nullptr);
  EXPECT_FALSE(table.erase("bob", 7));
  EXPECT_TRUE(table.erase("ana", 7));
  EXPECT_EQ(table.find("ana", 7), nullptr);
  EXPECT_EQ(table.rows(), 0u);
}

TEST(StateStore, EmptyKeysAndEmptyValues) {
  auto store = StateStore::make({});
  Table& table = store->table(name_of(1), 0);
  bool inserted = false;
  EXPECT_NE(table.upsert("", 0, inserted), nullptr);
  EXPECT_TRUE(inserted);
  EXPECT_NE(table.upsert(std::string(1, '\0'), 0, inserted), nullptr);
  EXPECT_TRUE(inserted);
  EXPECT_EQ(table.rows(), 2u);
}

// Many keys of one key group and even of one given hash: the store's own hash must spread them.
TEST(StateStore, KeysThatShareTheirHashSpread) {
  auto store = StateStore::make({.page_bytes = 1024});
  Table& table = store->table(name_of(1), 8);
  for (uint64_t i = 0; i < 50'000; ++i) {
    bool inserted = false;
    char* value = table.upsert(key_of(i), 42, inserted);
    ASSERT_TRUE(value != nullptr && inserted);
    store_le(value, i);
  }
  for (uint64_t i = 0; i < 50'000; ++i) {
    const char* value = table.find(key_of(i), 42);
    ASSERT_NE(value, nullptr);
    ASSERT_EQ(load_le<uint64_t>(value), i);
  }
}

TEST(StateStore, LargeRowsAndLargeBlobs) {
  auto store = StateStore::make({.page_bytes = 1024});
  Table& table = store->table(name_of(1), 64);
  std::map<std::string, uint64_t> model;
  Random random(3);
  for (uint64_t i = 0; i < 400; ++i) {
    std::string key = key_of(i) + std::string(random.below(65'000), 'k');
    ASSERT_NE(put(table, key, i), nullptr);
    model[key] = i;
  }
  for (const auto& [key, value] : model)
    ASSERT_EQ(load_le<uint64_t>(table.find(key, stable_hash(key))), value);
  bool inserted = true;
  EXPECT_EQ(table.upsert(std::string(65'536, 'x'), 1, inserted), nullptr);
  EXPECT_FALSE(inserted);
  const std::string large(5 << 20, 'b');
  const uint64_t id = table.put_blob(large);
  EXPECT_EQ(table.blob(id), large);
  EXPECT_EQ(table.put_blob(std::string((16 << 20) + 1, 'x')), 0u);
}

TEST(StateStore, TablesAreListedInOrder) {
  auto store = StateStore::make({});
  for (int64_t window : {500, -3, 0, 70}) store->table(name_of(2, window), 8);
  store->table({QueryId(2), 1, 9}, 8);
  store->table(name_of(1, 4), 8);
  std::vector<int64_t> windows;
  for (const TableName& name : store->tables(QueryId(2), 0)) windows.push_back(name.window);
  EXPECT_EQ(windows, (std::vector<int64_t>{-3, 0, 70, 500}));
  EXPECT_EQ(store->tables(QueryId(2), 0, -3, 69), (std::vector{name_of(2, -3), name_of(2, 0)}));
  EXPECT_EQ(store->tables(QueryId(2), 0, 501, INT64_MAX), std::vector<TableName>());
  auto epoch = store->freeze();
  store->drop(name_of(2, 70));
  EXPECT_EQ(epoch->tables(QueryId(2), 0).size(), 4u);
  EXPECT_EQ(store->tables(QueryId(2), 0).size(), 3u);
  EXPECT_EQ(store->tables().size(), 5u);
  EXPECT_EQ(store->find(name_of(2, 70)), nullptr);
}

TEST(StateStore, ATablesBytesAreItsPartOfTheStores) {
  auto store = StateStore::make({});
  const size_t empty = store->bytes();
  Table& many = store->table(name_of(1), 8);
  for (int i = 0; i < 20'000; ++i) put(many, "key " + std::to_string(i), 1);
  Table& blobs = store->table(name_of(2), 8);
  put(blobs, "k", 1);
  for (int i = 0; i < 500; ++i) blobs.put_blob(std::string(300, 'x'));
  const auto epoch = store->freeze();
  const size_t first = epoch->bytes(name_of(1)), second = epoch->bytes(name_of(2));
  EXPECT_GT(first, 20'000u * 16);
  EXPECT_GT(second, 500u * 300);
  EXPECT_EQ(first + second, store->bytes() - empty);
  EXPECT_EQ(epoch->bytes(name_of(3)), 0u);
}

TEST(StateStore, DroppingAQueryTakesItsTablesAndCells) {
  auto store = StateStore::make({});
  const size_t empty = store->bytes();
  for (int64_t window = 0; window < 300; ++window) put(store->table(name_of(5, window), 8), "k", 1);
  const size_t five = store->bytes();
  put(store->table(name_of(6), 8), "k", 1);
  const size_t six = store->bytes() - five;
  store->set_cell("q5.watermark", "1");
  store->set_cell("q50.watermark", "2");
  auto epoch = store->freeze();
  store->drop_query(QueryId(5));
  EXPECT_EQ(store->tables().size(), 1u);
  EXPECT_EQ(store->cells().size(), 1u);
  EXPECT_EQ(store->cells().at("q50.watermark"), "2");
  EXPECT_EQ(store->bytes(), empty + six);
  EXPECT_EQ(epoch->cells().size(), 2u);
  EXPECT_EQ(epoch->tables(QueryId(5), 0).size(), 300u);
}

TEST(StateStore, AtTheBoundUpsertAnswersNullAndNothingChanges) {
  auto store = StateStore::make({.page_bytes = 4096, .max_bytes = 256 * 1024});
  Table& table = store->table(name_of(1), 16);
  uint64_t rows = 0;
  while (put(table, key_of(rows), rows) != nullptr) ++rows;
  EXPECT_GT(rows, 2000u);
  EXPECT_LE(store->bytes(), 256u * 1024);
  EXPECT_EQ(table.rows(), rows);
  EXPECT_EQ(table.find(key_of(rows), stable_hash(key_of(rows))), nullptr);
  for (uint64_t i = 0; i < rows; ++i) ASSERT_NE(table.find(key_of(i), stable_hash(key_of(i))), nullptr);
  while (table.put_blob(std::string(100, 'b')) != 0) {
  }
  EXPECT_LE(store->bytes(), 256u * 1024);
  for (uint64_t i = 0; i < rows; i += 2) table.erase(key_of(i), stable_hash(key_of(i)));
  EXPECT_NE(put(table, key_of(0), 1), nullptr) << "room after erasing";
}

TEST(StateStore, MemoryOfASmallRow) {
  for (const uint64_t rows : {20'000, 50'000, 100'000, 150'000}) {
    auto store = StateStore::make({});
    Table& table = store->table(name_of(1), 16);
    for (uint64_t i = 0; i < rows; ++i) put(table, key_of(i), i);
    const double each = static_cast<double>(store->bytes()) / static_cast<double>(rows);
    EXPECT_LE(each, 8 + 16 + 32) << rows;
    RecordProperty("bytes_per_row_" + std::to_string(rows), std::to_string(each));
  }
}

TEST(StateStore, ThousandsOfSmallTablesAreSmall) {
  auto store = StateStore::make({});
  for (uint32_t query = 1; query <= 1000; ++query) {
    for (int64_t window = 0; window < 4; ++window) {
      Table& table = store->table(name_of(query, window), 16);
      for (uint64_t row = 0; row < 5; ++row) put(table, key_of(row), row);
    }
  }
  EXPECT_LE(store->bytes(), 4000u * 1024);
  auto epoch = store->freeze();
  EXPECT_EQ(epoch->rows(name_of(1000, 3)), 5u);
}

TEST(StateStore, PagesOfDroppedWindowsAreUsedAgain) {
  auto store = StateStore::make({});
  size_t most = 0;
  for (int64_t window = 0; window < 60; ++window) {
    Table& table = store->table(name_of(1, window), 16);
    for (uint64_t i = 0; i < 2000; ++i) put(table, key_of(i), i);
    if (window >= 3) store->drop(name_of(1, window - 3));
    if (window == 10) most = store->bytes();
    if (window > 10) {
      ASSERT_LE(store->bytes(), most + most / 4);
    }
  }
}

TEST(StateStore, ErasedRowsGiveTheirMemoryBack) {
  auto store = StateStore::make({});
  Table& table = store->table(name_of(1), 16);
  for (uint64_t i = 0; i < 50'000; ++i) put(table, key_of(i), i);
  const size_t full = store->bytes();
  for (uint64_t i = 0; i < 50'000; ++i) ASSERT_TRUE(table.erase(key_of(i), stable_hash(key_of(i))));
  EXPECT_EQ(table.rows(), 0u);
  EXPECT_LT(store->bytes(), full / 10);
  // And a queue of rows, always erased at the other end, stays as small.
  for (uint64_t i = 0; i < 200'000; ++i) {
    put(table, key_of(i), i);
    if (i < 100) continue;
    ASSERT_TRUE(table.erase(key_of(i - 100), stable_hash(key_of(i - 100))));
  }
  EXPECT_LT(store->bytes(), full / 5);
}

TEST(StateStore, ReplacedBlobsDoNotAccumulate) {
  auto store = StateStore::make({});
  Table& table = store->table(name_of(1), 8);
  Random random(5);
  std::vector<uint64_t> ids(500);
  for (auto& id : ids) id = table.put_blob("first");
  size_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    uint64_t& id = ids[random.below(ids.size())];
    table.free_blob(id);
    id = table.put_blob(std::string(random.below(200), 'a'));
    ASSERT_NE(id, 0u);
    if (i == 20'000) most = store->bytes();
  }
  EXPECT_LE(store->bytes(), most * 2);
  EXPECT_TRUE(table.blob(0).empty());
  EXPECT_TRUE(table.blob(~uint64_t{0}).empty());
}

TEST(StateStore, ReplacedLargeBlobsDoNotAccumulate) {
  auto store = StateStore::make({});
  Table& table = store->table(name_of(1), 8);
  uint64_t small = table.put_blob("small");
  uint64_t large = table.put_blob(std::string(5000, 'a'));
  const size_t bytes = store->bytes();
  for (int i = 0; i < 100'000; ++i) {
    table.free_blob(large);
    large = table.put_blob(std::string(5000 + static_cast<size_t>(i) % 50'000, 'a'));
    if (i % 1000 != 0) continue;
    table.free_blob(small);
    small = table.put_blob(std::string(100, 's'));
  }
  table.free_blob(large);
  large = table.put_blob(std::string(5000, 'a'));
  EXPECT_LE(store->bytes(), bytes + 1024);
  EXPECT_EQ(table.blob(large).size(), 5000u);
  EXPECT_EQ(table.blob(small), std::string(100, 's'));
}

TEST(StateStore, AnUnchangedStoreFreezesToTheSameEpoch) {
  auto store = StateStore::make({});
  Table& table = store->table(name_of(1), 8);
  put(table, "a", 1);
  auto first = store->freeze();
  EXPECT_EQ(store->freeze(), first);
  table.find_mutable("a", stable_hash("a"));
  EXPECT_NE(store->freeze(), first);
  auto third = store->freeze();
  store->set_cell("c", "1");
  EXPECT_NE(store->freeze(), third);
}

// Random work with freezes in between: the store and every kept epoch equal their models.
class StateModel : public ::testing::TestWithParam<uint64_t> {};

TEST_P(StateModel, StoreAndEpochsEqualTheirModels) {
  Random random(GetParam());
  const size_t pages[] = {1024, 4096, 16 * 1024};
  auto store = StateStore::make({.page_bytes = pages[random.below(3)], .hash_seed = GetParam() + 1});
  Model model(random.fork());
  std::deque<std::pair<std::shared_ptr<const Epoch>, Model>> kept;
  for (int round = 0; round < 60; ++round) {
    for (uint64_t i = random.below(800); i > 0; --i) model.step(*store);
    model.expect_equals(*store);
    kept.emplace_back(store->freeze(), model);
    if (kept.size() > 5) kept.erase(kept.begin() + static_cast<ptrdiff_t>(random.below(kept.size())));
    for (const auto& [epoch, then] : kept) then.expect_equals(*epoch);
    if (::testing::Test::HasFailure()) break;
  }
  store.reset();
  for (const auto& [epoch, then] : kept) then.expect_equals(*epoch);
}
INSTANTIATE_TEST_SUITE_P(Seeds, StateModel, ::testing::Range<uint64_t>(1, 13));

// Epochs are read, copied and let go on other threads while the store changes.
TEST(StateStore, EpochsAreReadWhileTheStoreChanges) {
  auto store = StateStore::make({.page_bytes = 1024});
  std::mutex mutex;
  std::shared_ptr<const Epoch> shared;
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  const auto reader = [&] {
    while (!done) {
      std::shared_ptr<const Epoch> epoch;
      {
        std::lock_guard<std::mutex> hold(mutex);
        epoch = shared;
      }
      if (epoch == nullptr) continue;
      const uint64_t round = load_le<uint64_t>(epoch->cells().at("round").data());
      size_t rows = 0;
      for (const TableName& name : epoch->tables(QueryId(1), 0)) {
        epoch->for_each(name, [&](const RowView& row) {
          ++rows;
          ASSERT_EQ(load_le<uint64_t>(row.value), round);
          ASSERT_EQ(epoch->blob(name, load_le<uint64_t>(row.value + 8)), row.key);
        });
      }
      ASSERT_EQ(rows, 400u);
      ++reads;
    }
  };
  std::thread readers[] = {std::thread(reader), std::thread(reader)};
  Random random(9);
  for (uint64_t round = 1; round < 150 || reads < 20; ++round) {
    store->drop(name_of(1, static_cast<int64_t>(round) - 4));
    for (uint64_t i = 0; i < 400; ++i) {
      const auto window = static_cast<int64_t>(i % 2 == 0 ? -100 : round - round % 3);
      Table& table = store->table(name_of(1, window), 16);
      const std::string key = key_of(i);
      bool inserted = false;
      char* value = table.upsert(key, stable_hash(key), inserted);
      store_le(value, round);
      if (inserted) {
        const uint64_t blob = table.put_blob(key);
        store_le(table.find_mutable(key, stable_hash(key)) + 8, blob);
      }
    }
    for (const TableName& name : store->tables(QueryId(1), 0)) {
      if (name.window >= 0 && name.window != static_cast<int64_t>(round - round % 3)) store->drop(name);
    }
    std::string cell;
    append_le(cell, round);
    store->set_cell("round", cell);
    auto epoch = store->freeze();
    std::lock_guard<std::mutex> hold(mutex);
    shared = std::move(epoch);
  }
  done = true;
  for (std::thread& thread : readers) thread.join();
}

}  // namespace
}  // namespace millrace::state
