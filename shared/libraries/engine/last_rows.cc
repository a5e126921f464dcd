#include "engine/last_rows.h"

#include <algorithm>

#include "engine/aggregate.h"
#include "engine/keyed_rows.h"
#include "engine/value_codec.h"

namespace millrace::engine {
namespace {

std::vector<size_t> places_of(const std::vector<int>& wanted, const std::vector<int>& columns) {
  std::vector<size_t> out;
  for (const int column : wanted)
    out.push_back(static_cast<size_t>(std::ranges::lower_bound(columns, column) - columns.begin()));
  return out;
}

}  // namespace

Upserts::Upserts(const StreamDef& stream, const std::vector<int>& columns)
    : key_(places_of(stream.primary_key, columns)), op_(places_of({stream.op_column}, columns).front()) {}

bool Upserts::key_of(const Batch& events, uint32_t row, std::string& key) const {
  key.clear();
  for (const size_t place : key_) encode_key(key, events.columns[place], row);
  return key.size() <= kMaxKeyBytes;
}

bool Upserts::deletes(const Batch& events, uint32_t row) const {
  const Column& op = events.columns[op_];
  return !op.is_null(row) && op.texts[row] == kDeleteOp;
}

RowError Upserts::too_long(uint32_t row) {
  return {row, "MR-SQL-0112", "the primary key is longer than 32 KB", {}};
}

LastRows::LastRows(PlanPtr plan, const std::vector<int>& columns)
    : plan_(std::move(plan)), upserts_(*plan_->source, columns) {
  std::vector<int> kept = plan_->read_columns;
  std::erase(kept, plan_->source->op_column);  // the last one
  for (const int column : kept) schema_.push_back(plan_->source->columns[static_cast<size_t>(column)]);
  places_ = places_of(kept, columns);
}

void LastRows::note(const Batch& events, uint32_t event, int32_t weight, Batch& out) {
  out.weights.push_back(weight);
  out.origins.push_back(events.origins[event]);
  out.raw.push_back(events.raw[event]);
  ++out.rows;
}

Status LastRows::retract(std::string_view row, const Batch& events, uint32_t event, Batch& out) const {
  ByteReader in(row);
  for (Column& column : out.columns) {
    if (!decode_value(in, column, *out.arena)) return other_row();
  }
  note(events, event, -1, out);
  return {};
}

void LastRows::insert(const Batch& events, uint32_t event, Batch& out) {
  bytes_.clear();
  for (size_t i = 0; i < places_.size(); ++i) {
    const Column& column = events.columns[places_[i]];
    encode_value(bytes_, column, event);
    out.columns[i].append_from(column, event);
  }
  note(events, event, 1, out);
}

Status LastRows::changes_of(const Batch& events, const Selection& selection, state::StateStore& store,
                            Batch& out, std::vector<RowError>& errors) {
  out.clear();
  out.set_schema(schema_);
  KeyedRows rows(store, *plan_, kLastRowsSlot);
  size_t done = 0;
  for (const uint32_t event : selection) {
    if (++done % kRowsASettling == 0) TRY(store.settle());
    const PartitionId partition = events.origins[event].partition;
    if (!upserts_.key_of(events, event, key_)) {
      errors.push_back(Upserts::too_long(event));
      continue;
    }
    if (const auto before = rows.find(partition, key_)) TRY(retract(*before, events, event, out));
    if (upserts_.deletes(events, event)) {
      rows.erase(partition, key_);
      continue;
    }
    insert(events, event, out);
    TRY(rows.put(partition, key_, bytes_));
  }
  return {};
}

}  // namespace millrace::engine
