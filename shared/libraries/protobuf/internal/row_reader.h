// RowReader: a payload's bytes into one row of a batch.
//
// Invariants: reads what libprotobuf's own parser reads of the same bytes: tags of at most 5 bytes, numbers of 10, the last
//             value of a field counts, parts of messages are merged.
#pragma once

#include <string>
#include <vector>

#include "event/batch.h"
#include "protobuf/internal/column_program.h"

namespace millrace::protobuf {

enum class Fault : uint8_t {
  kNone,
  kMalformed,
  kText,
  kGroup,
  kPacked,
  kRequired,
  kRange,
  kTooDeep,
  kTooLong
};

struct RowFault {
  Fault fault = Fault::kNone;
  std::string field;              // with those around it: a.b.c; its end, if that is long
  size_t at = std::string::npos;  // the byte where that field begins
};

class RowReader {
 public:
  explicit RowReader(const ColumnProgram& program);
  void begin(Batch& batch);  // whose columns have room, with their initial values
  // True: the row is there. Else some of it is, and fault() says what is wrong.
  bool read(std::string_view payload, size_t row);
  const RowFault& fault() const { return fault_; }

 private:
  struct Target {
    uint8_t* valid;
    void* values;
  };
  struct Parts {
    int64_t seconds = 0;
    int32_t nanos = 0;
  };

  // All of these answer where they stopped; nullptr: fault_.
  const char* fields(const MessageTable& table, const char* p, const char* end, uint32_t group, int depth);
  const char* field(const FieldOp& op, uint32_t tag, const char* p, const char* end, int depth);
  const char* text(const FieldOp& op, const char* p, const char* end);
  const char* symbol(const FieldOp& op, const char* p, const char* end);
  const char* message(const FieldOp& op, const char* p, const char* end, int depth);
  const char* group(const MessageTable& table, uint32_t tag, const char* p, const char* end, int depth);
  const char* skip(uint32_t tag, const char* p, const char* end, int depth);
  const char* packed(OpCode code, const char* p, const char* end);
  const char* fail(Fault fault);
  const char* fail_in(std::string_view name, uint32_t tag, const char* at);
  void prepend(std::string_view name);

  template <typename T>
  T& slot(const FieldOp& op) {
    return static_cast<T*>(targets_[static_cast<size_t>(op.column)].values)[row_];
  }
  bool is_set(int column) const { return targets_[static_cast<size_t>(column)].valid[row_] != 0; }
  void mark(const FieldOp& op);
  void link(const FieldOp& op);
  void start(const FieldOp& op);
  void keep_number(const FieldOp& op, uint64_t number);
  bool finish();
  bool finish_clock(const Clock& clock, const Parts& parts);  // false: it is out of range
  bool fail_row(Fault fault, std::string_view field);

  const ColumnProgram& program_;
  const MessageTable nothing_;
  std::vector<Target> targets_;
  std::vector<Parts> parts_;       // of each clock
  std::vector<uint8_t> required_;  // those that were there
  std::vector<int> set_;           // the column of each oneof's member that is set; -1: none
  Arena* arena_ = nullptr;
  size_t row_ = 0;
  const char* payload_ = nullptr;
  RowFault fault_;
};

}  // namespace millrace::protobuf
