// What a journal promises across crashes, from seeds. A failing line names its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "log/inspect.h"
#include "log/journal_world.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

// A longer search: MILLRACE_JOURNAL_SEEDS=20000 journal_test --gtest_filter=JournalCrash.*
uint64_t seeds(uint64_t usual) {
#ifdef __SANITIZE_ADDRESS__
  usual /= 10;
#endif
  const char* asked = std::getenv("MILLRACE_JOURNAL_SEEDS");
  return asked == nullptr ? usual : std::max<uint64_t>(usual, std::strtoull(asked, nullptr, 10));
}

// Several lives of one journal: steps, then a crash or a kill, then a start whose every rule must hold.
std::string live(uint64_t seed, Journal::Options options, int lives = 4) {
  JournalWorld world(seed, std::move(options));
  for (int life = 0; life < lives; ++life) {
    if (auto broken = world.start(); !broken.empty()) return broken;
    world.random_steps(static_cast<int>(10 + world.random.below(150)));
    if (auto broken = world.check(); !broken.empty()) return "before the crash: " + broken;
    world.random.chance(4) ? world.kill() : world.crash();
  }
  return world.start();
}

TEST(JournalCrash, WhatWasAcknowledgedSurvivesAndNothingIsHalfThere) {
  for (uint64_t seed = 1; seed <= seeds(1000); ++seed)
    ASSERT_EQ(live(seed, small_options()), "") << "seed " << seed;
}

TEST(JournalCrash, AgainInsideRecovery) {
  for (uint64_t seed = 1; seed <= seeds(400); ++seed) {
    JournalWorld world(seed);
    ASSERT_EQ(world.start(), "") << "seed " << seed;
    world.random_steps(120);
    world.crash();
    for (int again = 0; again < 6; ++again) {
      ASSERT_EQ(world.try_start_then_crash(1 + world.random.below(40)), "") << "seed " << seed;
    }
    ASSERT_EQ(world.start(), "") << "seed " << seed;
  }
}

TEST(JournalCrash, EveryFailedCallIsReportedAndNothingAcknowledgedIsLost) {
  // Fails the first, second, … call of a start and a little work, until one run passes untouched.
  bool untouched = false;
  int runs = 0;
  for (uint64_t n = 1; !untouched && n < 3000; ++n, ++runs) {
    JournalWorld world(n % 5);
    ASSERT_EQ(world.start(), "");
    world.random_steps(60);
    world.settle();
    world.crash();
    world.files.fail_call(n);
    if (world.try_start().ok()) {
      world.frames.resize(world.journal->end_cut().value - 1);
      world.frames.push_back("a start that may have failed");
      world.acknowledged = std::max(world.acknowledged, world.journal->durable_cut());
      world.random_steps(40);
    }
    untouched = !world.files.failed_a_call();
    world.files.fail_call(0);
    world.crash();
    const Cut acknowledged = world.acknowledged;
    ASSERT_TRUE(world.try_start().ok()) << "call " << n;
    ASSERT_TRUE(world.journal->recovery().damage.empty()) << "call " << n;
    ASSERT_GE(world.journal->recovery().end, acknowledged) << "call " << n;
  }
  EXPECT_TRUE(untouched);
  EXPECT_GT(runs, 30);
}

// Where the frame with that cut begins in the only segment, by its sequence number.
struct Place {
  std::string path;
  uint64_t position = 0;
};

JournalWorld& prepared(JournalWorld& world) {
  EXPECT_EQ(world.start(), "");
  for (int i = 0; i < 30; ++i) {
    world.append_some();
    world.settle();  // one group a frame: every later one proves the earlier ones
  }
  return world;
}

uint64_t find_frame(const std::string& content, uint64_t segment, uint64_t cut) {
  for (size_t at = kSegmentBlock; at + 80 < content.size(); at += 64) {
    uint64_t found_segment = 0;
    uint64_t found_cut = 0;
    std::memcpy(&found_segment, content.data() + at + 24, 8);
    std::memcpy(&found_cut, content.data() + at + 32, 8);
    if (content.compare(at, 4, "MRF1") == 0 && found_segment == segment && found_cut == cut) return at;
  }
  return 0;
}

