// What verify finds, and where; what dump shows.
#include "log/inspect.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "log/frame.h"
#include "log/journal_world.h"
#include "log/record_batch.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

constexpr char kFolder[] = "/data/journal";

std::string findings(const VerifyReport& report) {
  std::string out;
  for (const auto& f : report.findings) out += to_string(f) + "\n";
  return out;
}

VerifyReport verified(JournalWorld& world) {
  auto report = verify(world.files, kFolder);
  EXPECT_TRUE(report.ok()) << report.error().to_string();
  return report.ok() ? std::move(*report) : VerifyReport();
}

// A closed journal of several segments, the older of them sealed.
void fill(JournalWorld& world, int appends = 400) {
  ASSERT_EQ(world.start(), "");
  for (int i = 0; i < appends; ++i) {
    world.append_some();
    world.turn();
  }
  world.settle();
  for (int i = 0; i < 100; ++i) world.turn();
}

std::vector<std::string> dumped(JournalWorld& world, DumpRange range = {}) {
  std::vector<std::string> lines;
  const auto result = dump(world.files, kFolder, range, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  EXPECT_TRUE(result.ok());
  return lines;
}

uint64_t find_frame(const std::string& content, uint64_t cut) {
  for (size_t at = kSegmentBlock; at + kFrameHeader < content.size(); at += kFrameAlignment) {
    const auto header = load_frame_header(std::string_view(content).substr(at), true);
    if (header && header->cut.value == cut) return at;
  }
  return 0;
}

TEST(Inspect, AHealthyJournalHasNoFindings) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    JournalWorld world(seed);
    fill(world);
    const Cut end = world.journal->end_cut();
    world.kill();
    const auto report = verified(world);
    EXPECT_EQ(findings(report), "") << "seed " << seed;
    EXPECT_EQ(report.frames, end.value);
    EXPECT_EQ(report.first, Cut(1));
    EXPECT_EQ(report.last, end);
    EXPECT_EQ(report.starts, 1u);
    EXPECT_GT(report.segments, 2u);
    EXPECT_GT(report.records, report.batches);
  }
}

TEST(Inspect, NorHasOneThatCrashedAndForgot) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    JournalWorld world(seed);
    for (int life = 0; life < 4; ++life) {
      ASSERT_EQ(world.start(), "") << "seed " << seed;
      world.random_steps(static_cast<int>(10 + world.random.below(150)));
      world.random.chance(3) ? world.kill() : world.crash();
      const auto report = verified(world);
      ASSERT_EQ(findings(report), "") << "seed " << seed << " life " << life;
      ASSERT_GE(report.last, world.acknowledged) << "seed " << seed;
    }
  }
}

// Every bit that means something is under a checksum: whichever is flipped, something is found.
TEST(Inspect, EveryFlippedBitIsFoundWhereItIs) {
  JournalWorld world(5);
  fill(world);
  const auto segments = world.journal->segments();
  ASSERT_GT(segments.size(), 3u);
  world.kill();
  const std::string name = segment_name(segments[1].id);
  const std::string path = std::string(kFolder) + "/" + name;
  const std::string content = world.files.durable_content(path);
  for (int i = 0; i < 600; ++i) {
    const uint64_t cut =
        segments[1].first.value + world.random.below(segments[1].last.value - segments[1].first.value + 1);
    const uint64_t at = find_frame(content, cut);
    ASSERT_NE(at, 0u);
    const uint64_t byte = at + world.random.below(load_le<uint32_t>(content.data() + at + 8));
    const int bit = static_cast<int>(world.random.below(8));
    world.files.flip_bit(path, byte, bit);
    const auto report = verified(world);
    ASSERT_GE(report.findings.size(), 1u) << "byte " << byte << " bit " << bit;
    EXPECT_EQ(report.findings[0].segment, name);
    EXPECT_EQ(report.findings[0].cut, Cut(cut)) << findings(report);
    EXPECT_EQ(report.findings[0].position, at);
    EXPECT_EQ(report.frames, segments.back().last.value - 1);
    world.files.flip_bit(path, byte, bit);
  }
  EXPECT_EQ(findings(verified(world)), "");
}

