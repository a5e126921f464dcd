#include "event-store/event_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "log/batch_schema.h"

namespace millrace::event_store {
namespace {

uint32_t records_of(const log::Frame& frame, StreamId stream) {
  uint32_t total = 0;
  for (const auto& batch : frame.batches) {
    if (batch.where.stream == stream) total += batch.count;
  }
  return total;
}

Error damaged(const log::Frame& frame, const log::FrameBatch& batch) {
  return error(Code::kCorrupt, "MR-EVS-0003",
               fmt::format("a batch at cut {} (partition {}, offset {}) does not parse", frame.cut.value,
                           batch.where.partition.value, batch.first.value),
               "run millrace log verify");
}

bool spans_lines(std::string_view json) {
  return std::memchr(json.data(), '\n', json.size()) != nullptr ||
         std::memchr(json.data(), '\r', json.size()) != nullptr;
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& column : schema) names.push_back(column.name);
  return names;
}

std::vector<int> all_of(const Schema& schema) {
  std::vector<int> wanted(schema.size());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<int>(i);
  return wanted;
}

}  // namespace

engine::StreamPlace place_after(Cut frame, uint32_t index, uint32_t total) {
  if (index + 1 >= total) return {Cut(frame.value + 1), 0};
  return {frame, index + 1};
}

std::string_view trace_in(const log::Frame& frame) {
  for (const auto& control : frame.controls) {
    if (control.kind == log::ControlKind::kTrace) return control.payload.view();
  }
  return {};
}

Status visit_events(const log::Frame& frame, const EventFilter& filter, uint32_t skip,
                    const EventVisit& visit) {
  const uint32_t total = records_of(frame, filter.stream);
  const int32_t schema = log::schema_id_in(frame, filter.stream);
  uint32_t index = 0;
  for (const auto& batch : frame.batches) {
    if (batch.where.stream != filter.stream) continue;
    const uint32_t first = index;
    index += batch.count;
    if (index <= skip || (filter.partition && batch.where.partition != *filter.partition)) continue;
    auto view = log::RecordBatchView::parse(batch.bytes.view(), false);
    if (!view.ok()) return damaged(frame, batch);
    log::RecordBatchView::Cursor records(*view);
    log::Record record;
    for (uint32_t at = first; records.next(record); ++at) {
      if (at < skip || !filter.range.has(record.offset.value, frame.time.value)) continue;
      const engine::StoredEvent event{batch.where.partition,
                                      record.offset,
                                      frame.time,
                                      record.value,
                                      place_after(frame.cut, at, total),
                                      schema};
      if (!visit(event)) return {};
    }
    if (!records.ok()) return damaged(frame, batch);
  }
  return {};
}

void RowPage::add(std::string_view json, const engine::StreamPlace& after) {
  rows.push_back({json, text.keep(engine::to_cursor(after)), after});
  bytes += json.size();
}

std::string_view RowPage::trace_of(size_t row) const {
  const auto found =
      std::upper_bound(traces.begin(), traces.end(), row,
                       [](size_t r, const engine::TracedRows& traced) { return r < traced.end; });
  return found == traces.end() || row < found->begin ? std::string_view() : found->trace;
}

RowMaker::RowMaker(engine::StreamPtr stream, bool declared_columns) : stream_(std::move(stream)) {
  if (!declared_columns) return;
  decoder_ = std::make_unique<formats::JsonDecoder>(stream_->columns, all_of(stream_->columns));
  writer_ = std::make_unique<formats::JsonRowWriter>(names_of(stream_->columns));
  batch_.set_schema(stream_->columns);
}
RowMaker::~RowMaker() = default;

Status RowMaker::append(const log::FramePtr& frame, const EventFilter& filter, uint32_t skip, RowPage& page) {
  values_.clear();
  places_.clear();
  const size_t before = page.rows.size();
  TRY(visit_events(*frame, filter, skip, [&](const engine::StoredEvent& event) {
    if (decoder_ == nullptr) {
      append_stored(event, page);
    } else {
      values_.push_back(event.value);
      places_.push_back(event.after);
    }
    return true;
  }));
  if (!values_.empty()) append_decoded(page);
  if (page.rows.size() == before) return {};
  if (decoder_ == nullptr) page.keep.push_back(frame);
  if (const auto trace = trace_in(*frame); !trace.empty()) {
    page.traces.push_back({before, page.rows.size(), page.text.keep(trace)});
    page.bytes += trace.size();
  }
  return {};
}

// JSON has line breaks only between its tokens, where a space says the same.
void RowMaker::append_stored(const engine::StoredEvent& event, RowPage& page) {
  std::string_view json = event.value;
  if (spans_lines(json)) {
    scratch_.assign(json);
    std::replace_if(
        scratch_.begin(), scratch_.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    json = page.text.keep(scratch_);
  }
  page.add(json, event.after);
}

void RowMaker::append_decoded(RowPage& page) {
  batch_.clear();
  errors_.clear();
  decoder_->decode(values_, batch_, errors_);
  std::vector<const Column*> columns;
  for (const auto& column : batch_.columns) columns.push_back(&column);
  std::sort(errors_.begin(), errors_.end(),
            [](const RowError& a, const RowError& b) { return a.row < b.row; });
  auto failed = errors_.begin();
  for (uint32_t row = 0; row < values_.size(); ++row) {
    const bool bad = failed != errors_.end() && failed->row == row;
    while (failed != errors_.end() && failed->row == row) ++failed;
    if (bad) continue;
    scratch_.clear();
    writer_->append(scratch_, columns, row);
    page.add(page.text.keep(scratch_), places_[row]);
  }
}

}  // namespace millrace::event_store
