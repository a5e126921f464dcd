// What a journal does while the disk behaves.
#include "log/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "log/journal_world.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

const StreamPartition kWhere{StreamId(7), PartitionId(1)};

Group one_batch(uint64_t seed, uint32_t count = 3, size_t value_bytes = 20, StreamPartition where = kWhere) {
  Group group;
  group.batches.push_back({where, make_batch(seed, count, value_bytes)});
  return group;
}

TEST(Journal, ANewOneHoldsItsStart) {
  JournalWorld world(1);
  ASSERT_EQ(world.start(), "");
  EXPECT_EQ(world.journal->end_cut(), Cut(1));
  EXPECT_EQ(world.journal->durable_cut(), Cut(1));
  EXPECT_EQ(world.journal->first_cut(), Cut(1));
  EXPECT_EQ(world.journal->start_epoch(), 1u);
}

TEST(Journal, AFrameIsReadableAtOnceAndDurableAfterTheSync) {
  JournalWorld world(2);
  world.files.set_stall(0);
  ASSERT_EQ(world.start(), "");
  Journal& journal = *world.journal;
  const auto a = journal.append(one_batch(1), Priority::kIngest);
  const auto b = journal.append(one_batch(2), Priority::kIngest);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->cut, Cut(2));
  EXPECT_EQ(a->places[0].first, Offset(0));
  EXPECT_EQ(b->places[0].first, Offset(3));
  EXPECT_EQ(journal.durable_cut(), Cut(1));
  EXPECT_EQ(journal.read_frames(Cut(1), Cut(3), 1 << 20)->size(), 2u);
  EXPECT_EQ(journal.range(kWhere)->end, Offset(0));  // only what is durable is committed
  ASSERT_TRUE(journal.flush());
  EXPECT_FALSE(journal.flush());  // one write under way at a time
  EXPECT_TRUE(journal.write_in_flight());
  journal.poll();
  EXPECT_EQ(journal.durable_cut(), Cut(3));
  EXPECT_EQ(journal.range(kWhere)->end, Offset(6));
}