TEST(Inspect, HeaderCarryIndexAndTrailerAreChecked) {
  JournalWorld world(6);
  fill(world);
  const auto segments = world.journal->segments();
  ASSERT_GT(segments.size(), 3u);
  world.kill();
  const std::string path = std::string(kFolder) + "/" + segment_name(segments[2].id);
  const std::string content = world.files.durable_content(path);
  const auto trailer = load_trailer(std::string_view(content).substr(content.size() - kSegmentBlock));
  ASSERT_TRUE(trailer.has_value());
  const auto found = [&](uint64_t byte) {
    world.files.flip_bit(path, byte, 3);
    const std::string out = findings(verified(world));
    world.files.flip_bit(path, byte, 3);
    return out;
  };
  EXPECT_NE(found(40).find("byte 0: the segment's header block is unreadable; its trailer"),
            std::string::npos);
  EXPECT_NE(found(kSegmentBlock + 30).find("byte 4096: the carry is unreadable"), std::string::npos);
  EXPECT_NE(found(trailer->index_position + 5).find("the index is damaged"), std::string::npos);
}

TEST(Inspect, AMissingSegmentIsNamed) {
  JournalWorld world(7);
  fill(world);
  const auto segments = world.journal->segments();
  ASSERT_GT(segments.size(), 3u);
  world.kill();
  ASSERT_TRUE(world.files.remove(std::string(kFolder) + "/" + segment_name(segments[1].id)).ok());
  const auto report = verified(world);
  ASSERT_EQ(report.findings.size(), 1u) << findings(report);
  EXPECT_EQ(report.findings[0].segment, segment_name(segments[2].id));
  EXPECT_NE(report.findings[0].what.find("frames " + std::to_string(segments[1].first.value) + " to " +
                                         std::to_string(segments[1].last.value) + " are missing"),
            std::string::npos);
  uint64_t unreadable = 0;
  const auto result = dump(world.files, kFolder, {}, [&](std::string_view line) {
    unreadable += line.starts_with("{\"unreadable\"");
    return true;
  });
  EXPECT_EQ(unreadable, 1u);
  EXPECT_EQ(result->unreadable, segments[1].last.value - segments[1].first.value + 1);
}

// Frames whose checksums are right and whose content breaks a rule: a writer's bug, not a disk's.
class Forged {
 public:
  explicit Forged(sim::SimFiles& files) : files_(files) {
    header_.id = 1;
    header_.epoch = 1;
    header_.first = Cut(1);
    header_.salt = 77;
    bytes_ = encode_segment_start(header_, {});
  }
  void frame(Group group, Offset first, int64_t time, uint32_t epoch = 1) {
    std::string frame(frame_length(group), '\0');
    FrameHeader h;
    h.length = static_cast<uint32_t>(frame.size());
    h.padding = frame_padding(h.length);
    std::vector<BatchPlace> places;
    for (const auto& b : group.batches) places.push_back({b.where, first, 1});
    h.body_checksum = encode_frame_body(frame.data() + kFrameHeader, group, places);
    h.previous = previous_;
    h.segment = 1;
    h.cut = Cut(++cut_);
    h.frontier = Cut(cut_ - 1);
    h.time = AppendTime(time);
    h.epoch = epoch;
    h.salt = 77;
    h.batches = static_cast<uint32_t>(group.batches.size());
    h.controls = static_cast<uint32_t>(group.controls.size());
    previous_ = store_frame_header(frame.data(), h);
    bytes_ += frame + std::string(h.padding, '\0');
  }
  std::string verify() {
    EXPECT_TRUE(files_.make_directories(kFolder).ok());
    auto file = files_.open(std::string(kFolder) + "/" + segment_name(1), Files::Open::kWrite);
    EXPECT_TRUE((*file)->write_at(0, bytes_).ok());
    const auto report = log::verify(files_, kFolder);
    EXPECT_TRUE(report.ok());
    return report.ok() ? findings(*report) : "";
  }

