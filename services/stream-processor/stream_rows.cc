#include "stream-processor/stream_rows.h"

#include <algorithm>

#include "log/record_batch.h"

namespace millrace::processor {
namespace {

std::vector<int> places_of(const std::vector<int>& columns, const std::vector<int>& in) {
  std::vector<int> places;
  for (const int c : columns)
    places.push_back(static_cast<int>(std::lower_bound(in.begin(), in.end(), c) - in.begin()));
  return places;
}

engine::ExprPtr remap(const engine::ExprPtr& expr, const std::vector<int>& to) {
  if (!expr) return expr;
  auto copy = std::make_shared<engine::Expr>(*expr);
  if (copy->op == engine::Op::kColumn) copy->column = to[static_cast<size_t>(copy->column)];
  for (auto& arg : copy->args) arg = remap(arg, to);
  return copy;
}

Schema schema_of(const engine::StreamDef& stream, const std::vector<int>& columns) {
  Schema schema;
  for (const int c : columns) schema.push_back(stream.columns[static_cast<size_t>(c)]);
  return schema;
}

}  // namespace

std::vector<uint8_t> own_partitions(uint16_t partitions, uint32_t worker, uint32_t workers) {
  std::vector<uint8_t> own(partitions);
  for (uint32_t p = 0; p < partitions; ++p) own[p] = worker_of_partition(p, partitions, workers) == worker;
  return own;
}

engine::ExprPtr remap(const engine::ExprPtr& expr, const std::vector<int>& from, const std::vector<int>& to) {
  return remap(expr, places_of(from, to));
}

engine::PlanPtr remap(const engine::PlanPtr& plan, const std::vector<int>& columns) {
  if (plan->read_columns == columns) return plan;
  const std::vector<int> to = places_of(plan->read_columns, columns);
  auto copy = std::make_shared<engine::QueryPlan>(*plan);
  copy->read_columns = columns;
  copy->filter = remap(copy->filter, to);
  for (auto& key : copy->group_keys) key.expr = remap(key.expr, to);
  for (auto& call : copy->aggregates) {
    call.each_expr([&](engine::ExprPtr& expr) { expr = remap(expr, to); });
  }
  if (copy->shape != engine::QueryPlan::Shape::kAggregate) {
    for (auto& output : copy->outputs) output.expr = remap(output.expr, to);
  }
  return copy;
}

StreamRows::StreamRows(engine::StreamPtr stream, std::vector<int> columns, uint32_t worker, uint32_t workers)
    : StreamRows(stream, std::move(columns), own_partitions(stream->partitions, worker, workers)) {}

StreamRows::StreamRows(engine::StreamPtr stream, std::vector<int> columns,
                       std::vector<uint8_t> own_partitions)
    : stream_(std::move(stream)),
      columns_(std::move(columns)),
      own_(std::move(own_partitions)),
      decoder_(stream_->columns, columns_) {
  batch_.set_schema(schema_of(*stream_, columns_));
}

void StreamRows::release() {
  frames_.clear();
  errors_.clear();
  batch_.clear();
}

template <typename Each>
void StreamRows::each_batch(std::span<const log::FramePtr> frames, Each each) const {
  for (const auto& frame : frames) {
    for (const auto& stored : frame->batches) {
      if (stored.where.stream == stream_->id && own(stored.where.partition)) each(*frame, stored);
    }
  }
}

void StreamRows::decode(std::span<const log::FramePtr> frames) {
  release();
  frames_.assign(frames.begin(), frames.end());
  size_t rows = 0;
  each_batch(frames, [&](const log::Frame&, const auto& stored) { rows += stored.count; });
  if (rows == 0) return;
  batch_.raw.reserve(rows);
  batch_.origins.reserve(rows);
  decoder_.begin(batch_, rows);
  each_batch(frames, [&](const log::Frame& frame, const auto& stored) {
    // The journal checked the batch when it took or read it; what does not parse here was never accepted.
    auto view = log::RecordBatchView::parse(stored.bytes.view(), false);
    CHECK(view.ok(), "a batch in the journal does not parse");
    log::RecordBatchView::Cursor cursor(*view);
    for (log::Record record; cursor.next(record);) {
      batch_.raw.push_back(record.value);
      batch_.origins.push_back({stored.where.partition, record.offset, frame.cut, frame.time});
      decoder_.add(record.value, errors_);
    }
  });
  decoder_.end();
}

}  // namespace millrace::processor
