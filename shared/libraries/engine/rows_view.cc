#include <algorithm>

#include "base/hash.h"
#include "engine/aggregate.h"
#include "engine/group_read.h"
#include "engine/value_codec.h"

namespace millrace::engine {
namespace {

constexpr size_t kValueBytes = 8;  // the number of the blob that holds the row

// Partition, then offset: the order in which rows are read.
std::string row_key(const RowOrigin& origin) {
  std::string key;
  append_be(key, origin.partition.value);
  append_be(key, static_cast<uint64_t>(origin.offset.value) ^ (uint64_t{1} << 63));
  return key;
}

// A row's key group is the first of its partition, so that it stays with the worker that reads the partition.
uint64_t row_hash(const RowOrigin& origin, uint32_t partitions, std::string_view key) {
  const uint32_t key_group = (origin.partition.value * kKeyGroups + partitions - 1) / partitions;
  return (uint64_t{key_group} << 56) | (stable_hash(key) >> 8);
}

Error view_full() {
  return error(Code::kExhausted, "MR-SQL-0113", "the view's state has reached its bound",
               "filter more rows out, or group them");
}

}  // namespace

RowsView::RowsView(PlanPtr plan) : plan_(std::move(plan)) {}
RowsView::~RowsView() = default;

Status RowsView::add(const Batch& outputs, const Selection& selection, state::StateStore& store) {
  if (selection.empty()) return {};
  state::Table& table = store.table({plan_->id, kRowsSlot, 0}, kValueBytes);
  const uint32_t partitions = plan_->source ? plan_->source->partitions : 1;
  std::string bytes;
  for (const uint32_t row : selection) {
    bytes.clear();
    for (const Column& column : outputs.columns) encode_value(bytes, column, row);
    const std::string key = row_key(outputs.origins[row]);
    const uint64_t hash = row_hash(outputs.origins[row], partitions, key);
    const uint64_t blob = table.put_blob(bytes);
    if (blob == 0) return view_full();
    bool inserted = false;
    char* const value = table.upsert(key, hash, inserted);
    if (value == nullptr) {
      table.free_blob(blob);
      return view_full();
    }
    const uint64_t old = load_le<uint64_t>(value);
    store_le(value, blob);
    if (old != 0) table.free_blob(old);
  }
  return {};
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
        return error(Code::kCorrupt, "MR-SQL-0116", "a stored row has another layout than the view's plan");
      }
    }
    ++out.rows;
  }
  return read_whole(epochs);
}

}  // namespace millrace::engine
