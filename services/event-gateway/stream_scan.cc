#include "event-gateway/stream_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/expr.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

using engine::StreamPlace;
using engine::StreamReadAnswer;

constexpr size_t kPageBytes = 4u << 20;
constexpr size_t kPageEvents = 65'536;

std::vector<int> all_of(const Schema& schema) {
  std::vector<int> wanted(schema.size());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<int>(i);
  return wanted;
}

class Scan : public std::enable_shared_from_this<Scan> {
 public:
  using Done = std::function<void(Result<std::shared_ptr<ScannedRows>>)>;
  Scan(engine::StreamReads& streams, engine::Background& background, ScanRequest request, Done done)
      : streams_(streams),
        background_(background),
        stream_(std::move(request.stream)),
        enough_(request.enough),
        share_(std::move(request.share)),
        max_memory_(request.max_memory),
        with_origins_(request.origins),
        done_(std::move(done)),
        end_(request.end.value_or(streams.end_of())),
        oldest_(streams.start_of(*stream_)),
        place_(oldest_),
        decoder_(stream_->columns, all_of(stream_->columns)),
        out_(std::make_shared<ScannedRows>()) {
    out_->rows.set_schema(stream_->columns);
    if (request.filter && enough_ != SIZE_MAX) filter_.emplace(request.filter);
  }

  void begin() {
    if (enough_ == 0) return done_(std::move(out_));
    next_page();
  }

 private:
  void next_page() {
    engine::StreamReadRequest request;
    request.stream = stream_;
    request.place = place_;
    request.limit = filter_ ? kPageEvents : std::min(kPageEvents, enough_ - passed_);
    request.max_bytes = kPageBytes;
    streams_.read(std::move(request), [self = shared_from_this()](Result<StreamReadAnswer> answer) {
      if (!answer.ok() && answer.error().code == Code::kGone && self->place_ != self->oldest_) {
        self->place_ = self->oldest_;  // retention overtook the scan: what it removed is not missed
        return self->next_page();
      }
      if (!answer.ok()) return self->done_(std::move(answer).error());
      self->take(std::move(*answer));
    });
  }

  void take(StreamReadAnswer answer) {
    values_.clear();
    origins_.clear();
    for (const auto& event : answer.events) {
      if (event.after.cut > end_.cut || (event.after.cut == end_.cut && event.after.index > 0)) break;
      values_.push_back(event.value);
      if (with_origins_) origins_.push_back({event.partition, event.offset, {}, event.time});
      bytes_ += event.value.size();
    }
    place_ = answer.next;
    last_ = answer.at_end || place_.cut >= end_.cut;
    const size_t rows = out_->rows.rows + values_.size();
    const size_t memory = bytes_ + bytes_of_columns(rows, stream_->columns.size()) +
                          (with_origins_ ? rows * sizeof(RowOrigin) : 0);
    if (rows > kMaxScanRows || bytes_ > kMaxScanBytes || memory > max_memory_) return done_(too_large());
    if (share_ && !share_->resize(memory)) return done_(too_much_at_once());
    out_->keep.insert(out_->keep.end(), answer.keep.begin(), answer.keep.end());
    auto work = [self = shared_from_this()] {
      const size_t before = self->out_->rows.rows;
      self->decode();
      self->count(before);
    };
    auto done = [self = shared_from_this()] {
      if (self->last_ || self->passed_ >= self->enough_) return self->done_(std::move(self->out_));
      self->next_page();
    };
    if (!background_.run(engine::Lane::kReads, std::move(work), std::move(done))) {
      done_(error(Code::kExhausted, "MR-QRY-0004", "too many queries are waiting", "try again shortly"));
    }
  }

