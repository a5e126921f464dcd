// Stores that may not have the memory they need: the same answers, by way of the disk.
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "state/snapshot.h"
#include "state/spill_space.h"
#include "state/testing/crashing_files.h"
#include "state/testing/model.h"

namespace millrace::state {
namespace {

using testing::CrashingFiles;
using testing::Model;

constexpr TableName kName{QueryId(1), 0, 0};
constexpr size_t kLittle = 64 * 1024;

std::string key_of(uint64_t n) {
  std::string key;
  append_be(key, n);
  return key;
}

class SpillTest : public ::testing::Test {
 protected:
  std::shared_ptr<SpillSpace> space_of(size_t memory_bytes, uint64_t reserve_bytes = 0) {
    return std::make_shared<SpillSpace>(files_, SpillSpace::Options{"/data", memory_bytes, reserve_bytes});
  }
  // Adds `n` to a row.
  static bool add(StateStore& store, const std::string& key, uint64_t n) {
    bool inserted = false;
    char* const value = store.table(kName, 8).upsert(key, stable_hash(key), inserted);
    if (value != nullptr) store_le(value, load_le<uint64_t>(value) + n);
    return value != nullptr;
  }
  static Status fill(StateStore& store, uint64_t rows) {
    for (uint64_t i = 0; i < rows; ++i) {
      if (!add(store, key_of(i), i)) return error(Code::kExhausted, "MR-TEST-0003", "the bound");
      if (i % 100 == 0) TRY(store.settle());
    }
    return store.settle();
  }
  static uint64_t value_of(StateStore& store, uint64_t row) {
    const char* const value = store.table(kName, 8).find(key_of(row), stable_hash(key_of(row)));
    return value == nullptr ? UINT64_MAX : load_le<uint64_t>(value);
  }

