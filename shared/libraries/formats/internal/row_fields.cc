#include "formats/internal/row_fields.h"

#include <numeric>

namespace millrace::formats {
namespace {

// A number in a field of time counts what it counts in a column.
Schema schema_of(const ColumnDef& row) {
  Schema out = fields_of(row.type);
  for (ColumnDef& field : out) field.unit = row.unit;
  return out;
}

std::vector<int> all(size_t fields) {
  std::vector<int> out(fields);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

}  // namespace

RowFields::RowFields(const ColumnDef& row)
    : slots_(schema_of(row), all(fields_of(row.type).size())), reader_(slots_) {
  for (const ColumnDef& field : fields_of(row.type)) {
    Column& column = fields_.emplace_back();
    column.type = field.type;
    column.resize(1);
    column.valid.assign(1, 0);
  }
  slots_.attach(fields_, arena_);
}

ValueFault RowFields::read(std::string_view json, std::string& out) {
  if (!json.starts_with('{')) return ValueFault::kType;
  arena_.clear();
  slots_.clear(0);
  if (!reader_.read(json, 0)) return ValueFault::kField;
  for (const Column& field : fields_) append_ordered(out, field, 0);
  return ValueFault::kNone;
}

EventReader::Failure RowFields::failure(const std::string& row, const char* event) const {
  return reader_.misfit(row + ".", event);
}

}  // namespace millrace::formats
