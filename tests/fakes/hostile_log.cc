#include "tests/fakes/hostile_log.h"

#include <algorithm>

#include "base/bytes.h"
#include "log/record_batch.h"

namespace millrace::fakes {
namespace {

constexpr size_t kGroupBytes = 64;  // an empty group takes memory too

}  // namespace

HostileLog::HostileLog(std::shared_ptr<Store> store, const Clock& clock, uint64_t seed, Options options)
    : store_(std::move(store)),
      clock_(clock),
      random_(seed),
      options_(options),
      epoch_(++store_->writer),
      next_ticket_(1 + random_.below(1000)) {}
HostileLog::~HostileLog() = default;

Result<log::Ticket> HostileLog::append_group(log::Group group, std::vector<log::NamedPosition> positions) {
  if (fenced()) {
    return error(Code::kConflict, "MR-LOG-0020", "another process has taken this log over",
                 "end this process");
  }
  if (random_.chance(options_.refuse_one_in)) {
    return error(Code::kUnavailable, "MR-LOG-0021", "no leader for a partition just now", "retry shortly");
  }
  Pending pending{next_ticket_, std::move(group), std::move(positions), {}, kGroupBytes};
  for (const auto& batch : pending.group.batches) {
    TRY_ASSIGN(const auto view, log::RecordBatchView::parse(batch.batch, true));
    pending.counts.push_back(view.count());
    pending.bytes += batch.batch.size();
  }
  for (const auto& position : pending.positions)
    pending.bytes += position.name.size() + position.position.size();
  if (!pending_.empty() && pending_bytes_ + pending.bytes > options_.pending_bytes) {
    return error(Code::kExhausted, "MR-LOG-0003", "too much is waiting for the brokers", "retry shortly");
  }
  pending_bytes_ += pending.bytes;
  pending_.push_back(std::move(pending));
  next_ticket_ += 1 + random_.below(3);
  return pending_.back().ticket;
}

void HostileLog::commit(Pending pending) {
  log::Outcome outcome{pending.ticket, true, {}};
  for (size_t i = 0; i < pending.group.batches.size(); ++i) {
    auto& [where, bytes] = pending.group.batches[i];
    auto& partition = store_->partitions[where];
    const Offset first(partition.end.value + static_cast<int64_t>(random_.chance(3) ? random_.below(4) : 0));
    store_be<int64_t>(bytes.data(), first.value);
    partition.end = Offset(first.value + pending.counts[i]);
    partition.batches.push_back(
        {first, pending.counts[i], AppendTime(clock_.wall_us()), Buffer::adopt(std::move(bytes))});
    outcome.places.push_back({where, first, pending.counts[i]});
  }
  for (auto& [name, position] : pending.positions) store_->positions[name] = std::move(position);
  answers_.push_back(std::move(outcome));
}

// Its offsets are used up all the same.
void HostileLog::abort(Pending pending) {
  for (size_t i = 0; i < pending.group.batches.size(); ++i) {
    auto& partition = store_->partitions[pending.group.batches[i].where];
    partition.end.value += pending.counts[i];
  }
  answers_.push_back({pending.ticket, false, {}});
}

void HostileLog::poll_outcomes(std::vector<log::Outcome>& out) {
  for (auto n = random_.below(4); n > 0 && !pending_.empty(); --n) {
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    pending_bytes_ -= next.bytes;
    fenced() || random_.chance(options_.abort_one_in) ? abort(std::move(next)) : commit(std::move(next));
  }
  for (auto n = random_.below(answers_.size() + 1); n > 0; --n) {
    const auto chosen = answers_.begin() + static_cast<ptrdiff_t>(random_.below(answers_.size()));
    out.push_back(std::move(*chosen));
    answers_.erase(chosen);
  }
}

void HostileLog::die() {
  for (auto n = random_.below(pending_.size() + 1); n > 0 && !fenced(); --n) {
    commit(std::move(pending_.front()));
    pending_.pop_front();
  }
  pending_.clear();
  ++store_->writer;
}

void HostileLog::forget_some() {
  for (auto& [where, partition] : store_->partitions) {
    const auto n = static_cast<ptrdiff_t>(random_.below(partition.batches.size() + 1));
    partition.batches.erase(partition.batches.begin(), partition.batches.begin() + n);
    partition.first = partition.batches.empty() ? partition.end : partition.batches.front().first;
  }
}

Result<log::Fetched> HostileLog::fetch(StreamPartition where, Offset from, size_t max_bytes) {
  const auto& partition = store_->partitions[where];
  if (from < partition.first) return error(Code::kGone, "MR-LOG-0011", "removed by retention");
  if (from > partition.end) return error(Code::kInvalid, "MR-LOG-0012", "beyond the end");
  log::Fetched out{{}, from, partition.end};
  size_t bytes = 0;
  for (const auto& b : partition.batches) {
    if (b.first.value + b.count <= from.value) continue;
    if (!out.batches.empty() && (bytes >= max_bytes || random_.chance(3))) return out;
    out.batches.push_back({b.first, b.count, b.bytes});
    out.next = Offset(b.first.value + b.count);
    bytes += b.bytes.size();
  }
  if (random_.chance(2)) out.next = partition.end;  // nothing but aborted ones follows
  return out;
}

Result<log::OffsetRange> HostileLog::range(StreamPartition where) {
  const auto it = store_->partitions.find(where);
  if (it == store_->partitions.end()) return log::OffsetRange{Offset(0), Offset(0)};
  return log::OffsetRange{it->second.first, it->second.end};
}

Result<Offset> HostileLog::offset_at(StreamPartition where, AppendTime time) {
  const auto it = store_->partitions.find(where);
  if (it == store_->partitions.end()) return Offset(0);
  for (const auto& b : it->second.batches) {
    if (b.time >= time) return b.first;
  }
  return it->second.end;
}

Result<std::string> HostileLog::last_position(const std::string& name) {
  const auto it = store_->positions.find(name);
  if (it == store_->positions.end()) return error(Code::kNotFound, "MR-LOG-0013", "no position " + name);
  return it->second;
}

}  // namespace millrace::fakes
