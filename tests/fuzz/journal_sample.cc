#include "tests/fuzz/journal_sample.h"

#include "base/hash.h"
#include "log/frame.h"
#include "log/journal_world.h"
#include "log/segment.h"
#include "sim/sim_clock.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::log;  // NOLINT

constexpr int kLives = 4;
constexpr int kGroups = 3;  // a life

// Writes the sample, and remembers what it wrote.
class Writer {
 public:
  explicit Writer(JournalSample& sample) : sample_(sample), files_(1) {}

  void write() {
    for (int life = 0; life < kLives; ++life) live(life);
    sample_.disk = read_disk(files_, kJournalFolder);
    std::string& newest = sample_.disk.rbegin()->second;
    newest.resize(newest.find_last_not_of('\0') / kSegmentBlock * kSegmentBlock + 3 * kSegmentBlock);
    sample_.frames.erase(sample_.frames.begin(), sample_.frames.lower_bound(sample_.first));
    for (const auto& [path, bytes] : sample_.disk) find_frames(path, bytes);
    require(sample_.places.size() == sample_.frames.size(), "every frame of the sample has its place");
  }

 private:
  void live(int life) {
    auto options = small_options();
    options.spare_segments = 0;
    auto journal = Journal::open(files_, clock_, options);
    require(journal.ok(), "the sample opens");
    const Cut end = (*journal)->end_cut();
    remember(*(*journal)->read_frames(Cut(end.value - 1), end, 1)->front());
    for (int group = 0; group < kGroups; ++group) write_group(**journal, group);
    if (life == 1)
      require((*journal)->recycle_through((*journal)->segments().front().id).ok(), "the oldest goes");
    for (int i = 0; i < 40; ++i) (*journal)->poll();
    sample_.first = (*journal)->first_cut();
    sample_.last = (*journal)->end_cut();
    files_.kill();
  }

  void write_group(Journal& journal, int frames) {
    for (int i = 0; i <= frames % 3; ++i) remember(*journal.append(next_group(), Priority::kStep)->frame);
    while (journal.durable_cut() < journal.end_cut()) {
      journal.flush();
      journal.poll();
      clock_.advance_us(1500);
    }
  }

  Group next_group() {
    Group group;
    const uint64_t n = next_++;
    if (n % 4 != 3) group.batches.push_back({place(n), make_batch(n, 1 + static_cast<uint32_t>(n % 5), 30)});
    if (n % 3 == 0) group.batches.push_back({place(n + 1), make_batch(n + 1000, 2, n % 2 * 700)});
    if (n % 2 == 1) group.controls.push_back({ControlKind::kStep, std::string(n, 's')});
    if (n % 4 == 3)
      group.controls.push_back({ControlKind::kPosition, encode_position("copy", std::to_string(n))});
    return group;
  }
  static StreamPartition place(uint64_t n) {
    return {StreamId(1 + static_cast<uint32_t>(n % 2)), PartitionId(static_cast<uint16_t>(n % 3))};
  }

  void remember(const Frame& frame) {
    sample_.frames[frame.cut] = describe(frame);
    for (const auto& batch : frame.batches) sample_.partitions[batch.where].insert(frame.cut);
  }

  void find_frames(const std::string& path, std::string_view bytes) {
    const auto id = segment_id(path.substr(path.rfind('/') + 1));
    for (size_t at = kSegmentBlock; at + kFrameHeader <= bytes.size(); at += kFrameAlignment) {
      const auto header = load_frame_header(bytes.substr(at), true);
      if (header && header->segment == id)
        sample_.places[header->cut] = {path, at, header->length, header->frontier};
    }
  }

  JournalSample& sample_;
  sim::SimFiles files_;
  sim::SimClock clock_;
  uint64_t next_ = 1;
};

}  // namespace

std::string describe(const FrameBatch& batch) {
  return " b" + std::to_string(batch.where.stream.value) + "/" + std::to_string(batch.where.partition.value) +
         "@" + std::to_string(batch.first.value) + "+" + std::to_string(batch.count) + "#" +
         std::to_string(stable_hash(batch.bytes.view())) + ";";
}

std::string describe(const Frame& frame) {
  std::string out = "t" + std::to_string(frame.time.value);
  for (const auto& batch : frame.batches) out += describe(batch);
  for (const auto& control : frame.controls) {
    out += " c" + std::to_string(static_cast<int>(control.kind)) + "#" +
           std::to_string(stable_hash(control.payload.view()));
  }
  return out;
}

const JournalSample& journal_sample() {
  static const JournalSample sample = [] {
    JournalSample made;
    Writer(made).write();
    return made;
  }();
  return sample;
}

}  // namespace millrace::fuzz
