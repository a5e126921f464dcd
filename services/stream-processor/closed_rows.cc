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
      writer_(engine::names_of(plan_->outputs)),
      key_writer_(engine::names_of(plan_->group_keys)) {
  for (const auto& output : plan_->outputs) outputs_.emplace_back(output.expr, plan_->on_error);
}

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
  TRY(read_groups(aggregation, store));
  evaluate();
  return {};
}

Status ClosedRows::read_groups(engine::Aggregation& aggregation, state::StateStore& store) {
  groups_ = Batch();
  const int64_t before = written();
  if (plan_->window.is_session()) return aggregation.read_ended_sessions(before, *upto_, store, groups_);
  return engine::Aggregation::read_groups(
      *plan_, {store.freeze()},
      [&](const engine::Window& window) { return window.end > before && window.end <= *upto_; }, groups_);
}

// Workers whose groups came together were not equally far.
void ClosedRows::skip_written() {
  const auto [least, most] = std::minmax_element(written_.begin(), written_.end());
  if (*least == *most) return;
  const bool has_end = plan_->window_end_key >= 0;
  const auto& ends =
      groups_.columns[static_cast<size_t>(has_end ? plan_->window_end_key : plan_->window_key)];
  std::erase_if(shown_, [&](uint32_t row) {
    const int64_t end = ends.integers[row] + (has_end ? 0 : plan_->window.size_us);
    return end <= written_[partition_.of(groups_, row).value];
  });
}

void ClosedRows::evaluate() {
  shown_ = engine::all_rows(groups_);
  skip_written();
  errors_.clear();
  engine::filter_groups(*plan_, groups_, shown_, errors_);
  columns_.clear();
  for (auto& output : outputs_) columns_.push_back(&output.evaluate(groups_, shown_, errors_));
  std::stable_sort(errors_.begin(), errors_.end(),
                   [](const auto& a, const auto& b) { return a.row < b.row; });
  rendered_ = true;
}

void ClosedRows::write(size_t& bytes, const Row& row, const Failed& failed) {
  auto shown = std::lower_bound(shown_.begin(), shown_.end(), next_);
  auto error = std::lower_bound(errors_.begin(), errors_.end(), next_,
                                [](const RowError& e, size_t group) { return e.row < group; });
  std::vector<const Column*> keys;
  for (size_t i = 0; i < plan_->group_keys.size(); ++i) keys.push_back(&groups_.columns[i]);
  for (; next_ < groups_.rows && bytes < kMostBytes; ++next_) {
    for (; error != errors_.end() && error->row == next_; ++error) {
      row_.clear();
      key_writer_.append(row_, keys, next_);
      bytes += failed(*error, row_);
    }
    if (shown == shown_.end() || *shown != next_) continue;
    row_.clear();
    writer_.append(row_, columns_, *shown++);
    bytes += row_.size();
    row(partition_.of(groups_, next_), row_);
  }
  if (next_ < groups_.rows) return;
  std::fill(written_.begin(), written_.end(), *upto_);
  upto_.reset();
  rendered_ = false;
  groups_ = Batch();
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
