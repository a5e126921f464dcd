// RecordWriter: a row's columns as a record in binary, of the schema that record_schema() makes of them.
//
// Owns:    scratch: nothing is allocated for a value, once it has been as long before.
// Threads: confined.
// Bound:   none of its own: a row takes at most some bytes more than its values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "event/batch.h"

namespace millrace::avro {

class RecordWriter {
 public:
  explicit RecordWriter(const millrace::Schema& columns);
  ~RecordWriter();
  // `columns` are those of the schema. A value of a NUMERIC(p, s) has no more digits than that, as such a column keeps none.
  void append(std::string& out, const std::vector<const Column*>& columns, size_t row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::avro