TEST(JournalCrash, AFlippedBitInTheMiddleIsReportedDamage) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    auto options = small_options();
    options.segment_bytes = 1u << 20;
    options.tail_bytes = 0;
    JournalWorld world(seed, options);
    prepared(world);
    const std::string path = "/data/journal/" + segment_name(1);
    const std::string content = world.files.durable_content(path);
    const uint64_t cut = 5 + seed % 20;
    const uint64_t at = find_frame(content, 1, cut);
    const uint64_t next = find_frame(content, 1, cut + 1);
    ASSERT_NE(at, 0u);
    uint32_t length = 0;
    std::memcpy(&length, content.data() + at + 8, 4);
    ASSERT_LT(at, next);
    world.kill();
    world.files.flip_bit(path, at + world.random.below(length), static_cast<int>(world.random.below(8)));
    ASSERT_TRUE(world.try_start().ok()) << "seed " << seed;
    const auto& damage = world.journal->recovery().damage;
    ASSERT_EQ(damage.size(), 1u) << "seed " << seed;
    EXPECT_EQ(damage[0].cut, Cut(cut));
    // Readers get everything before it, an error at it, and everything behind it.
    const auto before = world.journal->read_frames(Cut(0), world.journal->end_cut(), 1 << 20);
    ASSERT_TRUE(before.ok());
    EXPECT_EQ(before->size(), cut - 1);
    const auto at_it = world.journal->read_frames(Cut(cut - 1), world.journal->end_cut(), 1 << 20);
    ASSERT_FALSE(at_it.ok());
    EXPECT_EQ(at_it.error().id, "MR-LOG-0007");
    const auto behind = world.journal->read_frames(Cut(cut), world.journal->end_cut(), 1 << 20);
    ASSERT_TRUE(behind.ok()) << "seed " << seed << " " << behind.error().to_string();
    EXPECT_EQ(behind->front()->cut, Cut(cut + 1));
    // It is still there at the next start, sealed by then, and retention does not destroy it.
    world.settle();
    for (int i = 0; i < 50; ++i) world.turn();
    world.kill();
    ASSERT_TRUE(world.try_start().ok());
    EXPECT_FALSE(world.journal->read_frames(Cut(cut - 1), world.journal->end_cut(), 1 << 20).ok());
    EXPECT_TRUE(world.journal->read_frames(Cut(cut), world.journal->end_cut(), 1 << 20).ok());
  }
}

// Cuts 2, 12 and 22 hold stream 9, the others stream 8, each a group of its own; then a bit of one flips, in the
// segment that is not sealed yet.
void damage_one_of_a_stream(JournalWorld& world, uint64_t cut) {
  ASSERT_EQ(world.start(), "");
  for (uint64_t i = 0; i < 30; ++i) {
    Group group;
    group.batches.push_back({{StreamId(i % 10 == 0 ? 9 : 8), PartitionId(0)}, make_batch(i, 3)});
    ASSERT_TRUE(world.journal->append(std::move(group), Priority::kIngest).ok());
    world.settle();
  }
  const std::string path = "/data/journal/" + segment_name(1);
  const uint64_t at = find_frame(world.files.durable_content(path), 1, cut);
  ASSERT_NE(at, 0u);
  world.kill();
  world.files.flip_bit(path, at + 90, 3);
}

void start_and_seal(JournalWorld& world) {
  ASSERT_TRUE(world.try_start().ok());
  for (int i = 0; i < 50; ++i) world.turn();
}

Journal::Options one_segment() {
  auto options = small_options();
  options.segment_bytes = 1u << 20;
  options.tail_bytes = 0;
  return options;
}

