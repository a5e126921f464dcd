#include <algorithm>

#include "engine/aggregate.h"
#include "engine/group_read.h"
#include "engine/keyed_rows.h"
#include "engine/value_codec.h"

namespace millrace::engine {
namespace {

// Partition, then offset: the order in which rows are read.
std::string row_key(const RowOrigin& origin) {
  std::string key;
  append_be(key, origin.partition.value);
  append_be(key, static_cast<uint64_t>(origin.offset.value) ^ (uint64_t{1} << 63));
  return key;
}

}  // namespace

RowsView::RowsView(PlanPtr plan) : plan_(std::move(plan)) {}
RowsView::~RowsView() = default;

Status RowsView::add(const Batch& outputs, const Selection& selection, state::StateStore& store) {
  if (selection.empty()) return {};
  KeyedRows rows(store, *plan_, kRowsSlot);
  size_t done = 0;
  for (const uint32_t row : selection) {
    if (++done % kRowsASettling == 0) TRY(store.settle());
    const RowOrigin& origin = outputs.origins[row];
    bytes_.clear();
    for (const Column& column : outputs.columns) encode_value(bytes_, column, row);
    TRY(rows.put(origin.partition, row_key(origin), bytes_));
  }
  return {};
}

Status RowsView::replace(const Batch& outputs, uint32_t row, std::string_view key, state::StateStore& store) {
  bytes_.clear();
  if (plan_->shape == QueryPlan::Shape::kRows) {
    for (const Column& column : outputs.columns) encode_value(bytes_, column, row);
  }
  return KeyedRows(store, *plan_, kRowsSlot).put(outputs.origins[row].partition, key, bytes_);
}

bool RowsView::remove(PartitionId partition, std::string_view key, state::StateStore& store) {
  return KeyedRows(store, *plan_, kRowsSlot).erase(partition, key);
}

Status RowsView::read_rows(const QueryPlan& plan,
                           const std::vector<std::shared_ptr<const state::Epoch>>& epochs, Batch& out) {
  if (out.columns.empty()) out.set_schema(plan.output_schema());
  const state::TableName name{plan.id, kRowsSlot, 0};
  struct Row {
    std::string key;
    uint64_t blob;
    const state::Epoch* epoch;
  };
  std::vector<Row> rows;
  for (const auto& epoch : epochs) {
    epoch->for_each(name, [&](const state::RowView& row) {
      rows.push_back({std::string(row.key), load_le<uint64_t>(row.value), epoch.get()});
    });
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  for (const Row& row : rows) {
    ByteReader in(row.epoch->blob(name, row.blob));
    for (Column& column : out.columns) {
      if (!decode_value(in, column, *out.arena)) {
        TRY(row.epoch->status());
        return other_row();
      }
    }
    ++out.rows;
  }
  return read_whole(epochs);
}

}  // namespace millrace::engine
