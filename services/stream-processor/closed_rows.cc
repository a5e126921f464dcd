#include "stream-processor/closed_rows.h"

#include <algorithm>

#include "engine/select.h"

namespace millrace::processor {
namespace {

bool is_start(const engine::QueryPlan& plan) {
  const int column = plan.output_stream->watermark_column;
  if (column < 0) return false;
  const engine::Expr& expr = *plan.outputs[static_cast<size_t>(column)].expr;
  return expr.op == engine::Op::kColumn && expr.column == plan.window_key;
}

}  // namespace

ClosedRows::ClosedRows(engine::PlanPtr plan)
    : plan_(std::move(plan)),
      partition_(*plan_),
      by_start_(is_start(*plan_)),
      written_(plan_->output_stream->partitions, INT64_MIN),
      rows_(plan_) {}

int64_t ClosedRows::written() const {
  return *std::min_element(written_.begin(), written_.end());
}

bool ClosedRows::due(int64_t closed) const {
  if (waiting() || closed == INT64_MIN) return false;
  const int64_t done = written();
  return done == INT64_MIN || plan_->window.ends_until(closed) != plan_->window.ends_until(done);
}

Status ClosedRows::read(int64_t closed, engine::Aggregation& aggregation, state::StateStore& store) {
  if (rendered_) return {};
  if (!waiting()) {
    upto_ = closed;
    next_ = 0;
  }
  Batch groups;
  TRY(read_groups(aggregation, store, groups));
  Selection shown = unwritten(groups);
  rows_.evaluate(std::move(groups), std::move(shown));
  rendered_ = true;
  return {};
}

Status ClosedRows::read_groups(engine::Aggregation& aggregation, state::StateStore& store, Batch& groups) {
  const int64_t before = written();
  if (plan_->window.is_session()) return aggregation.read_ended_sessions(before, *upto_, store, groups);
  return engine::Aggregation::read_groups(
      *plan_, {store.freeze()},
      [&](const engine::Window& window) { return window.end > before && window.end <= *upto_; }, groups);
}

// Workers whose groups came together were not equally far.
Selection ClosedRows::unwritten(const Batch& groups) {
  Selection rows = engine::all_rows(groups);
  const auto [least, most] = std::minmax_element(written_.begin(), written_.end());
  if (*least == *most) return rows;
  const bool has_end = plan_->window_end_key >= 0;
  const auto& ends = groups.columns[static_cast<size_t>(has_end ? plan_->window_end_key : plan_->window_key)];
  std::erase_if(rows, [&](uint32_t row) {
    const int64_t end = ends.integers[row] + (has_end ? 0 : plan_->window.size_us);
    return end <= written_[partition_.of(groups, row).value];
  });
  return rows;
}

void ClosedRows::write(size_t& bytes, const Row& row, const GroupRows::Failed& failed) {
  const Batch& groups = rows_.groups();
  for (; next_ < groups.rows && bytes < kMostBytes; ++next_) {
    bytes += rows_.write(
        next_, [&](std::string_view json) { row(partition_.of(groups, next_), json); }, failed);
  }
  if (next_ < groups.rows) return;
  std::fill(written_.begin(), written_.end(), *upto_);
  upto_.reset();
  rendered_ = false;
  rows_.clear();
}

int64_t ClosedRows::least_to_come() const {
  const int64_t done = written();
  if (done == INT64_MIN) return done;
  return by_start_ ? plan_->window.least_start_after(done) : plan_->window.least_end_after(done);
}

void ClosedRows::save(std::string& out) const {
  for (const int64_t end : written_) append_le(out, end);
  append_le<uint8_t>(out, upto_ ? 1 : 0);
  append_le(out, upto_.value_or(0));
  append_varint(out, next_);
}

void ClosedRows::load(ByteReader& in) {
  for (int64_t& end : written_) end = in.le<int64_t>();
  const bool waits = in.le<uint8_t>() != 0;
  const auto upto = in.le<int64_t>();
  next_ = in.varint();
  if (waits) upto_ = upto;
}

}  // namespace millrace::processor
