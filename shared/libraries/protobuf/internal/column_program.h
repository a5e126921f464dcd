// ColumnProgram: how payloads of a message become rows of some columns.
//
// Invariants: views the schema's descriptors; its tables view each other, so it never moves.
#pragma once

#include <google/protobuf/descriptor.h>

#include <deque>
#include <memory>
#include <vector>

#include "event/text.h"
#include "protobuf/internal/message_table.h"

namespace millrace::protobuf {

// What a column has where a payload says nothing.
struct Initial {
  bool is_null = true;
  std::string_view text;
};

// A Timestamp or Duration: what a row has of it is known at its end, as its parts may come one by one.
struct Clock {
  int column;
  bool is_interval;
  std::string_view name;
};

// An integer whose column is narrower: the last that a payload has for it counts.
struct Range {
  int column;
  IntegerRange bounds;
  std::string_view name;
};

struct ColumnProgram {
  millrace::Schema columns;
  std::deque<MessageTable> tables;
  std::deque<Symbols> symbols;
  const MessageTable* root = nullptr;
  std::vector<Initial> initials;  // of each column
  std::vector<Clock> clocks;
  std::vector<Range> ranges;
  size_t oneofs = 0;  // that have columns
  std::vector<std::string_view> required;
};

// kNull: such a field has no column.
Type column_type(const google::protobuf::FieldDescriptor& field);

// MR-PROTO-0010: a column is no field, or one of another type.
Result<std::unique_ptr<ColumnProgram>> column_program(const google::protobuf::Descriptor& type,
                                                      const millrace::Schema& columns);

}  // namespace millrace::protobuf
