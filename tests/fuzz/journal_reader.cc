#include "tests/fuzz/journal_reader.h"

#include "tests/fuzz/journal_sample.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::log;  // NOLINT

constexpr size_t kReadBytes = 20'000;
constexpr size_t kMostPartitions = 2;  // all would take most of a run's time

std::string text(const std::set<Cut>& cuts, const JournalSeen& seen) {
  std::string out;
  for (const Cut cut : cuts) out += std::to_string(cut.value) + " ";
  out += "unreadable:";
  for (const auto& [cut, id] : seen.errors) out += " " + std::to_string(cut.value) + " " + id;
  return out;
}

bool holds(const Frame& frame, StreamPartition where) {
  for (const auto& batch : frame.batches) {
    if (batch.where == where) return true;
  }
  return false;
}

// A stream's read gives that stream's batches alone.
bool agree(const Frame& frame, StreamPartition where, const std::string& described) {
  for (const auto& batch : frame.batches) {
    if (batch.where == where && described.find(describe(batch)) == std::string::npos) return false;
  }
  return described.starts_with("t" + std::to_string(frame.time.value) + " ");
}

// `cuts`: the frames that hold the partition. `whole`: they are all of them, none may be passed over.
void check_stream(Journal& journal, const JournalSeen& seen, StreamPartition where, const std::set<Cut>& cuts,
                  bool whole) {
  Cut after(seen.first.value - 1);
  while (after < journal.durable_cut()) {
    const auto found =
        journal.read_stream(where.stream, where.partition, after, journal.durable_cut(), kReadBytes);
    if (!found.ok()) return require(!whole || !seen.errors.empty(), "only damage stops a stream's read");
    require(found->scanned > after, "a stream's read goes on");
    for (const auto& frame : found->frames) {
      const auto it = seen.frames.find(frame->cut);
      require(frame->cut > after && frame->cut <= found->scanned && holds(*frame, where), "it is asked for");
      require(it == seen.frames.end() || agree(*frame, where, it->second),
              "a stream's batches are the journal's");
      require(!whole || *cuts.upper_bound(after) == frame->cut, "a stream's read leaves nothing out",
              text(cuts, seen));
      after = frame->cut;
    }
    const auto next = cuts.upper_bound(after);
    require(!whole || next == cuts.end() || *next > found->scanned, "damage is no gap in a stream",
            text(cuts, seen));
    after = found->scanned;
  }
}

void check_offsets(Journal& journal, StreamPartition where) {
  const auto range = journal.range(where);
  require(range.ok(), "a partition has its range");
  (void)journal.cut_before(where, range->first);
  (void)journal.offset_at(where, AppendTime(1'700'000'000'010'000));
  Offset from = range->first;
  for (int i = 0; i < 100 && from < range->end; ++i) {
    const auto fetched = journal.fetch(where, from, kReadBytes);
    if (!fetched.ok() || fetched->batches.empty()) return;
    require(fetched->next > from, "a fetch goes on");
    from = fetched->next;
  }
}

}  // namespace

JournalSeen see(Journal& journal) {
  JournalSeen seen{journal.first_cut(), journal.end_cut(), {}, {}, {}};
  Cut after(seen.first.value - 1);
  while (after < seen.end && seen.errors.size() < kMostErrors) {
    const auto found = journal.read_frames(after, seen.end, kReadBytes);
    if (!found.ok()) {
      ++after.value;
      require(found.error().code == Code::kCorrupt, "what cannot be read is damaged",
              found.error().to_string());
      seen.errors[after] = found.error().id;
      continue;
    }
    require(!found->empty(), "before the end there is a frame");
    for (const auto& frame : *found) {
      require(frame->cut.value == after.value + 1, "frames come without gaps");
      seen.frames[frame->cut] = describe(*frame);
      for (const auto& batch : frame->batches) seen.partitions[batch.where].insert(frame->cut);
      after = frame->cut;
    }
  }
  return seen;
}

void check_reads(Journal& journal, const JournalSeen& seen, bool whole) {
  size_t checked = 0;
  for (const auto& [where, cuts] : seen.partitions) {
    if (checked++ == kMostPartitions) break;
    check_stream(journal, seen, where, cuts, whole);
    check_offsets(journal, where);
  }
  for (const auto& segment : journal.segments()) {
    require(segment.last.value + 1 >= segment.first.value, "a segment ends behind its beginning");
    (void)journal.cut_at(segment.first_time);
  }
}

}  // namespace millrace::fuzz
