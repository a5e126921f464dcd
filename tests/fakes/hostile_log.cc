#include "tests/fakes/hostile_log.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "log/record_batch.h"

namespace millrace::fakes {
namespace {

constexpr size_t kGroupBytes = 64;  // an empty group takes memory too
constexpr size_t kMostGroups = 4;   // of one transaction

}  // namespace

HostileLog::HostileLog(std::shared_ptr<Store> store, const Clock& clock, uint64_t seed, Options options)
    : store_(std::move(store)),
      clock_(clock),
      random_(seed),
      options_(options),
      epoch_(++store_->writer),
      next_ticket_(1 + random_.below(1000)) {
  write_markers(true);
}
HostileLog::~HostileLog() = default;

Result<log::Ticket> HostileLog::append_group(log::Group group, std::vector<log::NamedPosition> positions) {
  if (fenced()) {
    return error(Code::kConflict, "MR-LOG-0020", "another process has taken this log over",
                 "end this process");
  }
  if (random_.chance(options_.refuse_one_in)) {
    return error(Code::kUnavailable, "MR-LOG-0021", "no leader for a partition just now", "retry shortly");
  }
  if (group.batches.empty() && group.controls.empty() && positions.empty()) {
    return error(Code::kInvalid, "MR-LOG-0016", "a group without batches and controls cannot be appended");
  }
  Pending pending{next_ticket_, std::move(group), std::move(positions), {}, kGroupBytes};
  for (const auto& batch : pending.group.batches) {
    TRY_ASSIGN(const auto view, log::RecordBatchView::parse(batch.batch, true));
    pending.counts.push_back(view.count());
    pending.bytes += batch.batch.size();
  }
  for (const auto& control : pending.group.controls) pending.bytes += control.payload.size();
  for (const auto& position : pending.positions)
    pending.bytes += position.name.size() + position.position.size();
  const bool full = !pending_.empty() && pending_bytes_ + pending.bytes > options_.pending_bytes;
  if (full && !broken(Broken::kUnbounded)) {
    return error(Code::kExhausted, "MR-LOG-0003", "too much is waiting for the brokers", "retry shortly");
  }
  pending_bytes_ += pending.bytes;
  pending_.push_back(std::move(pending));
  next_ticket_ += 1 + random_.below(3);
  return pending_.back().ticket;
}

std::vector<HostileLog::Pending> HostileLog::take_transaction() {
  std::vector<Pending> groups;
  for (auto n = 1 + random_.below(kMostGroups); n > 0 && !pending_.empty(); --n) {
    pending_bytes_ -= pending_.front().bytes;
    groups.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  if (broken(Broken::kReorder)) std::reverse(groups.begin(), groups.end());
  return groups;
}

// All of them or none: from here on nothing changes it any more.
void HostileLog::decide(std::vector<Pending> groups, bool commits) {
  auto& closing = store_->closing.emplace();
  for (auto& pending : groups) {
    for (const auto& batch : pending.group.batches) closing.unmarked.insert(batch.where);
    if (!commits) {
      abort(pending);
      if (!broken(Broken::kPositionAlone)) continue;
    } else {
      if (broken(Broken::kTwice) && random_.chance(8)) commit(pending);
      decided_.push_back(commit(pending));
      if (broken(Broken::kLosePosition)) continue;
    }
    for (auto& [name, position] : pending.positions) closing.positions[name] = std::move(position);
  }
  if (broken(Broken::kAnswerEarly)) release_answers();
}

log::Outcome HostileLog::commit(const Pending& pending) {
  log::Outcome outcome{pending.ticket, true, {}};
  for (size_t i = 0; i < pending.group.batches.size(); ++i) {
    const auto& [where, batch] = pending.group.batches[i];
    auto& partition = store_->partitions[where];
    const Offset first(partition.end.value + static_cast<int64_t>(random_.chance(3) ? random_.below(4) : 0));
    outcome.places.push_back({where, first, pending.counts[i]});
    partition.end = Offset(first.value + pending.counts[i]);
    if (broken(Broken::kHalfGroup) && i > 0) continue;
    std::string bytes = batch;
    store_be<int64_t>(bytes.data(), first.value);
    partition.batches.push_back(
        {first, pending.counts[i], AppendTime(clock_.wall_us()), Buffer::adopt(std::move(bytes))});
  }
  return outcome;
}

// Its offsets are used up all the same.
void HostileLog::abort(const Pending& pending) {
  if (broken(Broken::kKeepAborted)) {
    commit(pending);
  } else {
    for (size_t i = 0; i < pending.group.batches.size(); ++i)
      store_->partitions[pending.group.batches[i].where].end.value += pending.counts[i];
  }
  decided_.push_back({pending.ticket, false, {}});
}

// A marker takes an offset, too. Until it is there the partition's readers see nothing of the transaction;
// what it carries of positions is one more partition.
void HostileLog::write_markers(bool all) {
  if (!store_->closing) return;
  auto& closing = *store_->closing;
  for (auto where = closing.unmarked.begin(); where != closing.unmarked.end();) {
    if (!all && random_.chance(2)) {
      ++where;
      continue;
    }
    auto& partition = store_->partitions[*where];
    ++partition.end.value;
    partition.stable = partition.end;
    where = closing.unmarked.erase(where);
  }
  if (!closing.unmarked.empty()) return;
  for (auto& [name, position] : closing.positions) store_->positions[name] = std::move(position);
  store_->closing.reset();
  release_answers();
}

void HostileLog::release_answers() {
  std::move(decided_.begin(), decided_.end(), std::back_inserter(answers_));
  decided_.clear();
}

void HostileLog::poll_outcomes(std::vector<log::Outcome>& out) {
  if (fenced()) {  // the brokers take nothing from it any more
    for (const auto& pending : take_transaction()) answers_.push_back({pending.ticket, false, {}});
  } else {
    write_markers(false);
    if (!store_->closing && !pending_.empty() && random_.chance(2))
      decide(take_transaction(), !random_.chance(options_.abort_one_in));
  }
  for (auto n = random_.below(answers_.size() + 1); n > 0; --n) {
    const auto chosen = answers_.begin() + static_cast<ptrdiff_t>(random_.below(answers_.size()));
    out.push_back(std::move(*chosen));
    answers_.erase(chosen);
  }
}

void HostileLog::die() {
  for (auto n = random_.below(3); n > 0 && !pending_.empty() && !fenced(); --n) {
    write_markers(true);
    decide(take_transaction(), !random_.chance(options_.abort_one_in));
  }
  pending_.clear();
  decided_.clear();
  ++store_->writer;
}

void HostileLog::forget_some() {
  for (auto& [where, partition] : store_->partitions) {
    const auto seen = std::find_if(partition.batches.begin(), partition.batches.end(),
                                   [&](const Stored& b) { return b.first >= partition.stable; });
    const auto n =
        static_cast<ptrdiff_t>(random_.below(static_cast<uint64_t>(seen - partition.batches.begin()) + 1));
    if (broken(Broken::kForgetNew)) {
      partition.batches.erase(seen - n, seen);
      continue;
    }
    const auto kept = partition.batches.begin() + n;
    partition.first = kept == seen ? partition.stable : kept->first;
    partition.batches.erase(partition.batches.begin(), kept);
  }
}

// What readers see of a partition from an offset on: at least one batch, if there is one.
std::vector<HostileLog::Stored> HostileLog::visible(const Store::Partition& partition, Offset from,
                                                    size_t max_bytes) {
  std::vector<Stored> batches;
  size_t bytes = 0;
  bool skipped = false;
  for (const auto& b : partition.batches) {
    if (b.first.value + b.count <= from.value) continue;
    if (b.first >= partition.stable && !broken(Broken::kReadUncommitted)) break;
    if (!batches.empty() && (bytes >= max_bytes || random_.chance(3))) break;
    if (broken(Broken::kSkip) && !std::exchange(skipped, true) && b.first > from) continue;
    batches.push_back(b);
    bytes += b.bytes.size();
  }
  return batches;
}

// Record by record, as a client library hands them out: a batch begins where the reader asked, ends where a
// gap is or anywhere else.
void HostileLog::answer_cut_anew(const std::vector<Stored>& batches, Offset from, size_t max_bytes,
                                 std::vector<log::FetchedBatch>& out) {
  log::RecordBatchBuilder builder;
  Offset first;
  size_t bytes = 0;
  const auto finish = [&] {
    if (builder.empty()) return;
    const uint32_t count = builder.count();
    std::string batch = builder.finish();
    bytes += batch.size();
    store_be<int64_t>(batch.data(), first.value);
    out.push_back({first, count, Buffer::adopt(std::move(batch))});
  };
  for (const auto& b : batches) {
    const auto view = log::RecordBatchView::parse(b.bytes.view(), false);
    CHECK(view.ok(), "a batch that was taken in does not parse");
    log::RecordBatchView::Cursor cursor(*view);
    for (log::Record record; cursor.next(record);) {
      if (record.offset < from) continue;
      const bool adjacent = first.value + builder.count() == record.offset.value;
      if (!adjacent || random_.chance(4)) finish();
      if (bytes >= max_bytes) return;
      if (builder.empty()) first = record.offset;
      builder.add(record.key, record.value, record.timestamp_ms);
    }
  }
  finish();
}

Result<log::Fetched> HostileLog::fetch(StreamPartition where, Offset from, size_t max_bytes) {
  const auto& partition = store_->partitions[where];
  if (from < partition.first) return error(Code::kGone, "MR-LOG-0011", "removed by retention");
  if (from > partition.stable) return error(Code::kInvalid, "MR-LOG-0012", "beyond the end");
  log::Fetched out{{}, from, partition.stable};
  const auto batches = visible(partition, from, max_bytes);
  if (batches.empty()) {
    if (!broken(Broken::kStandStill)) out.next = partition.stable;  // nothing but aborted ones and markers
    return out;
  }
  if (random_.chance(2)) {
    answer_cut_anew(batches, from, max_bytes, out.batches);
  } else {
    for (const auto& b : batches) out.batches.push_back({b.first, b.count, b.bytes});
  }
  out.next = Offset(out.batches.back().first.value + out.batches.back().count);
  return out;
}

Result<log::OffsetRange> HostileLog::range(StreamPartition where) {
  const auto it = store_->partitions.find(where);
  if (it == store_->partitions.end()) return log::OffsetRange{Offset(0), Offset(0)};
  return log::OffsetRange{it->second.first, it->second.stable};
}

Result<Offset> HostileLog::offset_at(StreamPartition where, AppendTime time) {
  const auto it = store_->partitions.find(where);
  if (it == store_->partitions.end()) return Offset(0);
  const auto& [batches, first, stable, end] = it->second;
  for (const auto& b : batches) {
    if (b.first >= stable || b.time < time) continue;
    return broken(Broken::kEarlierTime) && &b != &batches.front() ? (&b - 1)->first : b.first;
  }
  return stable;
}

Result<std::string> HostileLog::last_position(const std::string& name) {
  const auto it = store_->positions.find(name);
  if (it == store_->positions.end()) return error(Code::kNotFound, "MR-LOG-0013", "no position " + name);
  return it->second;
}

}  // namespace millrace::fakes
