#include "event-gateway/stream_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "engine/expr.h"
#include "engine/select.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

using engine::StreamPlace;
using engine::StreamReadAnswer;

constexpr size_t kPageBytes = 4u << 20;
constexpr size_t kPageEvents = 65'536;
constexpr size_t kFirstPageEvents =
    1'024;  // where a filter decides how many a LIMIT needs; each page has more

std::vector<int> all_of(const Schema& schema) {
  std::vector<int> wanted(schema.size());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<int>(i);
  return wanted;
}

// The partitions that are read one after the other; nullopt: all of them together.
std::vector<std::optional<PartitionId>> parts_of(const std::optional<engine::ReadRange>& range) {
  if (!range) return {std::nullopt};
  if (range->empty()) return {};
  if (range->all_partitions() && range->whole_partitions()) return {std::nullopt};
  std::vector<std::optional<PartitionId>> parts;
  for (size_t p = 0; p < range->partitions.size(); ++p) {
    if (range->partitions[p]) parts.emplace_back(PartitionId(static_cast<uint16_t>(p)));
  }
  return parts;
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
        work_(std::move(request.work)),
        max_memory_(request.max_memory),
        with_origins_(request.origins),
        has_system_columns_(request.system_columns),
        parts_(parts_of(request.range)),
        done_(std::move(done)),
        end_(request.end.value_or(streams.end_of())),
        oldest_(streams.start_of(*stream_)),
        place_(oldest_),
        decoder_(stream_->columns, all_of(stream_->columns)),
        out_(std::make_shared<ScannedRows>()) {
    out_->rows.set_schema(stream_->columns);
    if (request.filter && enough_ != SIZE_MAX) filter_.emplace(request.filter);
    if (request.range) range_ = request.range->events;
    for (const ColumnDef& column : engine::system_columns()) {
      if (has_system_columns_) out_->rows.columns.emplace_back().type = column.type;
    }
    page_events_ = filter_ ? kFirstPageEvents : kPageEvents;
  }

  void begin() {
    if (enough_ == 0 || parts_.empty()) return finish(std::move(out_));
    if (work_ != nullptr) {
      work_->let_go = [scan = weak_from_this()] {
        if (const auto self = scan.lock()) self->let_go();
      };
    }
    next_page();
  }

 private:
  void next_page() {
    engine::StreamReadRequest request;
    request.stream = stream_;
    request.partition = parts_[part_];
    request.place = place_;
    request.range = range_;
    request.kept_only = true;
    request.limit = filter_ ? page_events_ : std::min(page_events_, enough_ - passed_);
    request.max_bytes = kPageBytes;
    page_events_ = std::min(kPageEvents, page_events_ * 4);
    streams_.read(std::move(request), [self = shared_from_this()](Result<StreamReadAnswer> answer) {
      if (!self->done_) return;
      if (!answer.ok()) return self->finish(std::move(answer).error());
      self->take(std::move(*answer));
    });
  }

  void take(StreamReadAnswer answer) {
    values_.clear();
    origins_.clear();
    for (const auto& event : answer.events) {
      if (event.after.cut > end_.cut || (event.after.cut == end_.cut && event.after.index > 0)) break;
      values_.push_back(event.value);
      if (wants_origins()) origins_.push_back({event.partition, event.offset, {}, event.time});
      bytes_ += event.value.size();
      report(event);
    }
    if (parts_[part_] && answer.oldest) read_of(*parts_[part_]).oldest = answer.oldest;
    go_on_from(answer);
    const size_t rows = out_->rows.rows + values_.size();
    const size_t memory = bytes_ + bytes_of_columns(rows, out_->rows.columns.size()) +
                          (with_origins_ ? rows * sizeof(RowOrigin) : 0);
    if (rows > kMaxScanRows || bytes_ > kMaxScanBytes || memory > max_memory_) return finish(too_large());
    if (share_ && !share_->resize(memory)) return finish(too_much_at_once());
    out_->keep.insert(out_->keep.end(), answer.keep.begin(), answer.keep.end());
    auto work = [self = shared_from_this()] {
      if (!self->idle_.exchange(false)) return;
      const size_t before = self->out_->rows.rows;
      self->decode();
      self->count(before);
    };
    auto done = [self = shared_from_this()] {
      if (!self->done_) return;
      self->idle_ = true;
      if (self->work_ != nullptr && self->work_->stop.requested()) return self->finish(engine::stopped());
      const bool all = self->part_ == self->parts_.size() || self->passed_ >= self->enough_;
      if (all) return self->finish(std::move(self->out_));
      self->next_page();
    };
    if (!background_.run(engine::Lane::kReads, std::move(work), std::move(done))) {
      finish(error(Code::kExhausted, "MR-QRY-0004", "too many queries are waiting", "try again shortly"));
    }
  }

  void finish(Result<std::shared_ptr<ScannedRows>> result) {
    if (work_ != nullptr) work_->let_go = nullptr;
    std::exchange(done_, nullptr)(std::move(result));
  }

  // While nothing is being decoded the rows are the loop's.
  void let_go() {
    if (!idle_.exchange(false)) return;
    done_ = nullptr;
    out_.reset();
    share_.reset();
  }

  void go_on_from(const StreamReadAnswer& answer) {
    place_ = answer.next;
    if (!answer.at_end && place_.cut < end_.cut) return;
    ++part_;
    place_ = oldest_;
  }

  PartitionRead& read_of(PartitionId partition) {
    auto& reads = out_->reads;
    if (reads.size() <= partition.value) reads.resize(partition.value + size_t{1});
    return reads[partition.value];
  }

  void report(const engine::StoredEvent& event) {
    PartitionRead& read = read_of(event.partition);
    if (read.events++ == 0) read.first = event.offset;
    read.last = event.offset;
  }

  bool wants_origins() const { return with_origins_ || has_system_columns_; }

  void decode() {
    if (has_system_columns_) detach_system();
    decode_columns();
    if (has_system_columns_) attach_system();
  }

  void decode_columns() {
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
      if (wants_origins()) origins_[kept] = origins_[i];
      values_[kept++] = values_[i];
    }
    values_.resize(kept);
    if (wants_origins()) origins_.resize(kept);
    errors.clear();
    decoder_.decode(values_, out_->rows, errors);
    add_origins();
  }

  void add_origins() {
    for (const RowOrigin& origin : origins_) {
      if (with_origins_) out_->rows.origins.push_back(origin);
      if (!has_system_columns_) continue;
      system_[0].integers.push_back(origin.partition.value);
      system_[1].integers.push_back(origin.offset.value);
      system_[2].integers.push_back(origin.append_time.value);
    }
  }

  // The decoder knows the stream's own columns alone.
  void detach_system() {
    auto& columns = out_->rows.columns;
    const auto first = columns.end() - static_cast<long>(engine::system_columns().size());
    system_.assign(std::make_move_iterator(first), std::make_move_iterator(columns.end()));
    columns.erase(first, columns.end());
  }
  void attach_system() {
    auto& columns = out_->rows.columns;
    columns.insert(columns.end(), std::make_move_iterator(system_.begin()),
                   std::make_move_iterator(system_.end()));
    system_.clear();
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
        fmt::format("the SELECT would read more of \"{}\" than one may ({} events, {} MB, {} MB as columns)",
                    stream_->name, kMaxScanRows, kMaxScanBytes >> 20, max_memory_ >> 20),
        "bound the read by _partition, _offset or _time, as in WHERE _time >= now() - INTERVAL '5 minutes'; "
        "or LIMIT without ORDER BY, or a MATERIALIZED VIEW of what you look for");
  }

  engine::StreamReads& streams_;
  engine::Background& background_;
  engine::StreamPtr stream_;
  const size_t enough_;
  std::shared_ptr<ReadBudget::Share> share_;
  const std::shared_ptr<StatementLimits::Work> work_;
  std::atomic<bool> idle_{true};  // nothing is being decoded
  const size_t max_memory_;
  const bool with_origins_;
  const bool has_system_columns_;
  const std::vector<std::optional<PartitionId>> parts_;
  size_t part_ = 0;
  engine::EventRange range_;
  size_t page_events_ = 0;  // of the next page, at most
  Done done_;
  const StreamPlace end_;
  const StreamPlace oldest_;
  StreamPlace place_;
  formats::JsonDecoder decoder_;
  std::shared_ptr<ScannedRows> out_;
  std::vector<std::string_view> values_;
  std::vector<RowOrigin> origins_;  // of the values, if they are asked for
  std::vector<Column> system_;      // while values are decoded
  std::optional<engine::Evaluator> filter_;
  size_t bytes_ = 0;
  size_t passed_ = 0;  // rows so far
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
  request.system_columns = plan.system_columns;
  request.range = engine::read_range(plan);
  if (request.range->exact) request.filter = nullptr;
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
