#include "state/snapshot.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "state/internal/snapshot_file.h"
#include "state/testing/crashing_files.h"
#include "state/testing/model.h"

namespace millrace::state {
namespace {

using testing::CrashingFiles;
using testing::Model;

constexpr Cut kEnd{~uint64_t{0}};

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() : files_(make_system_files()) {
    std::string pattern = ::testing::TempDir() + "snapshot-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SnapshotTest() override { std::filesystem::remove_all(directory_); }

  std::string at(const std::string& name) const { return directory_ + "/" + name; }
  uint64_t bytes_on_disk() const {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) bytes += entry.file_size();
    return bytes;
  }
  void flip(const std::string& path, uint64_t position) {
    auto file = files_->open(path, Files::Open::kWrite);
    ASSERT_TRUE(file.ok());
    char byte = 0;
    ASSERT_EQ(*(*file)->read_at(position, &byte, 1), 1u);
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_TRUE((*file)->write_at(position, {&byte, 1}).ok());
  }
  std::string newest_data_file() const {
    std::string newest;
    uint32_t most = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with("pages-")) continue;
      const auto number = static_cast<uint32_t>(std::stoul(name.substr(6)));
      if (number >= most) newest = entry.path();
      most = std::max(most, number);
    }
    return newest;
  }

  std::unique_ptr<Files> files_;
  std::string directory_;
};

void fill(StateStore& store, uint64_t from, uint64_t to, uint64_t add) {
  Table& table = store.table({QueryId(1), 0, 0}, 16);
  for (uint64_t i = from; i < to; ++i) {
    std::string key;
    append_be(key, i);
    bool inserted = false;
    store_le(table.upsert(key, stable_hash(key), inserted), i + add);
  }
}

uint64_t sum(const Epoch& epoch) {
  uint64_t sum = 0;
  epoch.for_each({QueryId(1), 0, 0}, [&](const RowView& row) { sum += load_le<uint64_t>(row.value); });
  return sum;
}

TEST_F(SnapshotTest, NothingThere) {
  auto loaded = Snapshots::make(*files_, at("none"))->load(kEnd, {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, Code::kNotFound);
}

TEST_F(SnapshotTest, AnEmptyStoreComesBack) {
  auto store = StateStore::make({});
  ASSERT_TRUE(Snapshots::make(*files_, directory_)->write(Cut(1), *store->freeze()).ok());
  auto loaded = Snapshots::make(*files_, directory_)->load(kEnd, {});
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
  EXPECT_TRUE(loaded->store->tables().empty());
}

// Writes, restarts and goes on: what is loaded equals the model, and can be worked with.
TEST_F(SnapshotTest, RoundTripsWithRestarts) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Random random(seed);
    const std::string directory = at("seed-" + std::to_string(seed));
    StateStore::Options options{.page_bytes = size_t{1024} << random.below(5), .hash_seed = seed};
    auto snapshots = Snapshots::make(*files_, directory);
    auto store = StateStore::make(options);
    Model model(random.fork());
    for (uint64_t cut = 1; cut <= 25; ++cut) {
      for (uint64_t i = random.below(600); i > 0; --i) model.step(*store);
      ASSERT_TRUE(snapshots->write(Cut(cut), *store->freeze()).ok());
      EXPECT_LE(snapshots->list().size(), 2u);
      if (!random.chance(3)) continue;
      snapshots = Snapshots::make(*files_, directory);
      const size_t bytes = store->bytes();
      auto loaded = snapshots->load(kEnd, options);
      ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
      EXPECT_EQ(loaded->cut, Cut(cut));
      EXPECT_TRUE(loaded->damaged.empty());
      store = std::move(loaded->store);
      EXPECT_EQ(store->bytes(), bytes);
      model.expect_equals(*store);
    }
  }
}

