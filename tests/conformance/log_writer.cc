#include "tests/conformance/log_writer.h"

#include <algorithm>

#include "log/record_batch.h"

namespace millrace::conformance {
namespace {

constexpr const char* kNames[] = {"left", "right"};  // of positions

std::string text(StreamPartition where) {
  return std::to_string(where.stream.value) + "/" + std::to_string(where.partition.value);
}
std::string text(Offset offset) {
  return std::to_string(offset.value);
}
std::string key_of(const std::string& value) {
  return value.substr(0, value.find(' '));
}
Offset end_of(const log::BatchPlace& place) {
  return Offset(place.first.value + place.count);
}

}  // namespace

Error broken(std::string rule) {
  return error(Code::kInternal, "MR-TEST-0002", std::move(rule));
}

LogWriter::SentBatch LogWriter::make_batch(uint64_t number, size_t largest_value, log::Group& group) {
  SentBatch batch;
  batch.where = {StreamId(1 + static_cast<uint32_t>(random_.below(kStreams))),
                 PartitionId(static_cast<uint16_t>(random_.below(kPartitions)))};
  log::RecordBatchBuilder builder;
  for (uint64_t n = 1 + random_.below(5); n > 0; --n) {
    const std::string name =
        std::to_string(sent_.size()) + "." + std::to_string(number) + "." + std::to_string(n);
    batch.records.push_back(name + " " + std::string(random_.below(largest_value), 'x'));
    builder.add(name, batch.records.back(), 1000);
  }
  group.batches.push_back({batch.where, builder.finish()});
  return batch;
}

bool LogWriter::send(size_t largest_value) {
  log::Group group;
  Sent sent;
  const uint64_t batches = random_.below(5);
  for (uint64_t i = 0; i < batches; ++i) sent.batches.push_back(make_batch(i, largest_value, group));
  for (const char* name : kNames) {
    if (random_.chance(3)) sent.positions[name] = std::to_string(sent_.size());
  }
  if (batches == 0 && sent.positions.empty()) sent.positions[kNames[0]] = std::to_string(sent_.size());
  std::vector<log::NamedPosition> positions;
  for (const auto& [name, position] : sent.positions) positions.push_back({name, position});
  auto ticket = subject_.log().append_group(std::move(group), std::move(positions));
  refusal_.reset();
  if (!ticket.ok()) {
    refusal_ = std::move(ticket).error();
    return false;
  }
  sent.ticket = *ticket;
  sent_.push_back(std::move(sent));
  return true;
}

Status LogWriter::take_answers() {
  std::vector<log::Outcome> outcomes;
  subject_.log().poll_outcomes(outcomes);
  for (const auto& outcome : outcomes) TRY(take_answer(outcome));
  return {};
}

Status LogWriter::take_answer(const log::Outcome& outcome) {
  const auto sent = std::find_if(sent_.begin(), sent_.end(), [&](const Sent& s) {
    return s.fate == Fate::kOpen && s.ticket == outcome.ticket;
  });
  const std::string ticket = "ticket " + std::to_string(outcome.ticket);
  if (sent == sent_.end()) return broken(ticket + " was answered twice or never given");
  sent->fate = outcome.committed ? Fate::kCommitted : Fate::kAborted;
  if (outcome.places.size() != (outcome.committed ? sent->batches.size() : 0))
    return broken(ticket + " has " + std::to_string(outcome.places.size()) + " places");
  for (size_t i = 0; i < outcome.places.size(); ++i) TRY(check_answered(sent->batches[i], outcome.places[i]));
  sent->places = outcome.places;
  return {};
}

// What is answered can be fetched, at once.
Status LogWriter::check_answered(const SentBatch& batch, const log::BatchPlace& place) {
  if (place.where != batch.where) return broken("a batch was put into another partition");
  if (place.count != batch.records.size()) return broken("a place is of another batch");
  Records found;
  for (Offset from = place.first; from < end_of(place);) {
    TRY_ASSIGN(const auto fetched, subject_.log().fetch(place.where, from, 1));
    if (fetched.batches.empty()) return broken("a batch was answered and is not there");
    TRY(read_fetched(place.where, from, 1, fetched, found));
    from = fetched.next;
  }
  for (size_t n = 0; n < batch.records.size(); ++n) {
    const auto it = found.find(batch.records[n]);
    const Offset wanted(place.first.value + static_cast<int64_t>(n));
    if (it == found.end() || it->second.offset != wanted)
      return broken("a batch was answered, and another record is at " + text(wanted));
  }
  return {};
}

Status LogWriter::settle() {
  for (int i = 0; i < 20'000 && unanswered() > 0; ++i) {
    subject_.turn();
    TRY(take_answers());
  }
  if (unanswered() == 0) return {};
  return broken(std::to_string(unanswered()) + " tickets are never answered");
}

void LogWriter::restarted() {
  for (auto& sent : sent_) {
    if (sent.fate == Fate::kOpen) sent.fate = Fate::kUnknown;
  }
  for (auto& [where, range] : ranges_) range.first = Offset(0);
}

size_t LogWriter::unanswered() const {
  return static_cast<size_t>(
      std::count_if(sent_.begin(), sent_.end(), [](const Sent& s) { return s.fate == Fate::kOpen; }));
}
size_t LogWriter::committed() const {
  return static_cast<size_t>(
      std::count_if(sent_.begin(), sent_.end(), [](const Sent& s) { return s.fate == Fate::kCommitted; }));
}

Status LogWriter::check() {
  Records found;
  for (uint32_t stream = 1; stream <= kStreams; ++stream) {
    for (uint16_t partition = 0; partition < kPartitions; ++partition)
      TRY(read_partition({StreamId(stream), PartitionId(partition)}, found));
  }
  TRY(check_seen(found));
  Ends last;
  size_t records = 0;
  for (auto& sent : sent_) {
    TRY(check_group(sent, found, last));
    for (const auto& batch : sent.batches) {
      for (const auto& record : batch.records) records += found.count(record);
    }
  }
  if (records != found.size()) return broken("there are records that were never sent");
  for (const char* name : kNames) TRY(check_position(name));
  seen_ = std::move(found);
  return {};
}

// What was fetched once stays where it is: only what is committed is fetched, only retention removes.
Status LogWriter::check_seen(const Records& found) {
  for (const auto& [value, at] : seen_) {
    if (at.offset < ranges_.at(at.where).first) continue;
    const auto now = found.find(value);
    if (now == found.end()) return broken("record " + key_of(value) + " was fetched once and is not there");
    if (now->second.where != at.where || now->second.offset != at.offset)
      return broken("record " + key_of(value) + " moved");
  }
  return {};
}

Status LogWriter::check_range(StreamPartition where, log::OffsetRange range) {
  const auto before = ranges_.find(where);
  if (range.first > range.end) return broken("the range of " + text(where) + " is upside down");
  if (before != ranges_.end() && (range.first < before->second.first || range.end < before->second.end))
    return broken("the range of " + text(where) + " went back");
  ranges_[where] = range;
  return {};
}

Status LogWriter::read_partition(StreamPartition where, Records& found) {
  TRY_ASSIGN(const auto range, subject_.log().range(where));
  TRY(check_range(where, range));
  for (Offset from = range.first; from < range.end;) {
    const size_t max_bytes = 1 + random_.below(20'000);
    TRY_ASSIGN(const auto fetched, subject_.log().fetch(where, from, max_bytes));
    TRY(read_fetched(where, from, max_bytes, fetched, found));
    if (fetched.next <= from) return broken("a fetch from " + text(from) + " does not move on");
    from = fetched.next;
  }
  return check_end(where, range.end);
}

Status LogWriter::check_end(StreamPartition where, Offset end) {
  TRY_ASSIGN(const auto at_end, subject_.log().fetch(where, end, 1000));
  if (!at_end.batches.empty()) return broken("there is something at the end of " + text(where));
  const auto beyond = subject_.log().fetch(where, Offset(end.value + 1), 1000);
  if (beyond.ok() || beyond.error().code != Code::kInvalid)
    return broken("an offset beyond the end is no error");
  return {};
}

Status LogWriter::read_fetched(StreamPartition where, Offset from, size_t max_bytes,
                               const log::Fetched& fetched, Records& found) {
  Offset at = from;
  size_t bytes = 0;
  for (const auto& batch : fetched.batches) {
    const Offset end(batch.first.value + batch.count);
    if (bytes >= max_bytes) return broken("more than was asked for");
    if (end <= at || (bytes > 0 && batch.first < at)) return broken("batches out of order");
    TRY(read_batch(where, from, batch, found));
    bytes += batch.bytes.size();
    at = end;
  }
  if (at > fetched.end) return broken("there is something beyond the end");
  if (fetched.next < at || fetched.next > fetched.end)
    return broken("a fetch from " + text(from) + " goes on at " + text(fetched.next));
  return {};
}

Status LogWriter::read_batch(StreamPartition where, Offset from, const log::FetchedBatch& batch,
                             Records& found) {
  TRY_ASSIGN(const auto view, log::RecordBatchView::parse(batch.bytes.view(), true));
  if (view.base_offset() != batch.first || view.count() != batch.count)
    return broken("a batch is not as announced");
  Offset next = batch.first;
  log::RecordBatchView::Cursor cursor(view);
  for (log::Record record; cursor.next(record); ++next.value) {
    if (record.offset != next) return broken("a batch has a gap");
    if (record.offset < from) continue;
    const std::string value(record.value);
    if (record.key != key_of(value)) return broken("a record lost its key");
    if (!found.emplace(value, Found{where, record.offset}).second) return broken("a record is there twice");
  }
  if (!cursor.ok()) return broken("the records of a batch do not parse");
  return {};
}

Status LogWriter::check_every_offset() {
  std::map<StreamPartition, std::vector<Offset>> offsets;
  for (const auto& [value, at] : seen_) offsets[at.where].push_back(at.offset);
  for (auto& [where, known] : offsets) {
    std::sort(known.begin(), known.end());
    for (Offset from = ranges_.at(where).first; from < ranges_.at(where).end; ++from.value) {
      TRY_ASSIGN(const auto fetched, subject_.log().fetch(where, from, 1));
      const auto wanted = std::lower_bound(known.begin(), known.end(), from);
      const bool some = !fetched.batches.empty();
      if (some != (wanted != known.end())) return broken("nothing, or too much, behind " + text(from));
      if (!some) continue;
      const auto& batch = fetched.batches.front();
      if (batch.first > *wanted || batch.first.value + batch.count <= wanted->value)
        return broken(text(from) + " does not lead to " + text(*wanted));
    }
  }
  return {};
}

Result<std::optional<Offset>> LogWriter::find_batch(const SentBatch& batch, const Records& found,
                                                    Ends& last) {
  std::optional<Offset> first;
  int64_t there = 0;
  for (size_t n = 0; n < batch.records.size(); ++n) {
    const auto it = found.find(batch.records[n]);
    if (it == found.end()) continue;
    const Offset base(it->second.offset.value - static_cast<int64_t>(n));
    if (it->second.where != batch.where) return broken("a record is in another partition");
    if (first.value_or(base) != base) return broken("a batch is torn apart");
    first = base;
    ++there;
  }
  if (!first) return first;
  const Offset kept = std::max(*first, ranges_.at(batch.where).first);
  if (there != first->value + static_cast<int64_t>(batch.records.size()) - kept.value)
    return broken("a part of a batch is there");
  const auto before = last.find(batch.where);
  if (before != last.end() && before->second >= *first) return broken("a group overtook an earlier one");
  last[batch.where] = *first;
  return first;
}

Status LogWriter::check_group(Sent& sent, const Records& found, Ends& last) {
  std::vector<log::BatchPlace> places;
  size_t forgotten = 0;
  for (size_t i = 0; i < sent.batches.size(); ++i) {
    const auto& batch = sent.batches[i];
    TRY_ASSIGN(const auto first, find_batch(batch, found, last));
    if (first) places.push_back({batch.where, *first, static_cast<uint32_t>(batch.records.size())});
    if (sent.places.empty()) continue;
    if (first && *first != sent.places[i].first) return broken("a batch is not where it was answered to be");
    if (!first && end_of(sent.places[i]) <= ranges_.at(batch.where).first) ++forgotten;
  }
  const std::string ticket = "ticket " + std::to_string(sent.ticket);
  const bool whole = places.size() + forgotten == sent.batches.size();
  if (sent.fate == Fate::kOpen) return {};
  if (sent.fate == Fate::kCommitted && !whole) return broken(ticket + " was answered and is not there");
  if (sent.fate == Fate::kAborted && !places.empty()) return broken(ticket + " was aborted and is there");
  if (sent.fate != Fate::kUnknown || sent.batches.empty()) return {};
  if (!places.empty() && !whole) return broken("half of " + ticket + " is there");
  sent.fate = whole ? Fate::kCommitted : Fate::kAborted;
  if (whole) sent.places = std::move(places);
  return {};
}

// The last committed one. What is open may hold already; where a group of positions alone was not answered
// before a restart, either may.
Status LogWriter::check_position(const std::string& name) {
  const auto stored = subject_.log().last_position(name);
  if (!stored.ok() && stored.error().code != Code::kNotFound) return stored.error();
  const std::string got = stored.ok() ? *stored : "";
  for (auto sent = sent_.rbegin(); sent != sent_.rend(); ++sent) {
    const auto position = sent->positions.find(name);
    if (position == sent->positions.end() || sent->fate == Fate::kAborted) continue;
    const bool same = position->second == got;
    if (sent->fate == Fate::kUnknown) sent->fate = same ? Fate::kCommitted : Fate::kAborted;
    if (same) return {};
    if (sent->fate == Fate::kCommitted)
      return broken("the position " + name + " is " + got + " and not " + position->second);
  }
  if (got.empty()) return {};
  return broken("the position " + name + " " + got + " was never committed");
}

}  // namespace millrace::conformance
