#include "stream-processor/union_rows.h"

#include <algorithm>
#include <numeric>

namespace millrace::processor {
namespace {

// Of the plan's source's partitions, those of the arm that this worker reads.
std::vector<uint8_t> own_of_arm(const engine::QueryPlan& plan, const engine::UnionArm& arm, uint32_t worker,
                                uint32_t workers) {
  const auto own = own_partitions(plan.source->partitions, worker, workers);
  const auto first = own.begin() + arm.first_partition;
  return {first, first + arm.source->partitions};
}

void append_errors(const std::vector<RowError>& errors, const std::vector<uint32_t>& at,
                   std::vector<RowError>& out) {
  for (const RowError& error : errors) {
    out.push_back(error);
    out.back().row = at[error.row];
  }
}

}  // namespace

UnionRows::Arm::Arm(const engine::QueryPlan& plan, const engine::UnionArm& arm, uint32_t worker,
                    uint32_t workers)
    : first_partition(arm.first_partition),
      rows(arm.source, engine::read_columns(arm, plan.read_columns), own_of_arm(plan, arm, worker, workers)) {
  std::vector<int> every(arm.source->columns.size());
  std::iota(every.begin(), every.end(), 0);
  const auto here = [&](const engine::ExprPtr& expr) { return remap(expr, every, rows.columns()); };
  if (arm.filter) filter.emplace(here(arm.filter), plan.on_error, plan.options);
  for (const int column : plan.read_columns) {
    const auto expr = here(arm.outputs[static_cast<size_t>(column)]);
    plain.push_back(expr->op == engine::Op::kColumn ? expr->column : -1);
    outputs.emplace_back(expr, plan.on_error, plan.options);
  }
}

void UnionRows::Arm::compute() {
  const Batch& batch = rows.batch();
  decoded.assign(batch.rows, 1);
  for (const RowError& error : rows.errors()) decoded[error.row] = 0;
  Selection selection;
  for (uint32_t row = 0; row < batch.rows; ++row) {
    if (decoded[row] != 0) selection.push_back(row);
  }
  failed.clear();
  if (filter) filter->filter(batch, selection, failed);
  columns.clear();
  for (auto& output : outputs) columns.push_back(&output.evaluate(batch, selection, failed));
  passes.assign(batch.rows, 0);
  for (const uint32_t row : selection) passes[row] = 1;
  at.resize(batch.rows);
}

void UnionRows::Arm::append(size_t column, uint32_t row, Column& out) const {
  if (passes[row] != 0) return out.append_from(*columns[column], row);
  if (decoded[row] == 0 || plain[column] < 0) return out.append_null();
  out.append_from(rows.batch().columns[static_cast<size_t>(plain[column])], row);
}

UnionRows::UnionRows(const engine::QueryPlan& plan, uint32_t worker, uint32_t workers) {
  Schema schema;
  for (const int column : plan.read_columns)
    schema.push_back(plan.source->columns[static_cast<size_t>(column)]);
  batch_.set_schema(schema);
  for (const auto& arm : plan.arms) arms_.emplace_back(plan, arm, worker, workers);
}

void UnionRows::release() {
  batch_.clear();
  errors_.clear();
  failed_.clear();
  passes_.clear();
  for (Arm& arm : arms_) arm.rows.release();
}

void UnionRows::decode(std::span<const log::FramePtr> frames) {
  release();
  std::vector<Place> order;
  for (Arm& arm : arms_) {
    arm.rows.decode(frames);
    arm.compute();
    const auto& origins = arm.rows.batch().origins;
    for (uint32_t row = 0; row < origins.size(); ++row) order.push_back({origins[row].cut, &arm, row});
  }
  std::stable_sort(order.begin(), order.end(), [](const Place& a, const Place& b) { return a.cut < b.cut; });
  put_together(order);
  for (const Arm& arm : arms_) {
    append_errors(arm.rows.errors(), arm.at, errors_);
    append_errors(arm.failed, arm.at, failed_);
  }
  const auto by_row = [](const RowError& a, const RowError& b) { return a.row < b.row; };
  std::stable_sort(errors_.begin(), errors_.end(), by_row);
  std::stable_sort(failed_.begin(), failed_.end(), by_row);
}

void UnionRows::put_together(const std::vector<Place>& order) {
  for (const Place& place : order) {
    Arm& arm = *place.arm;
    arm.at[place.row] = static_cast<uint32_t>(batch_.rows++);
    RowOrigin origin = arm.rows.batch().origins[place.row];
    origin.partition = PartitionId(static_cast<uint16_t>(origin.partition.value + arm.first_partition));
    batch_.origins.push_back(origin);
    batch_.raw.push_back(arm.rows.batch().raw[place.row]);
    passes_.push_back(arm.passes[place.row]);
  }
  for (size_t c = 0; c < batch_.columns.size(); ++c) {
    for (const Place& place : order) place.arm->append(c, place.row, batch_.columns[c]);
  }
}

std::unique_ptr<StepRows> make_rows(const engine::QueryPlan& plan, uint32_t worker, uint32_t workers) {
  if (!plan.arms.empty()) return std::make_unique<UnionRows>(plan, worker, workers);
  return std::make_unique<StreamRows>(plan.source, plan.read_columns, worker, workers);
}

}  // namespace millrace::processor