// A number that no store gets to would take memory by itself, whatever the file's size.
TEST_F(SnapshotTest, PageNumbersAreBounded) {
  auto store = StateStore::make({});
  fill(*store, 0, 10, 0);
  ASSERT_TRUE(Snapshots::make(*files_, directory_)->write(Cut(1), *store->freeze()).ok());
  const std::string path = at("00000000000000000001.snap");
  auto bytes = read_whole_file(*files_, path, 1 << 20);
  ASSERT_TRUE(bytes.ok());
  auto snapshot = internal::decode(*bytes);
  ASSERT_TRUE(snapshot.ok() && snapshot->pages.size() == 1);
  snapshot->pages[0].id = 20'000'000;
  snapshot->tables[0].row_pages = {20'000'000};
  ASSERT_TRUE(write_file_atomically(*files_, path, internal::encode(*snapshot)).ok());
  const auto loaded = Snapshots::make(*files_, directory_)->load(kEnd, {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().detail.find("number"), std::string::npos) << loaded.error().to_string();
}

TEST_F(SnapshotTest, WritesInProportionToWhatChanged) {
  auto store = StateStore::make({});
  fill(*store, 0, 100'000, 0);
  auto snapshots = Snapshots::make(*files_, directory_);
  auto first = snapshots->write(Cut(1), *store->freeze());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->pages_written, first->pages_total);
  EXPECT_GT(first->pages_total, 250u);
  fill(*store, 5, 10, 1);
  auto second = snapshots->write(Cut(2), *store->freeze());
  ASSERT_TRUE(second.ok());
  EXPECT_LE(second->pages_written, 5u);
  EXPECT_LT(second->bytes_written, 5 * 16 * 1024 + 20'000u);
  auto third = snapshots->write(Cut(3), *store->freeze());
  EXPECT_EQ(third->pages_written, 0u);

  // Also the first after a restart.
  auto again = Snapshots::make(*files_, directory_);
  auto loaded = again->load(kEnd, {});
  ASSERT_TRUE(loaded.ok());
  fill(*loaded->store, 5, 10, 7);
  auto fourth = again->write(Cut(4), *loaded->store->freeze());
  ASSERT_TRUE(fourth.ok());
  EXPECT_LE(fourth->pages_written, 5u);

  // Another store's epoch is written whole.
  auto fifth = again->write(Cut(5), *store->freeze());
  EXPECT_EQ(fifth->pages_written, fifth->pages_total);
}

TEST_F(SnapshotTest, GarbageIsBounded) {
  auto store = StateStore::make({});
  auto snapshots = Snapshots::make(*files_, directory_);
  fill(*store, 0, 60'000, 0);
  Random random(4);
  for (uint64_t cut = 1; cut <= 120; ++cut) {
    const uint64_t from = random.below(60'000 - 300);
    fill(*store, from, from + 300, cut);
    ASSERT_TRUE(snapshots->write(Cut(cut), *store->freeze()).ok());
    if (cut % 40 == 0) {
      snapshots = Snapshots::make(*files_, directory_);
      store = std::move(snapshots->load(kEnd, {})->store);
    }
    ASSERT_LE(bytes_on_disk(), 5 * store->bytes() + (8u << 20));
  }
}

TEST_F(SnapshotTest, ADamagedSnapshotIsSetAsideAndTheOneBeforeUsed) {
  auto store = StateStore::make({});
  auto snapshots = Snapshots::make(*files_, directory_);
  fill(*store, 0, 5000, 0);
  ASSERT_TRUE(snapshots->write(Cut(10), *store->freeze()).ok());
  const uint64_t before = sum(*store->freeze());
  const uint64_t first_batch = std::filesystem::file_size(newest_data_file());
  fill(*store, 0, 5000, 1);
  ASSERT_TRUE(snapshots->write(Cut(20), *store->freeze()).ok());
  flip(newest_data_file(), first_batch + 5000);

  auto loaded = Snapshots::make(*files_, directory_)->load(kEnd, {});
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
  EXPECT_EQ(loaded->cut, Cut(10));
  ASSERT_EQ(loaded->damaged.size(), 1u);
  EXPECT_EQ(loaded->damaged[0].id, "MR-STATE-0003");
  EXPECT_EQ(sum(*loaded->store->freeze()), before);
  EXPECT_TRUE(std::filesystem::exists(at("00000000000000000020.snap.damaged")));

  flip(at("00000000000000000010.snap"), 30);
  auto none = Snapshots::make(*files_, directory_)->load(kEnd, {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_NE(none.error().detail.find("checksum"), std::string::npos);
}

// Every single flipped bit of a small snapshot is seen, or does not matter.
TEST_F(SnapshotTest, EveryFlippedByteOfTheDirectoryIsSeen) {
  auto store = StateStore::make({});
  fill(*store, 0, 20, 0);
  store->set_cell("a", "b");
  ASSERT_TRUE(Snapshots::make(*files_, directory_)->write(Cut(1), *store->freeze()).ok());
  const std::string name = at("00000000000000000001.snap");
  const auto size = std::filesystem::file_size(name);
  for (uint64_t i = 0; i < size; ++i) {
    flip(name, i);
    auto loaded = Snapshots::make(*files_, directory_)->load(kEnd, {});
    ASSERT_FALSE(loaded.ok()) << i;
    if (std::filesystem::exists(name + ".damaged")) std::filesystem::rename(name + ".damaged", name);
    flip(name, i);
  }
  EXPECT_TRUE(Snapshots::make(*files_, directory_)->load(kEnd, {}).ok());
}

TEST_F(SnapshotTest, LaterOnesThanTheLogAreRemoved) {
  auto store = StateStore::make({});
  auto snapshots = Snapshots::make(*files_, directory_);
  fill(*store, 0, 10, 0);
  ASSERT_TRUE(snapshots->write(Cut(10), *store->freeze()).ok());
  fill(*store, 10, 20, 0);
  ASSERT_TRUE(snapshots->write(Cut(20), *store->freeze()).ok());
  auto refused = snapshots->write(Cut(15), *store->freeze());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kConflict);
  snapshots = Snapshots::make(*files_, directory_);
  auto loaded = snapshots->load(Cut(19), {});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->cut, Cut(10));
  EXPECT_EQ(snapshots->list(), std::vector<Cut>{Cut(10)});
  EXPECT_FALSE(std::filesystem::exists(at("00000000000000000020.snap")));
  EXPECT_TRUE(snapshots->write(Cut(15), *loaded->store->freeze()).ok());
}

// The disk fails at the n-th call of a write, for every n; then the machine loses power. An earlier snapshot,
// or the new one whole, is always there; and the next write works.
TEST_F(SnapshotTest, ACrashAtAnyFileCallLeavesAValidSnapshot) {
  bool passed_untouched = false;
  for (int call = 0; !passed_untouched; ++call) {
    ASSERT_LT(call, 200);
    CrashingFiles disk(static_cast<uint64_t>(call));
    auto store = StateStore::make({.page_bytes = 1024, .hash_seed = 7});
    auto snapshots = Snapshots::make(disk, "/s");
    uint64_t sums[4] = {};
    for (uint64_t cut = 1; cut <= 3; ++cut) {
      fill(*store, 0, 300 * cut, cut);
      auto epoch = store->freeze();
      sums[cut] = sum(*epoch);
      if (cut == 3) disk.fail_after(call);
      auto written = snapshots->write(Cut(cut), *epoch);
      if (cut < 3) {
        ASSERT_TRUE(written.ok()) << written.error().to_string();
      }
      if (cut == 3) passed_untouched = !disk.failed();
    }
    disk.crash();
    auto again = Snapshots::make(disk, "/s");
    auto loaded = again->load(kEnd, {.page_bytes = 1024});
    ASSERT_TRUE(loaded.ok()) << call << ": " << loaded.error().to_string();
    EXPECT_TRUE(loaded->damaged.empty()) << call << ": " << loaded->damaged[0].to_string();
    ASSERT_GE(loaded->cut, Cut(passed_untouched ? 3 : 2)) << call;
    ASSERT_EQ(sum(*loaded->store->freeze()), sums[loaded->cut.value]) << call;
    fill(*loaded->store, 0, 50, 99);
    auto epoch = loaded->store->freeze();
    ASSERT_TRUE(again->write(Cut(9), *epoch).ok());
    disk.crash();
    auto last = Snapshots::make(disk, "/s")->load(kEnd, {});
    ASSERT_TRUE(last.ok()) << last.error().to_string();
    EXPECT_EQ(sum(*last->store->freeze()), sum(*epoch));
  }
}

// The disk fails at a call but the process lives on: the next write succeeds and holds everything.
TEST_F(SnapshotTest, AWriteAfterAFailedOneIsWhole) {
  bool passed_untouched = false;
  for (int call = 0; !passed_untouched; ++call) {
    ASSERT_LT(call, 200);
    CrashingFiles disk(static_cast<uint64_t>(call) + 1000);
    auto store = StateStore::make({.page_bytes = 1024});
    auto snapshots = Snapshots::make(disk, "/s");
    fill(*store, 0, 500, 0);
    ASSERT_TRUE(snapshots->write(Cut(1), *store->freeze()).ok());
    fill(*store, 100, 600, 5);
    disk.fail_after(call);
    (void)snapshots->write(Cut(2), *store->freeze()).ok();
    passed_untouched = !disk.failed();
    disk.heal();
    fill(*store, 0, 50, 8);
    auto epoch = store->freeze();
    auto written = snapshots->write(Cut(3), *epoch);
    ASSERT_TRUE(written.ok()) << call << ": " << written.error().to_string();
    disk.crash();
    auto loaded = Snapshots::make(disk, "/s")->load(kEnd, {});
    ASSERT_TRUE(loaded.ok()) << call << ": " << loaded.error().to_string();
    EXPECT_EQ(loaded->cut, Cut(3));
    EXPECT_EQ(sum(*loaded->store->freeze()), sum(*epoch));
  }
}

}  // namespace
}  // namespace millrace::state