 private:
  sim::SimFiles& files_;
  SegmentHeader header_;
  std::string bytes_;
  uint64_t cut_ = 0;
  uint32_t previous_ = 0;
};

Group batch_of(uint32_t count) {
  Group group;
  group.batches.push_back({{StreamId(7), PartitionId(1)}, make_batch(1, count)});
  return group;
}

TEST(Inspect, AGapInOffsetsIsFound) {
  sim::SimFiles files(1);
  Forged forged(files);
  forged.frame(batch_of(3), Offset(0), 1000);
  forged.frame(batch_of(3), Offset(4), 1000);
  EXPECT_NE(forged.verify().find("frame 2: a batch of stream 7, partition 1 has offset 4 where 3 was due"),
            std::string::npos);
}

TEST(Inspect, SoIsATimeThatGoesBackAndAnotherEpoch) {
  sim::SimFiles files(1);
  Forged forged(files);
  forged.frame(batch_of(3), Offset(0), 2000);
  forged.frame(batch_of(3), Offset(3), 1999);
  forged.frame(batch_of(3), Offset(6), 2000, 2);
  const std::string found = forged.verify();
  EXPECT_NE(found.find("frame 2: its append time goes back"), std::string::npos) << found;
  EXPECT_NE(found.find("frame 3: it has the epoch of another start"), std::string::npos) << found;
}

TEST(Inspect, DumpShowsFramesAndRecords) {
  JournalWorld world(8);
  ASSERT_EQ(world.start(), "");
  RecordBatchBuilder builder;
  builder.add("ana", "{\"n\":1}", 1'700'000'000'000);
  builder.add(std::nullopt, std::string("\xff\x00\x01", 3), 1'700'000'000'001);
  Group group;
  group.batches.push_back({{StreamId(7), PartitionId(1)}, builder.finish()});
  ASSERT_TRUE(world.journal->append_group(std::move(group), {{"reader", "a\"b"}}).ok());
  world.settle();
  world.kill();
  const auto lines = dumped(world, {Cut(2)});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0].find(R"({"frame":2,"time":"2023-11-14T)"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find(R"("controls":[{"kind":"position","bytes":11,"name":"reader","position":"a\"b"}])"),
            std::string::npos)
      << lines[0];
  EXPECT_NE(lines[0].find(R"("batches":[{"stream":7,"partition":1,"offset":0,"records":2,)"),
            std::string::npos);
  EXPECT_EQ(lines[1],
            R"({"stream":7,"partition":1,"offset":0,"frame":2,"timestamp_ms":1700000000000,"key":"ana",)"
            R"("value":"{\"n\":1}"})");
  EXPECT_EQ(lines[2],
            R"({"stream":7,"partition":1,"offset":1,"frame":2,"timestamp_ms":1700000000001,"key":null,)"
            R"("value_base64":"/wAB"})");
}

TEST(Inspect, DumpKeepsToItsRange) {
  JournalWorld world(9);
  fill(world);
  const uint64_t end = world.journal->end_cut().value;
  world.kill();
  const auto frames = [&](DumpRange range) {
    uint64_t n = 0;
    for (const auto& line : dumped(world, range)) n += line.starts_with("{\"frame\"");
    return n;
  };
  EXPECT_EQ(frames({}), end);
  EXPECT_EQ(frames({Cut(100)}), end - 99);
  EXPECT_EQ(frames({Cut(100), Cut(120)}), 21u);
  EXPECT_EQ(frames({Cut(100), Cut(120), 5}), 5u);
  EXPECT_EQ(frames({Cut(end + 1)}), 0u);
}

}  // namespace
}  // namespace millrace::log
