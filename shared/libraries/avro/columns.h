// ColumnReader: records in binary straight into columns, read with a reader's schema.
//
// Why:     events need no JSON on the way; a record of ten fields takes less than its JSON takes to be found.
// Types:   boolean boolean, int integer, long bigint, float real, double double precision, string and enum text,
//          bytes and fixed bytea; date, time-*, timestamp-*, local-timestamp-*, decimal numeric, uuid uuid, duration
//          interval. A union of null and one of these is that, with NULL. Other fields have no column: a value that has
//          them goes by its JSON.
// Owns:    the schemas. Texts view the values, the batch's arena or this reader, which outlives the batch's rows.
// Threads: confined.
// Errors:  of a value: MR-AVRO-0011 to 0013, its row is NULLs. Of make(): MR-AVRO-0014.
// Bound:   kMaxDatumValues and kMaxDatumDepth of a row; what nobody reads, beyond what a row's bytes pay for, of a call.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "avro/resolution.h"
#include "event/batch.h"

namespace millrace::avro {

// The columns that records of the schema have, in the order of the fields. MR-AVRO-0014: it is no record.
Result<millrace::Schema> columns_of(const AvroSchema& schema);

class ColumnReader {
 public:
  // Columns of the batch: each is the reader's field of its name, of the type above; an integer may be a bigint, a real
  // a double.
  static Result<std::unique_ptr<ColumnReader>> make(std::shared_ptr<const AvroSchema> writer,
                                                    std::shared_ptr<const AvroSchema> reader,
                                                    const millrace::Schema& columns);
  ~ColumnReader();

  // Appends one row a value. The batch is empty or has the reader's columns.
  void decode(const std::vector<std::string_view>& values, Batch& out, std::vector<RowError>& errors);

 private:
  struct Impl;
  explicit ColumnReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::avro
