// Batch: rows as columns, the unit every operator works on. From one row to some thousands.
//
// Owns:    its vectors; text values are views: into the log's frame, or into `arena`, which the batch keeps
//          alive.
// Threads: confined to one worker; clear() keeps the capacity, so that a step allocates nothing in the long
//          run.
// Invariants: every column has `rows` values; weight, raw and origins are empty or have `rows` values.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "event/type.h"

namespace millrace {

struct Column {
  Type type = Type::kBigint;
  std::vector<uint8_t> valid;     // 1 = a value, 0 = NULL; empty = no NULL in the column
  std::vector<uint8_t> booleans;  // the values: the vector of the type's storage (physical())
  std::vector<int64_t> integers;
  std::vector<double> doubles;
  std::vector<std::string_view> texts;
  std::vector<Interval> intervals;

  bool is_null(size_t row) const { return !valid.empty() && valid[row] == 0; }
  size_t size() const;
  void clear();                      // keeps type and capacity
  void resize(size_t rows);          // new rows: unspecified values
  void grow(size_t rows);            // so many more, NULL until their bytes of `valid` say otherwise
  void shrink_valid();               // empty, if there is no NULL
  void append(const Scalar& value);  // text is not copied: the scalar must outlive the column
  void append_null();
  void append_from(const Column& other, size_t row);  // same type
  Scalar scalar(size_t row) const;                    // copies text
};

// Where a row came from: what a dead letter, a watermark and an event-time tie need to know.
struct RowOrigin {
  PartitionId partition;
  Offset offset;
  Cut cut;  // the frame that held it
  AppendTime append_time;
};

// Bytes that live as long as the batch (or the step). Addresses never move.
class Arena {
 public:
  std::string_view keep(std::string_view bytes);
  char* allocate(size_t size);
  void clear();  // keeps one block
  size_t bytes() const { return used_; }

 private:
  static constexpr size_t kBlock = 64 * 1024;
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size = 0;
  };
  std::vector<Block> blocks_;
  size_t left_ = 0;
  char* next_ = nullptr;
  size_t used_ = 0;
};

struct Batch {
  size_t rows = 0;
  std::vector<Column> columns;
  std::vector<int32_t> weights;       // empty: every weight is +1
  std::vector<RowOrigin> origins;     // empty where nobody asks
  std::vector<std::string_view> raw;  // the event's original bytes; empty where nobody asks
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();

  void clear();
  void set_schema(const Schema& schema);
};

// The rows of a batch that are still in play, ascending.
using Selection = std::vector<uint32_t>;

// A row that failed: it leaves the pipeline and goes to the dead letters, unless it is kept.
struct RowError {
  uint32_t row = 0;
  std::string_view id;  // "MR-SQL-…", static storage
  std::string message;
  SourceSpan span;    // of the expression in the query's text; line 0 where there is none
  bool kept = false;  // the expression is NULL for it (on_error = 'null')
};

}  // namespace millrace