// The first start scans the segment and seals it; later ones go by the index, which has no such frame.
TEST(JournalCrash, DamageIsNoGapInAStreamAtAnyStart) {
  constexpr uint64_t kDamaged = 12;
  JournalWorld world(3, one_segment());
  damage_one_of_a_stream(world, kDamaged);
  for (int start = 0; start < 3; ++start) {
    start_and_seal(world);
    Journal& journal = *world.journal;
    Cut after(1);
    auto found = journal.read_stream(StreamId(9), PartitionId(0), after, journal.durable_cut(), 500);
    for (; found.ok();
         found = journal.read_stream(StreamId(9), PartitionId(0), after, journal.durable_cut(), 500)) {
      ASSERT_GT(found->scanned, after);
      after = found->scanned;
      ASSERT_LT(after, Cut(kDamaged)) << "passed over damage, start " << start;
    }
    EXPECT_EQ(found.error().id, "MR-LOG-0007");
    EXPECT_EQ(after, Cut(kDamaged - 1));
    found = journal.read_stream(StreamId(9), PartitionId(0), Cut(kDamaged), journal.durable_cut(), 500);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->frames.front()->cut, Cut(kDamaged + 10));
    world.kill();
  }
}

// Neither does it become one when the index is lost as well, and a scan has to stand in for it.
TEST(JournalCrash, DamageIsNoGapInAStreamWithoutAnIndex) {
  JournalWorld world(4, one_segment());
  damage_one_of_a_stream(world, 12);
  start_and_seal(world);
  world.kill();
  const std::string path = "/data/journal/" + segment_name(1);
  const std::string trailer = world.files.durable_content(path);
  uint64_t index = 0;
  std::memcpy(&index, trailer.data() + trailer.size() - kSegmentBlock + 72, 8);
  world.files.flip_bit(path, index + 5, 1);
  start_and_seal(world);
  const auto found = world.journal->read_stream(StreamId(9), PartitionId(0), Cut(11), Cut(20), 1 << 20);
  EXPECT_FALSE(found.ok()) << "read up to " << found->scanned.value;
}

// Writes that went astray by a block: the bytes where the frames belong are damaged, no frame is lost.
TEST(JournalCrash, DamageThatLosesNoFrameHidesNone) {
  JournalWorld world(5, one_segment());
  damage_one_of_a_stream(world, 12);
  const std::string path = "/data/journal/" + segment_name(1);
  const std::string content = world.files.durable_content(path);
  const uint64_t at = find_frame(content, 1, 12);
  std::string moved = content.substr(at, content.size() - at - kSegmentBlock);
  moved[90] = static_cast<char>(moved[90] ^ (1 << 3));  // as it was written
  auto file = world.files.open(path, Files::Open::kWrite);
  ASSERT_TRUE(file.ok() && (*file)->write_at(at, std::string(kSegmentBlock, '\0')).ok());
  ASSERT_TRUE((*file)->write_at(at + kSegmentBlock, moved).ok() && (*file)->sync().ok());
  for (int start = 0; start < 3; ++start) {
    start_and_seal(world);
    const auto& damage = world.journal->recovery().damage;
    ASSERT_EQ(damage.size(), start == 0 ? 1u : 0u);
    if (start == 0) {
      EXPECT_NE(damage[0].what.find("no frame is missing"), std::string::npos) << damage[0].what;
    }
    struct Read {
      uint32_t stream;
      Cut after, next;
    };
    for (const Read& read : {Read{9, Cut(1), Cut(2)},
                             {9, Cut(2), Cut(12)},
                             {9, Cut(12), Cut(22)},
                             {8, Cut(10), Cut(11)},
                             {8, Cut(11), Cut(13)},
                             {8, Cut(12), Cut(13)}}) {
      const auto found =
          world.journal->read_stream(StreamId(read.stream), PartitionId(0), read.after, Cut(30), 1);
      ASSERT_TRUE(found.ok()) << found.error().to_string() << " after " << read.after.value << " start "
                              << start;
      ASSERT_FALSE(found->frames.empty()) << "after " << read.after.value << " start " << start;
      EXPECT_EQ(found->frames.front()->cut, read.next);
    }
    world.kill();
  }
}