TEST(Journal, RefusesWhatItCannotTake) {
  JournalWorld world(3);
  ASSERT_EQ(world.start(), "");
  Journal& journal = *world.journal;
  EXPECT_EQ(journal.append({}, Priority::kIngest).error().id, "MR-LOG-0016");
  EXPECT_EQ(journal.append(one_batch(1, 1, 300'000), Priority::kIngest).error().id, "MR-LOG-0005");
  Group torn = one_batch(1);
  torn.batches[0].batch.pop_back();
  EXPECT_EQ(journal.append(std::move(torn), Priority::kIngest).error().code, Code::kCorrupt);
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    auto appended = journal.append(one_batch(1, 1, 4000), Priority::kIngest);
    if (!appended.ok()) status = std::move(appended).error();
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, "MR-LOG-0003");
  world.settle();
  EXPECT_TRUE(journal.append(one_batch(1, 1, 4000), Priority::kIngest).ok());
}

TEST(Journal, ReadsFromMemoryAndFilesTellTheSame) {
  JournalWorld world(4);
  ASSERT_EQ(world.start(), "");
  for (int i = 0; i < 1000; ++i) {
    world.append_some();
    world.turn();
  }
  world.settle();
  EXPECT_GT(world.journal->segments().size(), 3u);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(world.check(), "");
}

TEST(Journal, AFrameLargerThanASegmentIsKept) {
  JournalWorld world(5);
  ASSERT_EQ(world.start(), "");
  ASSERT_TRUE(world.journal->append(one_batch(1, 2, 100'000), Priority::kIngest).ok());
  // Alone it is taken although it is more than may be pending; beside it nothing is.
  EXPECT_EQ(world.journal->append(one_batch(2), Priority::kIngest).error().id, "MR-LOG-0003");
  world.settle();
  ASSERT_TRUE(world.journal->append(one_batch(2), Priority::kIngest).ok());
  world.settle();
  world.crash();
  ASSERT_TRUE(world.try_start().ok());
  const auto frames = world.journal->read_frames(Cut(0), Cut(100), 1 << 20);
  ASSERT_TRUE(frames.ok()) << frames.error().to_string();
  ASSERT_EQ(frames->size(), 4u);
  EXPECT_EQ((*frames)[1]->batches[0].bytes.view().substr(8),
            std::string_view(make_batch(1, 2, 100'000)).substr(8));
}

// Long batches of three partitions; a reader of one is not stopped by what is wrong with another's records.
TEST(Journal, RecordsThatNobodyWantsAreNotLookedAt) {
  auto options = small_options();
  options.segment_bytes = 16u << 20;
  options.tail_bytes = 0;
  options.max_frame_bytes = 1u << 20;
  JournalWorld world(10, options);
  ASSERT_EQ(world.start(), "");
  const auto partition = [](int p) {
    return StreamPartition{StreamId(7), PartitionId(static_cast<uint16_t>(p))};
  };
  for (int i = 0; i < 6; ++i) {
    Group group;
    for (int p = 0; p < 3; ++p) {
      group.batches.push_back(
          {partition(p), make_batch(static_cast<uint64_t>(3 * i + p), 10, 100u << (i + p))});
    }
    ASSERT_TRUE(world.journal->append(std::move(group), Priority::kIngest).ok());
    world.settle();
  }
  const auto all = world.journal->read_frames(Cut(1), Cut(7), SIZE_MAX);
  ASSERT_TRUE(all.ok());
  const std::string path = "/data/journal/" + segment_name(1);
  const std::string content = world.files.durable_content(path);
  const auto damaged = content.find((*all)[5]->batches[0].bytes.view().substr(100, 200));
  ASSERT_NE(damaged, std::string::npos);
  world.files.flip_bit(path, damaged, 0);
  for (int p = 0; p < 3; ++p) {
    const auto found = world.journal->read_frames(
        Cut(1), Cut(7), SIZE_MAX, [&](StreamPartition where) { return where == partition(p); });
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), p == 0 ? 5u : 6u);
    for (size_t i = 0; i < found->size(); ++i) {
      for (size_t b = 0; b < 3; ++b) {
        const auto& batch = (*found)[i]->batches[b];
        const auto& due = (*all)[i]->batches[b];
        EXPECT_EQ(batch.bytes.view(), static_cast<int>(b) == p ? due.bytes.view() : std::string_view());
        EXPECT_EQ(batch.first, due.first);
        EXPECT_EQ(batch.count, due.count);
      }
    }
  }
}

// Else a few short batches among others would hold all of the log in memory that they stand in.
TEST(Journal, AStreamsFramesKeepWhatIsItsOwn) {
  auto options = small_options();
  options.segment_bytes = 16u << 20;
  options.tail_bytes = 0;
  options.max_frame_bytes = 2u << 20;
  JournalWorld world(12, options);
  ASSERT_EQ(world.start(), "");
  const StreamPartition other{StreamId(7), PartitionId(0)};
  for (const size_t bytes : {20u, 100'000u}) {
    Group group = one_batch(bytes, 10, bytes);
    group.batches.insert(group.batches.begin(), {other, make_batch(1, 10, 20'000)});
    group.controls.push_back({ControlKind::kPosition, encode_position("p", "v")});
    ASSERT_TRUE(world.journal->append(std::move(group), Priority::kIngest).ok());
    world.settle();
  }
  const auto all = world.journal->read_frames(Cut(1), Cut(3), SIZE_MAX);
  const auto found = world.journal->read_stream(kWhere.stream, kWhere.partition, Cut(1), Cut(3), SIZE_MAX);
  ASSERT_TRUE(all.ok() && found.ok());
  ASSERT_EQ(found->frames.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const Frame& frame = *found->frames[i];
    EXPECT_EQ(frame.cut, (*all)[i]->cut);
    EXPECT_EQ(frame.time, (*all)[i]->time);
    ASSERT_EQ(frame.batches.size(), 2u);
    EXPECT_EQ(frame.batches[0].where, other);
    EXPECT_EQ(frame.batches[0].count, 10u);
    EXPECT_EQ(frame.batches[1].first, (*all)[i]->batches[1].first);
    EXPECT_EQ(frame.batches[1].bytes.view(), (*all)[i]->batches[1].bytes.view());
  }
  EXPECT_TRUE(found->frames[0]->batches[0].bytes.empty());
  EXPECT_TRUE(found->frames[0]->controls.empty());
  EXPECT_FALSE(found->frames[1]->batches[0].bytes.empty());  // the most of it is wanted: nothing is copied
}

// Short frames, one behind the other, are read at once, and nothing is copied.
TEST(Journal, AStreamThatIsMostOfTheLogIsNotCopied) {
  auto options = small_options();
  options.segment_bytes = 16u << 20;
  options.tail_bytes = 0;
  JournalWorld world(12, options);
  ASSERT_EQ(world.start(), "");
  for (int i = 0; i < 40; ++i) {
    Group group = one_batch(static_cast<uint8_t>(i), 10, 500);
    group.controls.push_back({ControlKind::kPosition, encode_position("p", "v")});
    ASSERT_TRUE(world.journal->append(std::move(group), Priority::kIngest).ok());
    world.settle();
  }
  const auto found = world.journal->read_stream(kWhere.stream, kWhere.partition, Cut(1), Cut(41), SIZE_MAX);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->frames.size(), 40u);
  for (const auto& frame : found->frames) EXPECT_EQ(frame->controls.size(), 1u);  // a copy is without
}

TEST(Journal, TheFirstFrameBehindALeapOfTheClockSaysSo) {
  JournalWorld world(9);
  ASSERT_EQ(world.start(), "");
  Journal& journal = *world.journal;
  const auto leaps = [&](uint64_t seed) {
    const auto appended = journal.append(one_batch(seed), Priority::kIngest);
    EXPECT_TRUE(appended.ok());
    const auto& controls = appended->frame->controls;
    return controls.size() == 1 && controls[0].kind == ControlKind::kLeap;
  };
  EXPECT_FALSE(leaps(1));
  world.clock.jump_wall_us(3'600'000'000);
  EXPECT_FALSE(leaps(2));
  world.clock.advance_us(11'000'000);
  journal.now();  // whoever asks first: the next frame says it
  EXPECT_TRUE(leaps(3));
  EXPECT_FALSE(leaps(4));
}

TEST(Journal, FindsCutsByTimeAndOffset) {
  JournalWorld world(6);
  ASSERT_EQ(world.start(), "");
  Journal& journal = *world.journal;
  std::vector<AppendTime> times(1);
  std::vector<Offset> offsets(1);
  for (uint64_t i = 1; i <= 600; ++i) {
    world.clock.advance_us(1000);
    const auto where = i % 7 == 0 ? kWhere : StreamPartition{StreamId(1), PartitionId(0)};
    const auto appended = journal.append(one_batch(i, 2, 100, where), Priority::kIngest);
    ASSERT_TRUE(appended.ok());
    times.push_back(appended->time);
    offsets.push_back(where == kWhere ? appended->places[0].first : Offset(-1));
    journal.flush();
    journal.poll();
  }
  world.settle();
  for (uint64_t i = 1; i <= 600; i += 13) {
    const Cut cut(i + 1);  // the start's frame is the first
    EXPECT_EQ(journal.cut_at(times[i]), Cut(cut.value - 1)) << i;
    EXPECT_EQ(journal.cut_at(AppendTime(times[i].value + 1)), cut) << i;
  }
  EXPECT_EQ(journal.cut_at(AppendTime(0)), Cut(0));
  for (uint64_t i = 7; i <= 600; i += 7) {
    EXPECT_EQ(*journal.cut_before(kWhere, offsets[i]), Cut(i)) << i;
    EXPECT_EQ(*journal.cut_before(kWhere, Offset(offsets[i].value + 1)), Cut(i)) << i;
    EXPECT_EQ(*journal.offset_at(kWhere, times[i]), offsets[i]);
  }
  EXPECT_EQ(*journal.offset_at(kWhere, AppendTime(times.back().value + 1)), journal.range(kWhere)->end);
}

TEST(Journal, OffsetsAndPositionsSurviveTheSegmentsThatHeldThem) {
  JournalWorld world(7);
  ASSERT_EQ(world.start(), "");
  ASSERT_TRUE(world.journal->append_group(one_batch(1, 5), {{"reader", "five"}}).ok());
  world.settle();
  for (int i = 0; i < 2000 && world.journal->segments().size() < 6; ++i) {
    ASSERT_TRUE(
        world.journal->append(one_batch(2, 2, 500, {StreamId(1), PartitionId(0)}), Priority::kIngest).ok());
    world.turn();
  }
  world.settle();
  const auto segments = world.journal->segments();
  ASSERT_TRUE(world.journal->recycle_through(segments[segments.size() - 2].id).ok());
  for (int i = 0; i < 200; ++i) world.turn();
  const auto gone = world.journal->fetch(kWhere, Offset(0), 100);
  EXPECT_EQ(gone.error().code, Code::kGone);
  EXPECT_EQ(world.journal->read_frames(Cut(0), Cut(5), 100).error().code, Code::kGone);
  for (int restart = 0; restart < 3; ++restart) {
    world.crash();
    ASSERT_TRUE(world.try_start().ok());
    EXPECT_EQ(world.journal->range(kWhere)->first, Offset(5));
    EXPECT_EQ(world.journal->range(kWhere)->end, Offset(5));
    EXPECT_EQ(*world.journal->last_position("reader"), "five");
  }
  EXPECT_EQ(world.journal->append(one_batch(1, 1), Priority::kIngest)->places[0].first, Offset(5));
}

TEST(Journal, ManyThousandsOfPartitions) {
  auto options = small_options();
  options.segment_bytes = 4u << 20;
  options.max_group_bytes = 1u << 20;
  options.max_pending_bytes = 64u << 20;
  JournalWorld world(8, options);
  ASSERT_EQ(world.start(), "");
  for (uint32_t round = 0; round < 3; ++round) {
    for (uint32_t p = 0; p < 20'000; ++p) {
      const StreamPartition where{StreamId(p), PartitionId(static_cast<uint16_t>(p % 5))};
      ASSERT_TRUE(world.journal->append(one_batch(p, 1 + p % 2, 8, where), Priority::kIngest).ok());
      if (p % 500 == 0) world.turn();
    }
    world.settle();
    world.crash();
    ASSERT_TRUE(world.try_start().ok());
  }
  for (uint32_t p = 0; p < 20'000; p += 777) {
    const StreamPartition where{StreamId(p), PartitionId(static_cast<uint16_t>(p % 5))};
    EXPECT_EQ(world.journal->range(where)->end.value, 3 * (1 + p % 2));
    EXPECT_EQ(world.journal->fetch(where, Offset(0), 1 << 20)->batches.size(), 3u);
  }
}

TEST(Journal, AFullDiskRefusesIngestKeepsTheReserveForStepsAndRecovers) {
  auto options = small_options();
  options.reserve_bytes = 256u << 10;
  JournalWorld world(9, options);
  world.files.set_capacity(1u << 20);
  ASSERT_EQ(world.start(), "");
  Journal& journal = *world.journal;
  Status refused;
  for (int i = 0; i < 5000 && refused.ok(); ++i) {
    world.clock.advance_us(200'000);
    auto appended = journal.append(one_batch(1, 2, 500), Priority::kIngest);
    if (!appended.ok()) refused = std::move(appended).error();
    world.turn();
  }
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, "MR-LOG-0004");
  EXPECT_TRUE(journal.disk_low());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(journal.append(one_batch(2, 2, 500), Priority::kStep).ok());
    world.settle();
  }
  EXPECT_FALSE(journal.failed().has_value());
  EXPECT_TRUE(journal.read_frames(Cut(0), Cut(5), 1000).ok());
  world.files.set_capacity(8u << 20);
  world.clock.advance_us(200'000);
  EXPECT_TRUE(journal.append(one_batch(1), Priority::kIngest).ok());
  EXPECT_FALSE(journal.disk_low());
}

TEST(Journal, AStartNeedsNoFreeByte) {
  auto options = small_options();
  options.segment_bytes = 512u << 10;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    JournalWorld world(seed, options);
    ASSERT_EQ(world.start(), "");
    for (uint64_t i = 0; i < seed; ++i) world.random_steps(20);
    for (int i = 0; i < 5; ++i) {
      for (int step = 0; step < 20; ++step) world.turn();  // zeros are ahead of the tail again
      world.files.set_capacity(world.files.used_bytes());
      world.append_some();
      world.turn();
      world.kill();
      ASSERT_EQ(world.start(), "") << "seed " << seed << ", start " << i;
      world.files.set_capacity(UINT64_MAX);
    }
  }
}

TEST(Journal, AFailedSyncIsFinal) {
  JournalWorld world(10);
  world.files.set_stall(0);
  ASSERT_EQ(world.start(), "");
  ASSERT_TRUE(world.journal->append(one_batch(1), Priority::kIngest).ok());
  const Cut before = world.journal->durable_cut();
  ASSERT_TRUE(world.journal->flush());
  for (int i = 0; i < 50; ++i) world.journal->poll();  // background work done: what follows is the write
  ASSERT_TRUE(world.journal->append(one_batch(2), Priority::kIngest).ok());
  const Cut durable = world.journal->durable_cut();
  EXPECT_GT(durable, before);
  ASSERT_TRUE(world.journal->flush());
  world.files.fail_call(1);
  while (!world.files.failed_a_call()) world.journal->poll();
  ASSERT_TRUE(world.journal->failed().has_value());
  EXPECT_EQ(world.journal->durable_cut(), durable);
  EXPECT_EQ(world.journal->append(one_batch(3), Priority::kStep).error().id, "MR-LOG-0002");
  EXPECT_FALSE(world.journal->close().ok());
}

TEST(Journal, ANewerFormatIsRefusedInWords) {
  JournalWorld world(11);
  ASSERT_EQ(world.start(), "");
  const std::string path = "/data/journal/" + segment_name(1);
  // The version and its checksum, as a newer writer would leave them.
  std::string block = world.files.durable_content(path).substr(0, kSegmentBlock);
  block[12] = static_cast<char>(kJournalVersion + 1);
  store_le<uint32_t>(block.data() + 8, crc32c(0, std::string_view(block).substr(12, 60)));
  world.kill();
  auto file = world.files.open(path, Files::Open::kWrite);
  ASSERT_TRUE((*file)->write_at(0, block).ok());
  const auto status = world.try_start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, "MR-LOG-0008");
}

TEST(Journal, AMissingSegmentIsAnErrorNotAnEnd) {
  JournalWorld world(12);
  ASSERT_EQ(world.start(), "");
  for (int i = 0; i < 800; ++i) {
    world.append_some();
    world.turn();
  }
  world.settle();
  const auto segments = world.journal->segments();
  ASSERT_GT(segments.size(), 4u);
  world.kill();
  ASSERT_TRUE(world.files.remove("/data/journal/" + segment_name(segments[2].id)).ok());
  const auto status = world.try_start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, "MR-LOG-0010");
}

TEST(Journal, ASegmentWhoseIndexCannotBeReadSaysSo) {
  JournalWorld world(15);
  ASSERT_EQ(world.start(), "");
  for (int i = 0; i < 400; ++i) {
    world.append_some();
    world.turn();
  }
  world.settle();
  world.kill();
  ASSERT_TRUE(world.try_start().ok());  // nothing is read yet
  bool told = false;
  for (uint64_t call = 1; call < 200 && !told; ++call) {
    world.files.fail_call(call);
    for (const auto& segment : world.journal->segments()) told |= !segment.streams_known;
  }
  EXPECT_TRUE(told);
  world.files.fail_call(0);
  const auto healthy = world.journal->segments();
  EXPECT_TRUE(healthy.front().streams_known);
  EXPECT_FALSE(healthy.front().streams.empty());
}

// What a start that did not end has left behind is in the way once the segment that replaced it is gone.
TEST(Journal, WhatAStartReplacedIsRemovedBeforeRetentionRemovesTheReplacement) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    JournalWorld world(seed);
    for (int i = 0; i < 40; ++i) ASSERT_EQ(world.try_start_then_crash(1'000), "") << seed;
    ASSERT_EQ(world.start(), "") << seed;
    for (int i = 0; i < 3; ++i) {
      world.append_some();
      world.settle();
    }
    world.kill();
    ASSERT_EQ(world.start(), "") << seed;
    const auto segments = world.journal->segments();
    ASSERT_EQ(segments.size(), 2u);
    ASSERT_TRUE(world.journal->recycle_through(segments[0].id).ok());
    world.recycled = segments[0].last;
    for (uint64_t i = 0; i < seed % 6; ++i) world.turn();
    world.crash();
    ASSERT_EQ(world.start(), "") << seed;
  }
}

TEST(Journal, RecycledFilesAreUsedAgain) {
  JournalWorld world(13);
  ASSERT_EQ(world.start(), "");
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 40; ++i) {
      world.append_some();
      world.turn();
    }
    world.settle();
    world.recycle_oldest();
  }
  for (int i = 0; i < 50; ++i) world.turn();
  EXPECT_LT(world.files.list("/data/journal")->size(), world.journal->segments().size() + 4);
  world.crash();
  ASSERT_EQ(world.start(), "");
}

// Retention goes on while other threads read: who is told that a frame is gone goes on at the first that is kept, and asks
// what a partition has lost.
TEST(Journal, WhoFindsAFrameGoneSeesWhatIsKept) {
  char name[] = "/tmp/millrace_journal_XXXXXX";
  const std::string directory = ::mkdtemp(name);
  SystemClock clock;
  auto files = make_system_files();
  Journal::Options options;
  options.directory = directory;
  options.segment_bytes = 1u << 20;
  options.reserve_bytes = 0;
  auto opened = Journal::open(*files, clock, options);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  Journal& journal = **opened;
  const auto partition = [](uint32_t p) { return StreamPartition{StreamId(p), PartitionId(0)}; };
  constexpr uint32_t kPartitions = 3'000;  // to note what they have lost takes a while
  for (uint64_t i = 0; i < 80; ++i) {
    Group group;
    for (uint32_t p = 0; p < kPartitions; ++p) group.batches.push_back({partition(p), make_batch(i, 1, 8)});
    const auto appended = journal.append(std::move(group), Priority::kIngest);
    ASSERT_TRUE(appended.ok()) << appended.error().to_string();
    while (journal.durable_cut() < appended->cut) {
      journal.flush();
      journal.poll();
    }
  }
  std::atomic<bool> stop = false;
  size_t unseen = 0, unnoted = 0;
  std::thread reader([&] {
    while (!stop) {
      const Cut first = journal.first_cut();
      const auto read = journal.read_frames(Cut(first.value - 1), first, 1);
      if (read.ok() || read.error().code != Code::kGone) continue;
      unseen += journal.first_cut() == first;
      unnoted += journal.range(partition(kPartitions - 1))->first == Offset(0);
    }
  });
  const auto segments = journal.segments();
  EXPECT_GT(segments.size(), 10u);
  for (const auto& segment : segments) EXPECT_TRUE(journal.recycle_through(segment.id).ok());
  stop = true;
  reader.join();
  EXPECT_EQ(unseen, 0u);
  EXPECT_EQ(unnoted, 0u);
  EXPECT_TRUE(journal.close().ok());
  std::filesystem::remove_all(directory);
}

TEST(Journal, OnARealDisk) {
  char name[] = "/tmp/millrace_journal_XXXXXX";
  const std::string directory = ::mkdtemp(name);
  SystemClock clock;
  Journal::Options options;
  options.directory = directory;
  options.segment_bytes = 1u << 20;
  options.reserve_bytes = 0;
  options.tail_bytes = 100'000;
  uint64_t due = 0;
  for (int start = 0; start < 3; ++start) {
    auto files = make_system_files();
    auto opened = Journal::open(*files, clock, options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    Journal& journal = **opened;
    EXPECT_EQ(journal.end_cut().value, due + 1);
    EXPECT_TRUE(journal.recovery().damage.empty());
    for (int i = 0; i < 3000; ++i) {
      while (!journal.append(one_batch(static_cast<uint64_t>(i), 5, 100), Priority::kIngest).ok())
        journal.poll();
      journal.flush();
      journal.poll();
    }
    ASSERT_TRUE(journal.close().ok());
    Cut after(0);
    while (after < journal.end_cut()) {
      const auto frames = journal.read_frames(after, journal.end_cut(), 1 << 20);
      ASSERT_TRUE(frames.ok()) << frames.error().to_string();
      ASSERT_FALSE(frames->empty());
      ASSERT_EQ(frames->front()->cut.value, after.value + 1);
      after = frames->back()->cut;
    }
    due = after.value;
    EXPECT_EQ(journal.range(kWhere)->end.value, (start + 1) * 15'000);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace millrace::log
