// ArrayElements: a JSON array into an array's bytes, each element as a column of its type would take it.
#pragma once

#include "formats/internal/column_slots.h"

namespace millrace::formats {

class ArrayElements {
 public:
  explicit ArrayElements(const ColumnDef& array);

  // `json` was scanned and has Buffer::kPadding readable bytes behind it. Appends to `out`.
  ValueFault read(std::string_view json, std::string& out);
  const Slot& element() const { return slots_.at(0); }

 private:
  const char* read_element(const char* p, ValueFault& fault);

  ColumnSlots slots_;
  std::vector<Column> element_;  // one column of one row
  Arena arena_;
  json::Scan scan_;
};

}  // namespace millrace::formats
