#include "tests/conformance/log_writer.h"

#include <algorithm>

#include "base/bytes.h"
#include "log/record_batch.h"

namespace millrace::conformance {
namespace {

constexpr uint32_t kStreams = 3;
constexpr uint16_t kPartitions = 2;
constexpr size_t kBaseOffset = 8;

std::string text(StreamPartition where) {
  return std::to_string(where.stream.value) + "/" + std::to_string(where.partition.value);
}
std::string text(Offset offset) {
  return std::to_string(offset.value);
}

}  // namespace

bool LogWriter::send(size_t largest_value) {
  log::Group group;
  Sent sent;
  const uint64_t batches = random_.below(5);
  for (uint64_t i = 0; i < batches; ++i) {
    const StreamPartition where{StreamId(1 + static_cast<uint32_t>(random_.below(kStreams))),
                                PartitionId(static_cast<uint16_t>(random_.below(kPartitions)))};
    log::RecordBatchBuilder builder;
    for (uint64_t n = 1 + random_.below(5); n > 0; --n) {
      const std::string value = std::to_string(sent_.size()) + "." + std::to_string(i) + " ";
      builder.add(std::nullopt, value + std::string(random_.below(largest_value), 'x'), 1000);
    }
    group.batches.push_back({where, builder.finish()});
    sent.batches.emplace_back(where, group.batches.back().batch.substr(kBaseOffset));
  }
  std::vector<log::NamedPosition> positions;
  if (batches == 0 || random_.chance(3)) {
    sent.position = std::to_string(sent_.size());
    positions.push_back({"writer", sent.position});
  }
  const auto ticket = subject_.log().append_group(std::move(group), std::move(positions));
  if (!ticket.ok()) return false;
  sent.ticket = *ticket;
  sent_.push_back(std::move(sent));
  return true;
}

std::string LogWriter::take_answers() {
  std::vector<log::Outcome> outcomes;
  subject_.log().poll_outcomes(outcomes);
  for (const auto& outcome : outcomes) {
    if (auto broken = take_answer(outcome); !broken.empty()) return broken;
  }
  return {};
}

std::string LogWriter::take_answer(const log::Outcome& outcome) {
  const auto sent = std::find_if(sent_.begin(), sent_.end(), [&](const Sent& s) {
    return s.fate == Fate::kOpen && s.ticket == outcome.ticket;
  });
  const std::string ticket = "ticket " + std::to_string(outcome.ticket);
  if (sent == sent_.end()) return ticket + " was answered twice or never given";
  sent->fate = outcome.committed ? Fate::kCommitted : Fate::kAborted;
  if (outcome.places.size() != (outcome.committed ? sent->batches.size() : 0)) {
    return ticket + " has " + std::to_string(outcome.places.size()) + " places";
  }
  for (size_t i = 0; i < outcome.places.size(); ++i) {
    const auto& place = outcome.places[i];
    if (place.where != sent->batches[i].first) return ticket + " was put into another partition";
    // What is answered can be fetched.
    const auto fetched = subject_.log().fetch(place.where, place.first, 1);
    if (!fetched.ok()) return ticket + ": " + fetched.error().to_string();
    if (fetched->batches.empty() || fetched->batches[0].first != place.first ||
        fetched->batches[0].bytes.view().substr(kBaseOffset) != sent->batches[i].second) {
      return ticket + " was answered, and another batch is at its place";
    }
  }
  sent->places = outcome.places;
  return {};
}

std::string LogWriter::settle() {
  for (int i = 0; i < 20'000 && unanswered() > 0; ++i) {
    subject_.turn();
    if (auto broken = take_answers(); !broken.empty()) return broken;
  }
  return unanswered() == 0 ? "" : std::to_string(unanswered()) + " tickets are never answered";
}

void LogWriter::restarted() {
  for (auto& sent : sent_) {
    if (sent.fate == Fate::kOpen) sent.fate = Fate::kUnknown;
  }
}

size_t LogWriter::unanswered() const {
  return static_cast<size_t>(
      std::count_if(sent_.begin(), sent_.end(), [](const Sent& s) { return s.fate == Fate::kOpen; }));
}
size_t LogWriter::committed() const {
  return static_cast<size_t>(
      std::count_if(sent_.begin(), sent_.end(), [](const Sent& s) { return s.fate == Fate::kCommitted; }));
}

std::string LogWriter::check() {
  std::map<std::string, Found> found;
  for (uint32_t stream = 1; stream <= kStreams; ++stream) {
    for (uint16_t partition = 0; partition < kPartitions; ++partition) {
      if (auto broken = read_partition({StreamId(stream), PartitionId(partition)}, found); !broken.empty()) {
        return broken;
      }
    }
  }
  std::map<StreamPartition, Offset> last;
  for (auto& sent : sent_) {
    if (auto broken = check_group(sent, found, last); !broken.empty()) {
      return "ticket " + std::to_string(sent.ticket) + ": " + broken;
    }
  }
  if (!found.empty()) return "a batch at " + text(found.begin()->second.first) + " was never sent";
  return check_position();
}

std::string LogWriter::read_partition(StreamPartition where, std::map<std::string, Found>& found) {
  const auto range = subject_.log().range(where);
  if (!range.ok()) return range.error().to_string();
  Offset from = range->first;
  while (from < range->end) {
    const auto fetched = subject_.log().fetch(where, from, 1 + random_.below(20'000));
    if (!fetched.ok()) return "fetch " + text(where) + ": " + fetched.error().to_string();
    if (auto broken = take_fetched(where, from, *fetched, found); !broken.empty()) {
      return "fetch " + text(where) + " from " + text(from) + ": " + broken;
    }
    if (fetched->batches.empty()) break;
    from = fetched->next;
  }
  const auto at_end = subject_.log().fetch(where, range->end, 1000);
  if (!at_end.ok() || !at_end->batches.empty()) return "there is something at the end of " + text(where);
  const auto beyond = subject_.log().fetch(where, Offset(range->end.value + 1), 1000);
  if (beyond.ok() || beyond.error().code != Code::kInvalid) return "an offset beyond the end is no error";
  return {};
}

std::string LogWriter::take_fetched(StreamPartition where, Offset from, const log::Fetched& fetched,
                                    std::map<std::string, Found>& found) {
  int64_t at = from.value;
  for (const auto& batch : fetched.batches) {
    const auto view = log::RecordBatchView::parse(batch.bytes.view(), true);
    if (!view.ok()) return view.error().to_string();
    const bool first = &batch == &fetched.batches.front();
    if (view->base_offset() != batch.first || view->count() != batch.count)
      return "a batch is not as announced";
    if (batch.first.value + batch.count <= at || (!first && batch.first.value < at))
      return "batches out of order";
    at = batch.first.value + batch.count;
    const std::string content(batch.bytes.view().substr(kBaseOffset));
    if (!found.emplace(content, Found{where, batch.first}).second) return "a batch is there twice";
  }
  if (fetched.next.value < at || fetched.next > fetched.end) return "it goes on at " + text(fetched.next);
  return {};
}

std::string LogWriter::check_group(Sent& sent, std::map<std::string, Found>& found,
                                   std::map<StreamPartition, Offset>& last) {
  std::vector<log::BatchPlace> places;
  size_t forgotten = 0;
  for (size_t i = 0; i < sent.batches.size(); ++i) {
    const auto& [where, content] = sent.batches[i];
    const auto it = found.find(content);
    const bool known = i < sent.places.size();
    if (it == found.end()) {
      if (known && sent.places[i].first < subject_.log().range(where)->first) ++forgotten;
      continue;
    }
    if (it->second.where != where) return "a batch is in another partition";
    if (known && it->second.first != sent.places[i].first)
      return "a batch is not where it was answered to be";
    const auto before = last.find(where);
    if (before != last.end() && before->second >= it->second.first) return "it overtook an earlier group";
    last[where] = it->second.first;
    places.push_back({where, it->second.first, 0});
    found.erase(it);
  }
  const bool whole = places.size() + forgotten == sent.batches.size();
  if (sent.fate == Fate::kOpen) return {};
  if (sent.fate == Fate::kCommitted && !whole) return "it was answered and is not there";
  if (sent.fate == Fate::kAborted && !places.empty()) return "it was aborted and is there";
  if (sent.fate != Fate::kUnknown || sent.batches.empty()) return {};
  if (!places.empty() && !whole) return "half of it is there";
  sent.fate = whole ? Fate::kCommitted : Fate::kAborted;
  if (whole) sent.places = std::move(places);
  return {};
}

// The last committed one. Where a group of a position alone was not answered, either may hold.
std::string LogWriter::check_position() {
  const auto stored = subject_.log().last_position("writer");
  if (!stored.ok() && stored.error().code != Code::kNotFound) return stored.error().to_string();
  const std::string got = stored.ok() ? *stored : "";
  for (auto sent = sent_.rbegin(); sent != sent_.rend(); ++sent) {
    if (sent->position.empty() || sent->fate == Fate::kAborted) continue;
    const bool same = sent->position == got;
    if (sent->fate == Fate::kUnknown) sent->fate = same ? Fate::kCommitted : Fate::kAborted;
    if (same || sent->fate == Fate::kOpen) return {};
    if (sent->fate == Fate::kCommitted) return "the position is " + got + " and not " + sent->position;
  }
  return got.empty() ? "" : "the position " + got + " was never committed";
}

}  // namespace millrace::conformance