// A file that ends inside a frame, and a later segment that proves it was whole once.
TEST(JournalCrash, FramesBeforeTheEndOfACutFileAreRead) {
  JournalWorld world(6, one_segment());
  damage_one_of_a_stream(world, 30);
  const std::string path = "/data/journal/" + segment_name(1);
  const uint64_t at = find_frame(world.files.durable_content(path), 1, 20);
  ASSERT_TRUE(world.try_start().ok());
  world.kill();
  auto file = world.files.open(path, Files::Open::kWrite);
  ASSERT_TRUE(file.ok() && (*file)->resize(at + 90).ok() && (*file)->sync().ok());
  ASSERT_TRUE(world.try_start().ok());
  const auto before = world.journal->read_frames(Cut(1), world.journal->end_cut(), 1 << 20);
  ASSERT_TRUE(before.ok()) << before.error().to_string();
  EXPECT_EQ(before->back()->cut, Cut(19));
  const auto behind = world.journal->read_frames(Cut(19), world.journal->end_cut(), 1 << 20);
  ASSERT_FALSE(behind.ok());
  EXPECT_EQ(behind.error().id, "MR-LOG-0007");
}

void overwrite(JournalWorld& world, const std::string& path, uint64_t at, const std::string& bytes) {
  auto file = world.files.open(path, Files::Open::kWrite);
  ASSERT_TRUE(file.ok() && (*file)->write_at(at, bytes).ok() && (*file)->sync().ok());
}

// Without header and first frames a segment begins where a frame was found, which is within a block.
TEST(JournalCrash, FramesOfALostStartAreThereAtEveryStart) {
  JournalWorld world(8, one_segment());
  ASSERT_EQ(world.start(), "");
  for (int i = 0; i < 5; ++i) world.append_some();
  world.settle();
  world.append_some();  // the one that proves the others; a start writes it again elsewhere
  world.settle();
  const std::string path = "/data/journal/" + segment_name(1);
  const uint64_t at = find_frame(world.files.durable_content(path), 1, 4);
  ASSERT_NE(at % kSegmentBlock, 0u);
  world.kill();
  overwrite(world, path, 0, std::string(at, '\0'));
  for (int start = 0; start < 3; ++start) {
    start_and_seal(world);
    EXPECT_EQ(world.journal->first_cut(), Cut(4)) << "start " << start;
    const auto frames = world.journal->read_frames(Cut(3), Cut(7), 1 << 20);
    ASSERT_TRUE(frames.ok()) << frames.error().to_string();
    EXPECT_EQ(frames->size(), 4u);
    world.kill();
  }
}

// Its index goes behind what is damaged: somebody may still make something of that.
TEST(JournalCrash, FramesThatAreDamagedAtTheEndAreNotOverwrittenByTheSeal) {
  JournalWorld world(9, one_segment());
  damage_one_of_a_stream(world, 29);
  const std::string path = "/data/journal/" + segment_name(1);
  const std::string content = world.files.durable_content(path);
  const uint64_t at = find_frame(content, 1, 30);
  overwrite(world, path, at, std::string(80, '\0'));  // 31 proves it
  start_and_seal(world);
  EXPECT_EQ(world.journal->recovery().damage.size(), 1u);
  const std::string sealed = world.files.durable_content(path);
  ASSERT_EQ(sealed.compare(sealed.size() - kSegmentBlock, 8, "MTRAIL01"), 0);
  EXPECT_EQ(sealed.compare(at + 80, 2000, content, at + 80, 2000), 0);
}

