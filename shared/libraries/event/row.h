// Rows as values: several fields in one, as PostgreSQL's composite values.
//
// Why:     a column, a record, a group key and a stored value hold a row as they hold a text: as bytes.
// Bytes:   the fields' ordered bytes (ordered_bytes.h), one behind the other. So rows are compared as PostgreSQL compares
//          composite values, field by field with NULLs last and equal, by comparing bytes. Intervals: see array.h.
#pragma once

#include <string_view>

#include "event/ordered_bytes.h"
#include "event/row_type.h"

namespace millrace {

// The ordered bytes of a field, from 0.
std::string_view field_bytes(std::string_view row, const Schema& fields, size_t index);

// Calls visit(field, column) for each field; its value is row 0 of the column.
template <typename F>
void visit_fields(std::string_view row, Type type, F&& visit) {
  Column one;
  Arena arena;
  for (const ColumnDef& field : fields_of(type)) {
    const std::string_view before = row;
    if (!skip_ordered(row, field.type)) return;
    one.type = field.type;
    one.clear();
    append_loaded(before.substr(0, before.size() - row.size()), one, arena);
    visit(field, one);
  }
}

// Whether every field is NULL, or none.
bool all_fields(std::string_view row, const Schema& fields, bool null);

}  // namespace millrace
