#include "log/journal_world.h"

#include <algorithm>

#include "base/hash.h"
#include "log/record_batch.h"
#include "log/segment.h"

namespace millrace::log {

std::string make_batch(uint64_t seed, uint32_t count, size_t value_bytes) {
  RecordBatchBuilder builder;
  Random random(seed);
  for (uint32_t i = 0; i < count; ++i) {
    std::string value = std::to_string(seed) + ":" + std::to_string(i) + ":";
    while (value.size() < value_bytes) value += static_cast<char>('a' + random.below(26));
    builder.add(std::nullopt, value, int64_t{1000} + i);
  }
  return builder.finish();
}

Journal::Options small_options() {
  Journal::Options options;
  options.directory = "/data";
  options.segment_bytes = 64u << 10;
  options.max_group_bytes = 16u << 10;
  options.max_frame_bytes = 256u << 10;
  options.max_pending_bytes = 128u << 10;
  options.tail_bytes = 24u << 10;
  options.reserve_bytes = 0;
  options.background_thread = false;
  return options;
}

JournalWorld::JournalWorld(uint64_t seed, Journal::Options o)
    : files(seed), random(seed ^ 0x9E3779B97F4A7C15), options(std::move(o)) {
  files.set_stall(static_cast<uint32_t>(random.below(3)));
}
JournalWorld::~JournalWorld() = default;

// Everything a reader can see of a frame.
std::string JournalWorld::describe(const Frame& frame) {
  std::string out;
  for (const auto& batch : frame.batches) {
    out += "b" + std::to_string(batch.where.stream.value) + "/" +
           std::to_string(batch.where.partition.value) + "@" + std::to_string(batch.first.value) + "+" +
           std::to_string(batch.count) + "#" + std::to_string(stable_hash(batch.bytes.view())) + " ";
  }
  for (const auto& control : frame.controls) {
    out += "c" + std::to_string(static_cast<int>(control.kind)) + "#" +
           std::to_string(stable_hash(control.payload.view())) + " ";
  }
  return out + "t" + std::to_string(frame.time.value);
}

Status JournalWorld::try_start() {
  journal.reset();
  auto opened = Journal::open(files, clock, options);
  if (!opened.ok()) return std::move(opened).error();
  journal = std::move(*opened);
  return {};
}

std::string JournalWorld::start() {
  if (auto status = try_start(); !status.ok()) return "does not start: " + status.error().to_string();
  if (!journal->recovery().damage.empty())
    return "reports damage: " + journal->recovery().damage.front().what;
  const Cut end = journal->end_cut();
  if (end.value == 0 || end.value - 1 < acknowledged.value) {
    return "acknowledged up to " + std::to_string(acknowledged.value) + ", found up to " +
           std::to_string(end.value);
  }
  if (auto broken = take_unfinished_starts(Cut(end.value - 1)); !broken.empty()) return broken;
  if (end.value - 1 > frames.size()) return "found more frames than were appended";
  if (journal->durable_cut() != end) return "the start's own frame is not durable";
  frames.resize(end.value - 1);
  positions_.erase(positions_.upper_bound(Cut(end.value - 1)), positions_.end());
  const auto last = journal->read_frames(Cut(end.value - 1), end, 1);
  if (!last.ok() || last->size() != 1 || last->front()->controls.size() != 1 ||
      last->front()->controls[0].kind != ControlKind::kStart) {
    return "the last frame of a start is not the start's own";
  }
  frames.push_back(describe(*last->front()));
  acknowledged = end;
  return check();
}

// A start that was cut off may have made its frame durable: in place of those that it had not found, and of
// which none was acknowledged. What follows it are frames of later such starts only.
std::string JournalWorld::take_unfinished_starts(Cut upto) {
  uint64_t taken = 0;
  for (uint64_t cut = acknowledged.value + 1; unfinished_starts_ > 0 && cut <= upto.value; ++cut) {
    const auto found = journal->read_frames(Cut(cut - 1), Cut(cut), 1);
    if (!found.ok() || found->empty()) return "frame " + std::to_string(cut) + " cannot be read";
    const Frame& frame = *found->front();
    const bool start = frame.controls.size() == 1 && frame.controls[0].kind == ControlKind::kStart;
    const bool known = cut <= frames.size() && describe(frame) == frames[cut - 1];
    if (known && taken == 0) continue;
    if (!start) return "frame " + std::to_string(cut) + " was never appended";
    if (++taken > unfinished_starts_) return "more starts are in the log than there were";
    frames.resize(cut - 1);
    frames.push_back(describe(frame));
    positions_.erase(positions_.lower_bound(Cut(cut)), positions_.end());
  }
  unfinished_starts_ = 0;
  return {};
}

std::string JournalWorld::try_start_then_crash(uint64_t failing_call) {
  files.fail_call(failing_call);
  const bool started = try_start().ok();
  files.fail_call(0);
  ++unfinished_starts_;
  std::string broken;
  if (started) {
    broken = take_unfinished_starts(journal->end_cut());
    if (journal->end_cut() <= acknowledged) broken = "a start ends before what was acknowledged";
    acknowledged = journal->end_cut();
  }
  crash();
  return broken;
}

void JournalWorld::crash() {
  files.crash();
  journal.reset();
}
void JournalWorld::kill() {
  files.kill();
  journal.reset();
}

void JournalWorld::append_some() {
  Group group;
  const auto batches = random.below(4);
  for (uint64_t i = 0; i < batches; ++i) {
    const StreamPartition where{StreamId(1 + static_cast<uint32_t>(random.below(most_streams))),
                                PartitionId(static_cast<uint16_t>(random.below(3)))};
    const auto count = static_cast<uint32_t>(1 + random.below(10));
    group.batches.push_back({where, make_batch(next_seed_++, count, random.below(largest_value))});
  }
  const bool positioned = random.chance(4);
  const std::string position = std::to_string(next_seed_++);
  if (positioned) group.controls.push_back({ControlKind::kPosition, encode_position("p", position)});
  if (batches == 0 && !positioned) group.controls.push_back({ControlKind::kTick, position});
  auto appended = journal->append(std::move(group), Priority::kStep);
  if (!appended.ok()) return;
  frames.push_back(describe(*appended->frame));
  if (positioned) positions_[appended->cut] = position;
}

void JournalWorld::turn() {
  journal->flush();
  journal->poll();
  clock.advance_us(static_cast<int64_t>(random.below(2000)));
  acknowledged = std::max(acknowledged, journal->durable_cut());
}

void JournalWorld::settle() {
  for (int i = 0; i < 10'000 && journal->durable_cut() < journal->end_cut() && !journal->failed(); ++i)
    turn();
}

void JournalWorld::random_steps(int n) {
  for (int i = 0; i < n && !journal->failed(); ++i) {
    if (!random.chance(3)) append_some();
    if (!random.chance(3)) turn();
    if (random.chance(40)) recycle_oldest();
  }
}

void JournalWorld::recycle_oldest() {
  const auto segments = journal->segments();
  if (segments.size() < 3) return;
  if (journal->recycle_through(segments.front().id).ok())
    recycled = std::max(recycled, segments.front().last);
}

std::string JournalWorld::check() {
  for (auto rule :
       {&JournalWorld::check_frames, &JournalWorld::check_streams, &JournalWorld::check_position}) {
    if (auto broken = (this->*rule)(); !broken.empty()) return broken;
  }
  return {};
}

std::string JournalWorld::check_frames() {
  const Cut first = journal->first_cut();
  if (first.value > recycled.value + 1) return "frames are gone that retention was not asked for";
  Cut after(first.value - 1);
  while (after < journal->end_cut()) {
    const auto found = journal->read_frames(after, journal->end_cut(), 1 + random.below(40'000));
    if (!found.ok()) return "frame after " + std::to_string(after.value) + ": " + found.error().to_string();
    if (found->empty()) return "no frame after " + std::to_string(after.value);
    if (auto broken = check_some(after, *found); !broken.empty()) return broken;
    for (const auto& frame : *found) {
      if (frame->cut.value != after.value + 1) return "a gap after " + std::to_string(after.value);
      if (describe(*frame) != frames.at(after.value)) {
        return "frame " + std::to_string(frame->cut.value) + " is " + describe(*frame) + " and was " +
               frames.at(after.value);
      }
      after = frame->cut;
    }
  }
  return {};
}

// The same frames for a reader that wants some of the records: it learns as much of the others as it is told.
std::string JournalWorld::check_some(Cut after, const std::vector<FramePtr>& all) {
  const uint64_t choice = random.below(8);
  const WantsRecords wants = [&](StreamPartition where) {
    return (choice >> (where.partition.value % 3) & 1) != 0;
  };
  const auto found = journal->read_frames(after, all.back()->cut, SIZE_MAX, wants);
  if (!found.ok()) return "some of the records: " + found.error().to_string();
  if (found->size() != all.size()) return "some of the records: other frames";
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& batches = (*found)[i]->batches;
    if (batches.size() != all[i]->batches.size()) return "some of the records: other batches";
    for (size_t b = 0; b < batches.size(); ++b) {
      const auto& due = all[i]->batches[b];
      const bool there = !batches[b].bytes.empty() || wants(due.where);
      if (batches[b].where != due.where || batches[b].first != due.first || batches[b].count != due.count ||
          (there && batches[b].bytes.view() != due.bytes.view())) {
        return "some of the records: batch " + std::to_string(b) + " of frame " +
               std::to_string(all[i]->cut.value);
      }
    }
  }
  return {};
}

std::string JournalWorld::check_streams() {
  const StreamPartition where{StreamId(1 + static_cast<uint32_t>(random.below(most_streams))),
                              PartitionId(static_cast<uint16_t>(random.below(3)))};
  const auto range = journal->range(where);
  if (!range.ok()) return "no range: " + range.error().to_string();
  Offset next = range->first;
  Cut after(journal->first_cut().value - 1);
  while (after < journal->durable_cut()) {
    const auto found = journal->read_stream(where.stream, where.partition, after, journal->durable_cut(),
                                            1 + random.below(20'000));
    if (!found.ok()) return "stream: " + found.error().to_string();
    if (found->scanned == after) return "a stream's read makes no progress at " + std::to_string(after.value);
    after = found->scanned;
    for (const auto& frame : found->frames) {
      for (const auto& batch : frame->batches) {
        if (batch.where != where) continue;
        if (batch.first != next) {
          return "offset " + std::to_string(batch.first.value) + " where " + std::to_string(next.value) +
                 " was due";
        }
        next = Offset(batch.first.value + batch.count);
      }
    }
  }
  if (next != range->end) return "the stream ends at " + std::to_string(next.value);
  Offset from = range->first;
  while (from < range->end) {
    const auto fetched = journal->fetch(where, from, 1 + random.below(20'000));
    if (!fetched.ok()) return "fetch: " + fetched.error().to_string();
    if (fetched->batches.empty() || fetched->batches.front().first > from || fetched->next <= from) {
      return "fetch from " + std::to_string(from.value) + " answers the wrong batch";
    }
    from = Offset(fetched->next.value);
  }
  return {};
}

std::string JournalWorld::check_position() {
  const auto stored = journal->last_position("p");
  const auto it = positions_.upper_bound(journal->durable_cut());
  const std::string due = it == positions_.begin() ? "" : std::prev(it)->second;
  const std::string got = stored.ok() ? *stored : "";
  return due == got ? "" : "the position is " + got + " and should be " + due;
}

}  // namespace millrace::log
