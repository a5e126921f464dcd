// ColumnOp: what is done with one of a writer's fields, so that a record's bytes become a row's columns.
//
// Why:        which column, promotion and branch is known before any value comes; see resolution.h.
// Invariants: the operations of a record are run in their order, each takes its field's bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "avro/resolution.h"
#include "event/type.h"

namespace millrace::avro {

// What is done with a field's bytes.
enum class OpCode : uint8_t {
  kSkip,
  kNull,
  kBoolean,
  kInteger,      // as it is
  kClock,        // to days or microseconds
  kIntegerReal,  // to a double
  kFloat,
  kDouble,
  kText,
  kBytes,
  kFixed,
  kSymbol,
  kDecimal,
  kFixedDecimal,
  kUuid,
  kFixedUuid,
  kDuration,
  kBranches  // a union of the writer: as its branch
};

struct ColumnOp {
  OpCode code = OpCode::kSkip;
  int column = -1;
  bool narrow = false;         // an int: 32 bits
  bool to_real = false;        // the reader has a float
  const Node* node = nullptr;  // the writer's for what is skipped, otherwise the reader's
  const Step* step = nullptr;  // of symbols
  size_t size = 0;             // of a fixed
  std::vector<ColumnOp> branches;
  bool missing = false;  // the writer has no such field: `constant` is read instead
  std::string constant;
  std::string_view field;
};

// Of the columns, by name, with root's reader. MR-AVRO-0014: one of them is no field, or of another type.
Result<std::vector<ColumnOp>> column_program(const millrace::Schema& columns, const Node& reader,
                                             const Step& root);

Error no_column(std::string message);

}  // namespace millrace::avro
