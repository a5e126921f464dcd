#include "event/row.h"

#include <algorithm>

namespace millrace {
namespace {

std::string_view take_field(std::string_view& row, Type type) {
  const std::string_view before = row;
  if (!skip_ordered(row, type)) row = {};
  return before.substr(0, before.size() - row.size());
}

}  // namespace

std::string_view field_bytes(std::string_view row, const Schema& fields, size_t index) {
  for (size_t i = 0; i < index; ++i) take_field(row, fields[i].type);
  return take_field(row, fields[index].type);
}

bool all_fields(std::string_view row, const Schema& fields, bool null) {
  return std::ranges::all_of(
      fields, [&](const ColumnDef& field) { return is_ordered_null(take_field(row, field.type)) == null; });
}

}  // namespace millrace
