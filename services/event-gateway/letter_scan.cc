#include "event-gateway/letter_scan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "formats/json.h"

namespace millrace::gateway {
namespace {

constexpr int64_t kWindow = 256;  // letters that are read before the newest of them is handed on
constexpr size_t kPageBytes = 4u << 20;

// In the order of sql::dead_letter_schema().
enum LetterColumn : uint8_t {
  kAt,
  kCause,
  kCode,
  kMessage,
  kStream,
  kPartition,
  kOffset,
  kQuery,
  kLateness,
  kPayload
};

std::vector<int> all_of(const Schema& schema) {
  std::vector<int> wanted(schema.size());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<int>(i);
  return wanted;
}

std::string text_at(const Batch& batch, LetterColumn column, size_t row) {
  const Column& values = batch.columns[column];
  return values.is_null(row) ? std::string() : std::string(values.texts[row]);
}

std::optional<int64_t> number_at(const Batch& batch, LetterColumn column, size_t row) {
  const Column& values = batch.columns[column];
  if (values.is_null(row)) return std::nullopt;
  return values.integers[row];
}

Letter letter_at(const Batch& batch, size_t row, const engine::StoredEvent& event) {
  Letter letter;
  letter.number = event.offset;
  letter.filed = event.time;
  letter.frame = event.after.index == 0 ? Cut(event.after.cut.value - 1) : event.after.cut;
  letter.arrived = Timestamp{number_at(batch, kAt, row).value_or(0)};
  letter.cause = text_at(batch, kCause, row);
  letter.code = text_at(batch, kCode, row);
  letter.message = text_at(batch, kMessage, row);
  letter.stream = text_at(batch, kStream, row);
  letter.query = text_at(batch, kQuery, row);
  letter.payload = text_at(batch, kPayload, row);
  letter.lateness_ms = number_at(batch, kLateness, row);
  if (const auto partition = number_at(batch, kPartition, row))
    letter.partition = PartitionId(static_cast<uint16_t>(*partition));
  if (const auto offset = number_at(batch, kOffset, row)) letter.offset = Offset(*offset);
  return letter;
}

class Scan : public std::enable_shared_from_this<Scan> {
 public:
  Scan(log::Journal& journal, engine::StreamReads& streams, engine::StreamPtr stream,
       const LetterStates& states, LetterScanRequest request, LetterVisit visit, LetterScanDone done)
      : journal_(journal),
        streams_(streams),
        stream_(std::move(stream)),
        states_(states),
        request_(std::move(request)),
        visit_(std::move(visit)),
        done_(std::move(done)) {}

  void begin() {
    const auto kept = journal_.range({stream_->id, PartitionId(0)});
    if (!kept.ok()) return done_(kept.error());
    first_ = kept->first.value;
    end_ = kept->end.value;
    if (request_.after && request_.newest_first) end_ = std::min(end_, request_.after->value);
    if (request_.after && !request_.newest_first) first_ = std::max(first_, request_.after->value + 1);
    next_window();
  }

 private:
  void next_window() {
    if (first_ >= end_) return done_(std::optional<Offset>());
    if (scanned_ >= request_.most_scanned) return done_(go_on());
    const auto size = std::min(kWindow, static_cast<int64_t>(request_.most_scanned - scanned_));
    window_ = request_.newest_first ? engine::Interval64{std::max(first_, end_ - size), end_ - 1}
                                    : engine::Interval64{first_, std::min(end_, first_ + size) - 1};
    place_ = streams_.start_of(*stream_);
    next_page();
  }

  // The last one that was looked at.
  std::optional<Offset> go_on() const { return Offset(request_.newest_first ? end_ : first_ - 1); }

  void next_page() {
    engine::StreamReadRequest page;
    page.stream = stream_;
    page.partition = PartitionId(0);
    page.place = place_;
    page.range = {window_, request_.filter.filed_us};
    page.kept_only = true;
    page.max_bytes = kPageBytes;
    streams_.read(std::move(page), [self = shared_from_this()](Result<engine::StreamReadAnswer> answer) {
      if (!answer.ok()) return self->done_(std::move(answer).error());
      self->take(*answer);
    });
  }

  void take(const engine::StreamReadAnswer& answer) {
    if (!answer.events.empty()) decode(answer.events);
    place_ = answer.next;
    if (!answer.at_end && !answer.events.empty()) return next_page();
    hand_on();
  }

  void decode(const std::vector<engine::StoredEvent>& events) {
    formats::JsonDecoder decoder(stream_->columns, all_of(stream_->columns));
    Batch batch;
    batch.set_schema(stream_->columns);
    std::vector<std::string_view> values;
    for (const auto& event : events) values.push_back(event.value);
    std::vector<RowError> errors;
    decoder.decode(values, batch, errors);
    for (size_t row = 0; row < batch.rows; ++row) {
      Letter letter = letter_at(batch, row, events[row]);
      letter.tenant = request_.tenant;
      if (const auto* state = states_.find(request_.tenant, letter.number)) letter.state = *state;
      if (request_.filter.passes(letter)) found_.push_back(std::move(letter));
    }
  }

  void hand_on() {
    if (request_.newest_first) std::reverse(found_.begin(), found_.end());
    for (Letter& letter : found_) {
      const Offset number = letter.number;
      if (visit_(std::move(letter))) continue;
      const bool last = request_.newest_first ? number.value == first_ : number.value == end_ - 1;
      return done_(last ? std::nullopt : std::optional(number));
    }
    found_.clear();
    scanned_ += static_cast<size_t>(window_.last - window_.first + 1);
    (request_.newest_first ? end_ : first_) = request_.newest_first ? window_.first : window_.last + 1;
    next_window();
  }

  log::Journal& journal_;
  engine::StreamReads& streams_;
  const engine::StreamPtr stream_;
  const LetterStates& states_;
  const LetterScanRequest request_;
  const LetterVisit visit_;
  const LetterScanDone done_;
  int64_t first_ = 0, end_ = 0;  // what is left to be looked at
  engine::Interval64 window_;
  engine::StreamPlace place_;
  std::vector<Letter> found_;  // in the window
  size_t scanned_ = 0;
};

}  // namespace

bool LetterFilter::passes(const Letter& letter) const {
  const auto fits = [](const std::string& wanted, std::string_view has) {
    return wanted.empty() || wanted == has;
  };
  return fits(query, letter.query) && fits(stream, letter.stream) && fits(code, letter.code) &&
         fits(cause, letter.cause) && fits(state, letter.state.name());
}

void scan_letters(log::Journal& journal, engine::StreamReads& streams, engine::StreamPtr stream,
                  const LetterStates& states, LetterScanRequest request, LetterVisit visit,
                  LetterScanDone done) {
  std::make_shared<Scan>(journal, streams, std::move(stream), states, std::move(request), std::move(visit),
                         std::move(done))
      ->begin();
}

}  // namespace millrace::gateway
