// ColumnReader: payloads of one message straight into columns, without JSON between.
//
// Types:   bool boolean; int32, sint32, sfixed32 integer; int64, sint64, sfixed64, uint32, fixed32 bigint; uint64, fixed64
//          numeric; float real, double double precision; string and enum text, bytes bytea; Timestamp timestamptz, Duration
//          interval; a wrapper what it wraps. An integer's column may be of another size: a value beyond it is refused. An
//          enum's number without a name is its digits, in proto3; in proto2 the field is not set, as Protobuf says.
// NULL:    a field with presence that is not set; one without has its default.
// Refused: at make(): repeated fields, maps, other messages. In payloads what libprotobuf refuses, also of fields without a
//          column, and a text that is not UTF-8 in proto2. Required fields count in the message itself alone.
// Owns:    the schema. Texts view the payloads, the batch's arena or this reader, which outlives the batch's rows.
// Threads: confined.
// Errors:  of make(): MR-PROTO-0006, 0010. Of a payload, whose row is NULLs: MR-PROTO-0011 to 0013.
// Bound:   kMaxMessageBytes and kMaxMessageDepth of a payload.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "schema/schema.h"

namespace millrace::protobuf {

// The columns that a message has, in the order of its fields. `schema` is of this format, else CHECK.
Result<millrace::Schema> columns_of(const schema::Schema& schema, std::string_view full_name);

class ColumnReader {
 public:
  // Each column is the field of its name, or of its path's only member.
  static Result<std::unique_ptr<ColumnReader>> make(schema::SchemaPtr schema, std::string_view full_name,
                                                    const millrace::Schema& columns);
  ~ColumnReader();

  // Appends one row a payload. The batch is empty or has the reader's columns.
  void decode(const std::vector<std::string_view>& payloads, Batch& out, std::vector<RowError>& errors);

 private:
  struct Impl;
  explicit ColumnReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::protobuf