// The newest file has lost its header block and its first frames. What is left does not say where it began, but
// that more was durable than the others hold.
TEST(JournalCrash, AFileThatCannotBePlacedIsNoEnd) {
  JournalWorld world(7, one_segment());
  damage_one_of_a_stream(world, 31);
  ASSERT_TRUE(world.try_start().ok());
  for (int i = 0; i < 5; ++i) {
    world.append_some();
    world.settle();
  }
  const Cut end = world.journal->end_cut();
  const uint64_t id = world.journal->segments().back().id;
  world.kill();
  const std::string path = "/data/journal/" + segment_name(id);
  const uint64_t last = find_frame(world.files.durable_content(path), id, end.value);
  ASSERT_NE(last, 0u);
  auto file = world.files.open(path, Files::Open::kWrite);
  ASSERT_TRUE(file.ok() && (*file)->write_at(0, std::string(last, '\0')).ok() && (*file)->sync().ok());
  const auto report = verify(world.files, "/data/journal");
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->ok());
  const Status started = world.try_start();
  ASSERT_FALSE(started.ok()) << "an end of " << world.journal->end_cut().value;
  EXPECT_EQ(started.error().id, "MR-LOG-0010");
  EXPECT_TRUE(world.files.exists(path));
}

TEST(JournalCrash, DamageIsMovedAsideByRetentionAfterAnyStart) {
  for (int starts = 1; starts <= 3; ++starts) {
    JournalWorld world(3, one_segment());
    damage_one_of_a_stream(world, 5);
    for (int i = 0; i < starts; ++i) {
      if (i > 0) world.kill();
      start_and_seal(world);
    }
    ASSERT_TRUE(world.journal->recycle_through(1).ok());
    for (int i = 0; i < 50; ++i) world.turn();
    const auto names = world.files.list("/data/journal/quarantine");
    ASSERT_TRUE(names.ok()) << "start " << starts;
    EXPECT_EQ(*names, std::vector<std::string>{segment_name(1)});
  }
}

TEST(JournalCrash, AFlippedBitInTheTailIsAnEnd) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    auto options = small_options();
    options.segment_bytes = 1u << 20;
    JournalWorld world(seed, options);
    prepared(world);
    const std::string path = "/data/journal/" + segment_name(1);
    const uint64_t last = world.journal->end_cut().value;
    const uint64_t at = find_frame(world.files.durable_content(path), 1, last);
    ASSERT_NE(at, 0u);
    world.kill();
    world.files.flip_bit(path, at + 40, 1);
    ASSERT_TRUE(world.try_start().ok());
    EXPECT_TRUE(world.journal->recovery().damage.empty());
    EXPECT_EQ(world.journal->recovery().end, Cut(last - 1));
  }
}

TEST(JournalCrash, ALostHeaderBlockLosesNoFrame) {
  JournalWorld world(17);
  prepared(world);
  world.kill();
  world.files.flip_bit("/data/journal/" + segment_name(1), 20, 2);
  ASSERT_TRUE(world.try_start().ok());
  EXPECT_FALSE(world.journal->recovery().damage.empty());
  EXPECT_EQ(world.journal->recovery().end, world.acknowledged);
  EXPECT_EQ(world.journal->read_frames(Cut(0), world.acknowledged, 1 << 30)->size(),
            world.acknowledged.value);
}

// A duty left out must be seen by the same checks that find nothing otherwise.
bool caught(PlantedBug bug, uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    auto options = small_options();
    options.bug = bug;
    if (!live(seed, options).empty()) return true;
  }
  return false;
}

TEST(JournalCrash, PlantedBugsAreCaught) {
  EXPECT_FALSE(caught(PlantedBug::kNone, 30));
  EXPECT_TRUE(caught(PlantedBug::kSkipSync, 30));
  EXPECT_TRUE(caught(PlantedBug::kDropPosition, 30));
  EXPECT_TRUE(caught(PlantedBug::kServeBeforeDurable, 30));
  EXPECT_TRUE(caught(PlantedBug::kSkipChecksum, 200));
}

}  // namespace
}  // namespace millrace::log