  CrashingFiles files_{1};
};

TEST_F(SpillTest, StateLargerThanItsMemoryIsOnTheDisk) {
  const auto space = space_of(kLittle);
  const auto store = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*store, 50'000).ok());
  const auto counters = space->counters();
  EXPECT_LE(counters.memory_bytes, kLittle + kLittle / 4);
  EXPECT_GT(counters.spilled_bytes, 10 * kLittle);
  EXPECT_GE(counters.memory_bytes + counters.spilled_bytes, store->bytes());
  EXPECT_EQ(store->table(kName, 8).rows(), 50'000u);
  for (uint64_t i = 0; i < 50'000; i += 7) ASSERT_EQ(value_of(*store, i), i);
  ASSERT_TRUE(store->settle().ok());
  EXPECT_LE(space->counters().memory_bytes, kLittle + kLittle / 4);
}

TEST_F(SpillTest, NothingIsLeftWithoutItsStore) {
  const auto space = space_of(kLittle);
  {
    const auto store = StateStore::make({.spill = space});
    ASSERT_TRUE(fill(*store, 20'000).ok());
    EXPECT_FALSE(files_.exists("/data/state.spill")) << "it has no name";
  }
  EXPECT_EQ(space->counters().memory_bytes, 0u);
  EXPECT_EQ(space->counters().spilled_bytes, 0u);
  const uint64_t before = space->counters().file_bytes;
  const auto store = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*store, 20'000).ok());
  EXPECT_LE(space->counters().file_bytes, before + before / 4) << "places are used again";
}

// What is used again and again stays: the second round of a few keys costs the disk next to nothing.
TEST_F(SpillTest, PagesInUseStay) {
  const auto space = space_of(512 * 1024);
  const auto store = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*store, 100'000).ok());
  const auto use = [&](uint64_t rounds) {
    for (uint64_t i = 0; i < rounds; ++i) {
      for (uint64_t hot = 0; hot < 8; ++hot) add(*store, key_of(hot), 1);
      add(*store, key_of(100 + i * 97 % 90'000), 1);  // and another one each time
      ASSERT_TRUE(store->settle().ok());
    }
  };
  use(100);
  const uint64_t before = space->counters().pages_read;
  use(1000);
  EXPECT_LT(space->counters().pages_read - before, 1000u + 1000u / 4);
}

TEST_F(SpillTest, AnIdleStoreGivesWayWhenItIsAsked) {
  const auto space = space_of(1 << 20);
  const auto idle = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*idle, 20'000).ok());
  const auto busy = StateStore::make({.spill = space});
  const auto rounds = [&](int count) {
    for (int i = 0; i < count * 20'000; ++i) {
      add(*busy, key_of(static_cast<uint64_t>(i % 20'000)), 1);
      if (i % 500 == 0) {
        ASSERT_TRUE(busy->settle().ok() && idle->settle().ok());
      }
    }
  };
  rounds(100);
  const uint64_t before = space->counters().pages_read;
  rounds(1);
  EXPECT_LE(space->counters().pages_read, before + 2) << "the busy one fits now";
  EXPECT_EQ(value_of(*idle, 19'999), 19'999u);
}

TEST_F(SpillTest, AFullDiskEndsWhoHasMuchAndNobodyElse) {
  files_.set_free_bytes(3 << 20);
  const auto space = space_of(kLittle, 2 << 20);
  const auto small = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*small, 10).ok());
  auto large = StateStore::make({.spill = space});
  const Status full = fill(*large, 1'000'000);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().id, "MR-STATE-0007");
  EXPECT_EQ(full.error().code, Code::kExhausted);
  EXPECT_EQ(value_of(*large, 17), 17u) << "what there was is there";
  EXPECT_TRUE(small->settle().ok());
  large.reset();
  files_.set_free_bytes(1 << 30);
  EXPECT_TRUE(fill(*small, 50'000).ok()) << "with room it goes on";
  EXPECT_EQ(value_of(*small, 9), 18u);
  EXPECT_EQ(value_of(*small, 17), 17u);
}

TEST_F(SpillTest, AWriteThatFailsLeavesThePageInMemory) {
  const auto space = space_of(kLittle);
  const auto store = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*store, 5'000).ok());
  files_.fail_after(0);
  for (uint64_t i = 0; i < 20'000; ++i) ASSERT_TRUE(add(*store, key_of(i), 1));
  EXPECT_EQ(store->settle().error().id, "MR-TEST-0002");
  files_.heal();
  EXPECT_TRUE(store->settle().ok());
  EXPECT_LE(space->counters().memory_bytes, kLittle + kLittle / 4);
  for (uint64_t i = 0; i < 20'000; ++i) ASSERT_EQ(value_of(*store, i), i < 5'000 ? i + 1 : 1);
}

TEST_F(SpillTest, APageThatDoesNotComeBackIsSaid) {
  const auto space = space_of(kLittle);
  const auto store = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*store, 20'000).ok());
  const auto epoch = store->freeze();
  files_.flip_a_bit_of_each_read(true);
  EXPECT_TRUE(epoch->status().ok());
  epoch->for_each(kName, [](const RowView&) {});
  EXPECT_EQ(epoch->status().error().id, "MR-STATE-0008");
  const auto snapshots = Snapshots::make(files_, "/data");
  EXPECT_EQ(snapshots->write(Cut(1), *epoch).error().id, "MR-STATE-0008");
  for (uint64_t i = 0; i < 20'000; ++i) add(*store, key_of(i), 1);
  EXPECT_EQ(store->settle().error().id, "MR-STATE-0008");
  files_.flip_a_bit_of_each_read(false);
  EXPECT_EQ(store->settle().error().id, "MR-STATE-0008") << "what was worked out is void for good";
}

// What refers to a lost blob finds nothing: not another one, through which a list of blobs could lead back to itself.
TEST_F(SpillTest, NoNumberOfALostBlobIsGivenOutAgain) {
  const auto store = StateStore::make({.spill = space_of(kLittle)});
  Table& table = store->table(kName, 8);
  std::set<uint64_t> lost;
  for (int i = 0; i < 1'000; ++i) lost.insert(table.put_blob(std::string(100, 'x')));
  ASSERT_TRUE(fill(*store, 20'000).ok());
  files_.flip_a_bit_of_each_read(true);
  for (int i = 0; i < 1'000; ++i) {
    const uint64_t made = table.put_blob("made");
    ASSERT_FALSE(lost.contains(made)) << made;
    EXPECT_EQ(table.blob(made), "made");
    if (i % 2 == 0) table.free_blob(made);
  }
  for (const uint64_t id : lost) {
    EXPECT_EQ(table.blob(id), "");
    table.free_blob(id);
  }
  EXPECT_EQ(store->settle().error().id, "MR-STATE-0008");
}

TEST_F(SpillTest, SnapshotsOfSpilledStateLoadIntoLittleMemory) {
  const auto space = space_of(kLittle);
  auto store = StateStore::make({.spill = space});
  ASSERT_TRUE(fill(*store, 50'000).ok());
  auto snapshots = Snapshots::make(files_, "/data");
  const auto first = snapshots->write(Cut(1), *store->freeze());
  ASSERT_TRUE(first.ok());
  EXPECT_GT(first->pages_written, 50u);
  for (uint64_t i = 0; i < 50'000; ++i) ASSERT_EQ(value_of(*store, i), i);  // to memory and back
  ASSERT_TRUE(store->settle().ok());
  const auto unchanged = snapshots->write(Cut(2), *store->freeze());
  ASSERT_TRUE(unchanged.ok());
  EXPECT_EQ(unchanged->pages_written, 0u) << "moving is no change";
  add(*store, key_of(1), 1);
  ASSERT_TRUE(store->settle().ok());
  const auto second = snapshots->write(Cut(3), *store->freeze());
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->pages_written, 1u);
  store.reset();
  auto loaded = Snapshots::make(files_, "/data")->load(Cut(9), {.spill = space});
  ASSERT_TRUE(loaded.ok());
  EXPECT_LE(space->counters().memory_bytes, kLittle + kLittle / 4);
  EXPECT_EQ(value_of(*loaded->store, 1), 2u);
  for (uint64_t i = 2; i < 50'000; ++i) ASSERT_EQ(value_of(*loaded->store, i), i);
}

// A snapshot must not pass for damaged where it is the memory that is short.
TEST_F(SpillTest, ASnapshotThatDoesNotFitIsKept) {
  {
    const auto store = StateStore::make({});
    ASSERT_TRUE(fill(*store, 50'000).ok());
    ASSERT_TRUE(Snapshots::make(files_, "/data")->write(Cut(1), *store->freeze()).ok());
  }
  files_.set_free_bytes(0);
  const auto refused = Snapshots::make(files_, "/data")->load(Cut(9), {.spill = space_of(kLittle)});
  EXPECT_EQ(refused.error().id, "MR-STATE-0007");
  files_.set_free_bytes(1 << 30);
  EXPECT_TRUE(Snapshots::make(files_, "/data")->load(Cut(9), {.spill = space_of(kLittle)}).ok());
}

// Random work with freezes, snapshots and restarts in between, in so little memory that pages come and go all
// the time: the store and every kept epoch equal their models.
class SpillModel : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SpillModel, StoreEpochsAndSnapshotsEqualTheirModels) {
  Random random(GetParam());
  CrashingFiles files(GetParam());
  const size_t pages[] = {1024, 4096, 16 * 1024};
  const size_t memory[] = {1, 8 * 1024, 100 * 1024};
  StateStore::Options options{.page_bytes = pages[random.below(3)], .hash_seed = GetParam() + 1};
  const size_t memory_bytes = memory[random.below(3)];
  options.spill = std::make_shared<SpillSpace>(files, SpillSpace::Options{"/data", memory_bytes, 0});
  auto store = StateStore::make(options);
  auto snapshots = Snapshots::make(files, "/data");
  Model model(random.fork());
  std::deque<std::pair<std::shared_ptr<const Epoch>, Model>> kept;
  for (uint64_t round = 1; round < 50; ++round) {
    for (uint64_t i = random.below(600); i > 0; --i) {
      model.step(*store);
      if (random.chance(4)) {
        ASSERT_TRUE(store->settle().ok());
      }
    }
    model.expect_equals(*store);
    const auto newest = store->freeze();
    kept.emplace_back(newest, model);
    if (kept.size() > 3) kept.erase(kept.begin() + static_cast<ptrdiff_t>(random.below(kept.size())));
    for (const auto& [epoch, then] : kept) {
      then.expect_equals(*epoch);
      ASSERT_TRUE(epoch->status().ok());
    }
    if (random.chance(3)) {
      ASSERT_TRUE(snapshots->write(Cut(round), *newest).ok());
      if (random.chance(2)) {
        auto loaded = snapshots->load(Cut(round), options);
        ASSERT_TRUE(loaded.ok());
        store = std::move(loaded->store);
      }
    }
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(options.spill->counters().pages_read, 100u);
  store.reset();
  for (const auto& [epoch, then] : kept) then.expect_equals(*epoch);
  kept.clear();
  EXPECT_EQ(options.spill->counters().memory_bytes, 0u);
  EXPECT_EQ(options.spill->counters().spilled_bytes, 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, SpillModel, ::testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace millrace::state
