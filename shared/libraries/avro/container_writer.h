// ContainerWriter: rows as an Avro object container file: the schema, then blocks of records.
//
// Form:    codec null. The mark between blocks follows from the schema, so that the same rows are the same file.
// Threads: confined.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "avro/record_writer.h"

namespace millrace::avro {

class ContainerWriter {
 public:
  ContainerWriter(const millrace::Schema& columns, std::string_view name);

  void begin(std::string& out) const;  // what a file without rows is, whole
  // One block of rows [first, end), which ends behind the row that brings it to so many bytes. Answers the next row.
  size_t append(std::string& out, const std::vector<const Column*>& columns, size_t first, size_t end,
                size_t wanted_bytes);

 private:
  const std::string schema_, mark_;
  RecordWriter writer_;
  std::string block_;
};

}  // namespace millrace::avro
