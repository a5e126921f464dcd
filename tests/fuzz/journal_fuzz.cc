// Any bytes as a journal's files, through everything that reads them: recovery, reads, `log verify` and
// `log dump`. The first byte says how the files come about:
//
//   0  bytes   what follows are the files
//   1  damage  a healthy journal, edited as disks do: whatever is served is what was written, nothing that was
//              acknowledged is missing in silence
//   2  forged  a healthy journal with any bytes anywhere, and all checksums made to hold: no crash, no memory
//              beyond the files' size, the same answer at every start
//
// journal_canary is this target with recovery's checksums left out: mode 1 must notice.
#include <algorithm>
#include <cstdint>

#include "log/frame.h"
#include "log/inspect.h"
#include "log/journal_world.h"
#include "log/segment.h"
#include "sim/sim_clock.h"
#include "tests/fuzz/disk.h"
#include "tests/fuzz/journal_reader.h"
#include "tests/fuzz/journal_sample.h"
#include "tests/fuzz/journal_seal.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::log;  // NOLINT

#ifdef MILLRACE_FUZZ_CANARY
constexpr auto kBug = PlantedBug::kSkipChecksum;
#else
constexpr auto kBug = PlantedBug::kNone;
#endif

enum class Mode : uint8_t { kBytes, kDamage, kForged };

// One journal on its disk, from start to start.
class World {
 public:
  explicit World(const Disk& disk) : files_(1) {
    write_disk(files_, kJournalFolder, disk);
    clock_.advance_us(60'000'000);
    options_ = small_options();
    options_.spare_segments = 0;
    options_.bug = kBug;
  }

  // Empty: it opened.
  std::string start() {
    journal_.reset();
    auto opened = Journal::open(files_, clock_, options_);
    if (!opened.ok()) return opened.error().to_string();
    journal_ = std::move(*opened);
    return {};
  }
  void end() {
    for (int i = 0; i < 40; ++i) journal_->poll();
    require(!journal_->failed(), "the background work of a start does not fail",
            journal_->failed() ? journal_->failed()->to_string() : "");
    files_.kill();
  }
  // What a journal is for goes on, whatever it was recovered from.
  void append() {
    Group group;
    group.batches.push_back({{StreamId(1), PartitionId(0)}, make_batch(77, 3)});
    const auto appended = journal_->append(std::move(group), Priority::kStep);
    require(appended.ok(), "a recovered journal takes frames", appended.ok() ? "" : appended.error().id);
    for (int i = 0; i < 50 && journal_->durable_cut() < appended->cut; ++i) {
      journal_->flush();
      journal_->poll();
    }
    require(journal_->durable_cut() == appended->cut, "a recovered journal writes");
  }
  Journal& journal() { return *journal_; }
  Files& files() { return files_; }

 private:
  sim::SimFiles files_;
  sim::SimClock clock_;
  Journal::Options options_;
  std::unique_ptr<Journal> journal_;
};

struct Verdict {
  bool clean = false;
  std::string text;  // all that it says
  Cut last;
};

Verdict verdict(Files& files) {
  Verdict out;
  const auto report = verify(files, kJournalFolder);
  if (!report.ok()) return {false, report.error().to_string(), Cut(0)};
  for (const auto& finding : report->findings) out.text += to_string(finding) + "\n";
  out.clean = report->ok();
  out.last = report->last;
  require(report->findings.size() <= kMostFindings, "findings are bounded");
  return out;
}

void dump_all(Files& files) {
  uint64_t bytes = 0;
  DumpRange range;
  range.limit = 1000;
  (void)dump(files, kJournalFolder, range, [&](std::string_view line) {
    bytes += line.size();
    return bytes < (8u << 20);
  });
}

// Whether the frame stands where it was written, byte by byte.
bool intact(const Disk& disk, const JournalSample::Place& place) {
  const auto now = disk.find(place.path);
  if (now == disk.end() || now->second.size() < place.position + place.length) return false;
  const std::string& was = journal_sample().disk.at(place.path);
  return now->second.compare(place.position, place.length, was, place.position, place.length) == 0;
}

bool block_intact(const Disk& disk, const std::string& path, uint64_t at) {
  const std::string& was = journal_sample().disk.at(path);
  const std::string& now = disk.at(path);
  return now.size() >= at + kSegmentBlock && now.compare(at, kSegmentBlock, was, at, kSegmentBlock) == 0;
}

