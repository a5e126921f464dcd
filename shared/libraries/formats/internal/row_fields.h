// RowFields: a JSON object into a row's bytes, each field as a column of its type would take it.
//
// Why:        an object is read as an event is, by the same reader, so that a field means what a column means.
// Bound:      rows are nested kMaxRowDepth deep.
#pragma once

#include "event/row.h"
#include "formats/internal/event_reader.h"

namespace millrace::formats {

class RowFields {
 public:
  explicit RowFields(const ColumnDef& row);

  // `json` was scanned and has Buffer::kPadding readable bytes behind it. Appends to `out`.
  ValueFault read(std::string_view json, std::string& out);
  // Of the last that was read with kField; `row` says which column it is, `event` is where it stood.
  EventReader::Failure failure(const std::string& row, const char* event) const;

 private:
  ColumnSlots slots_;
  EventReader reader_;
  std::vector<Column> fields_;  // of one row
  Arena arena_;
};

}  // namespace millrace::formats