  void decode() {
    std::vector<RowError> errors;
    const size_t before = out_->rows.rows;
    decoder_.decode(values_, out_->rows, errors);
    if (errors.empty()) return add_origins();
    // Without those that do not decode: the dead letters have them.
    std::vector<bool> bad(values_.size());
    for (const auto& failed : errors) bad[failed.row >= before ? failed.row - before : failed.row] = true;
    keep_rows(before);
    size_t kept = 0;
    for (size_t i = 0; i < values_.size(); ++i) {
      if (bad[i]) continue;
      if (with_origins_) origins_[kept] = origins_[i];
      values_[kept++] = values_[i];
    }
    values_.resize(kept);
    if (with_origins_) origins_.resize(kept);
    errors.clear();
    decoder_.decode(values_, out_->rows, errors);
    add_origins();
  }

  void add_origins() {
    auto& all = out_->rows.origins;
    all.insert(all.end(), origins_.begin(), origins_.end());
  }

  // The rows from `before` on that pass; when they are enough, the batch ends there: what stands behind is
  // not the statement's concern, and cannot fail it.
  void count(size_t before) {
    if (enough_ == SIZE_MAX) return;
    Batch& rows = out_->rows;
    Selection selection(rows.rows - before);
    for (size_t i = 0; i < selection.size(); ++i) selection[i] = static_cast<uint32_t>(before + i);
    if (filter_) {
      std::vector<RowError> failed;  // in front of the end they fail the SELECT
      const auto own = std::exchange(rows.arena, std::make_shared<Arena>());
      filter_->filter(rows, selection, failed);
      rows.arena = own;
    }
    if (const size_t missing = enough_ - passed_; selection.size() >= missing)
      keep_rows(selection[missing - 1] + 1);
    passed_ += selection.size();
  }

  void keep_rows(size_t count) {
    for (auto& column : out_->rows.columns) column.resize(count);
    if (out_->rows.origins.size() > count) out_->rows.origins.resize(count);
    out_->rows.rows = count;
  }

  Error too_large() const {
    return error(
        Code::kExhausted, "MR-QRY-0003",
        fmt::format("\"{}\" holds more than one SELECT may read ({} events, {} MB, {} MB as columns)",
                    stream_->name, kMaxScanRows, kMaxScanBytes >> 20, max_memory_ >> 20),
        "LIMIT without ORDER BY, or a MATERIALIZED VIEW of what you look for");
  }

  engine::StreamReads& streams_;
  engine::Background& background_;
  engine::StreamPtr stream_;
  const size_t enough_;
  const std::shared_ptr<ReadBudget::Share> share_;
  const size_t max_memory_;
  const bool with_origins_;
  Done done_;
  const StreamPlace end_;
  const StreamPlace oldest_;
  StreamPlace place_;
  formats::JsonDecoder decoder_;
  std::shared_ptr<ScannedRows> out_;
  std::vector<std::string_view> values_;
  std::vector<RowOrigin> origins_;  // of the values, if they are asked for
  std::optional<engine::Evaluator> filter_;
  size_t bytes_ = 0;
  size_t passed_ = 0;  // rows so far
  bool last_ = false;
};

}  // namespace

Error too_much_at_once() {
  return error(Code::kExhausted, "MR-QRY-0005",
               "other SELECTs hold the memory that there is for rows being sorted and answers being sent",
               "try again shortly, read answers as they come, or select fewer rows");
}

ScanRequest scan_for(const engine::SelectPlan& plan, engine::StreamPtr stream) {
  ScanRequest request{std::move(stream), plan.filter};
  request.origins = plan.needs_origins();
  if (!plan.limit || !plan.order_by.empty() || plan.grouping || plan.distinct) return request;
  const auto limit = static_cast<size_t>(std::max<int64_t>(*plan.limit, 0));
  const auto offset = static_cast<size_t>(std::max<int64_t>(plan.offset, 0));
  request.enough = limit == 0 ? 0 : limit + offset;  // two int64s: no overflow
  return request;
}

void scan_stream(engine::StreamReads& streams, engine::Background& background, ScanRequest request,
                 std::function<void(Result<std::shared_ptr<ScannedRows>>)> done) {
  std::make_shared<Scan>(streams, background, std::move(request), std::move(done))->begin();
}

}  // namespace millrace::gateway