// The frames that stand where they were written, of files that say what they are: by the header block, by the
// trailer, or by a frame that proves another durable. Any other file may be what an unfinished start left.
std::map<Cut, JournalSample::Place> whole_frames(const Disk& disk) {
  std::map<Cut, JournalSample::Place> out;
  for (const auto& [path, was] : journal_sample().disk) {
    std::map<Cut, JournalSample::Place> here;
    Cut frontier;
    for (const auto& [cut, place] : journal_sample().places) {
      if (place.path != path || !intact(disk, place)) continue;
      here[cut] = place;
      frontier = std::max(frontier, place.frontier);
    }
    if (here.empty()) continue;
    const bool same_end =
        disk.at(path).size() == was.size() && block_intact(disk, path, was.size() - kSegmentBlock);
    if (block_intact(disk, path, 0) || same_end || frontier >= here.begin()->first) out.merge(here);
  }
  return out;
}

// Damage: what is served was written; what was durable is served, or something is said.
void check_against_sample(const Disk& disk, const JournalSeen& seen, bool reported) {
  const JournalSample& sample = journal_sample();
  const Cut end(seen.end.value - 1);  // without the start's own frame
  require(end <= sample.last, "nothing is served that was never written");
  for (const auto& [cut, text] : seen.frames) {
    if (cut > end) break;
    const auto written = sample.frames.find(cut);
    require(written != sample.frames.end() && written->second == text, "a frame is served as it was written",
            text);
  }
  if (reported) return;
  require(seen.errors.empty(), "what cannot be read is reported");
  Cut durable;
  const auto whole = whole_frames(disk);
  for (const auto& [cut, place] : whole) durable = std::max(durable, place.frontier);
  require(end >= durable, "what was durable is not missing in silence", std::to_string(durable.value));
  for (const auto& [cut, place] : whole) {
    require(cut > durable || seen.frames.contains(cut), "a whole frame that was durable is served",
            std::to_string(cut.value));
  }
}

// The frames of one start are those of the next, and nothing came between them but the starts' own.
void check_same(const JournalSeen& before, const JournalSeen& after) {
  require(after.first == before.first && after.end > before.end, "a start keeps what was there",
          std::to_string(before.first.value) + " to " + std::to_string(before.end.value) + ", then " +
              std::to_string(after.first.value) + " to " + std::to_string(after.end.value));
  for (const auto& [cut, text] : before.frames) {
    const auto again = after.frames.find(cut);
    if (again == after.frames.end() && after.errors.size() >= kMostErrors) continue;
    require(again != after.frames.end() && again->second == text, "every start finds the same", text);
  }
  for (const auto& [cut, id] : before.errors) {
    require(!after.frames.contains(cut), "damage does not come back as data", id);
  }
}

// A stream's frames are also those that cannot be read, up to where the log ended when it was recovered.
void add_written(JournalSeen& seen, const JournalSeen& recovered) {
  for (const auto& [where, cuts] : journal_sample().partitions) {
    for (const Cut cut : cuts) {
      if (cut >= recovered.first && cut.value + 1 < recovered.end.value) seen.partitions[where].insert(cut);
    }
  }
}

void run(const Disk& disk, Mode mode) {
  World world(disk);
  const Verdict looked = verdict(world.files());
  if (mode != Mode::kDamage) dump_all(world.files());
  const std::string refused = world.start();
  if (!refused.empty()) return require(!looked.clean, "verify finds what a start refuses", refused);
  const bool reported = !looked.clean || !world.journal().recovery().damage.empty();
  const JournalSeen first = see(world.journal());
  if (mode == Mode::kDamage) check_against_sample(disk, first, reported);
  world.append();
  const JournalSeen appended = see(world.journal());
  world.end();
  const std::string again = world.start();
  require(again.empty(), "what started once starts again", again);
  JournalSeen second = see(world.journal());
  check_same(appended, second);
  if (mode == Mode::kDamage) add_written(second, first);
  check_reads(world.journal(), second, mode == Mode::kDamage);
  world.end();
}

// What follows the mode: where the first file ends, in 64 bytes; then both.
Disk files_of(ByteReader& input) {
  const size_t first = std::min<size_t>(input.left(), input.le<uint16_t>() * size_t{64});
  Disk disk;
  disk[path_in(kJournalFolder, segment_name(1))] = std::string(input.take(std::min(first, input.left())));
  disk[path_in(kJournalFolder, segment_name(2))] = std::string(input.rest());
  return disk;
}

void run_input(std::string_view bytes) {
  ByteReader input(bytes);
  const auto mode = static_cast<Mode>(input.le<uint8_t>() % 3);
  if (mode == Mode::kBytes) return run(files_of(input), mode);
  Disk disk = journal_sample().disk;
  if (mode == Mode::kDamage) {
    damage(disk, input);
  } else {
    forge(disk, input);
    seal_journal(disk);
  }
  run(disk, mode);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::fuzz::run_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
