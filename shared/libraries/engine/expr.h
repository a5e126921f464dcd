// Expr: a typed expression over the columns of a batch, and its vectorised evaluation.
//
// The binder (sql/) makes it, rules and sink transforms will too. Evaluation is column at a time over a
// selection: no virtual call and no allocation per row. Semantics are PostgreSQL's: three-valued logic,
// integer overflow and division by zero are errors of the row. CASE, AND, OR and COALESCE evaluate an
// argument only for the rows that need it, so a guarded division does not fail. A failing row is taken out of
// the selection and reported (RowError).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "event/batch.h"

namespace millrace::engine {

enum class Op : uint8_t {
  kColumn,   // column: index into the batch
  kLiteral,  // literal
  // arithmetic; operand types are equal unless noted; result type as PostgreSQL's
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kTimestampPlusInterval,
  kTimestampMinusInterval,
  kTimestampMinusTimestamp,
  kIntervalPlus,
  kIntervalMinus,
  kIntervalNegate,
  kIntervalTimes /* by double */,
  kConcat,
  // comparison; operand types are equal
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIsDistinct,
  kIsNotDistinct,
  kIsNull,
  kIsNotNull,
  kIsTrue,
  kIsNotTrue,
  kIsFalse,
  kIsNotFalse,
  kAnd,
  kOr,
  kNot,
  kCase,  // args: when, then, when, then, …, else (always present; a NULL literal if not written)
  kCoalesce,
  kNullIf,
  kCast,         // from args[0]->type to type
  kInList,       // args[0] IN (args[1..])
  kLike,         // args: text, pattern ('\' escapes)
  kTumbleStart,  // args: timestamp; window_us, window_offset_us
  kTumbleEnd,
  kIntervalDivide /* by double */,
  kCall,         // function: a row of the function table (functions.h)
  kWindowStart,  // args: timestamp; of HOP, CUMULATE: never evaluated, since a row has many
  kWindowEnd,
  kProctime,  // the append time of the row's frame: the batch needs origins
  kGrouping,  // args: group keys; never evaluated: what it is of a group follows from the group's set
  kRowsStart,  // no args; window_us: rows, window_offset_us: the slide; never evaluated: the group's rows are counted
  kRowsEnd,
  // New ones at the end: an operator's number is part of a plan's identity.
};

struct Signature;
struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

struct Expr {
  Op op = Op::kLiteral;
  Type type = Type::kNull;
  std::vector<ExprPtr> args;
  int column = -1;
  Scalar literal;
  int64_t window_us = 0;  // kTumble*
  int64_t window_offset_us = 0;
  const Signature* function = nullptr;  // kCall; rows live for ever
  bool tries = false;                   // kCast, kCall: NULL where it fails, but not where an argument does
  SourceSpan span;                      // in the query's text

  ~Expr();  // takes a long chain (a + b + c …) apart without recursion
};

std::string to_string(const Expr& expr, const std::vector<std::string>& columns);  // SQL-like, for EXPLAIN
// Window arithmetic, floor for times before the origin; shared by everything that assigns windows.
int64_t tumble_start(int64_t time_us, int64_t size_us, int64_t offset_us);

// What a row's failure says. Ids: MR-SQL-0101 division by zero, 0102 bigint, 0103 double precision, 0104
// timestamp, 0105 interval out of range, 0106 a text that is no such value, 0107 a bad LIKE pattern, 0108 a
// text too long, 0120 a bad argument of a function, 0121 a bad regular expression.
inline constexpr size_t kMaxTextBytes = size_t{1}
                                        << 20;  // of a text that an expression makes: an event's bound

// What becomes of a row for which an expression fails: it leaves, or it goes on with NULL in its place.
enum class OnError : uint8_t { kDeadLetter, kNull };

// What a plan and its evaluation may do to be quick. No answer depends on it: tests run without, and compare.
struct PlanOptions {
  // false: constants are computed anew for every row, no value or condition is shared, every column is read, a query
  // inside another is run on its own.
  bool optimize = true;
};

class SharedValues;

// Evaluates one expression again and again; owns its scratch columns.
class Evaluator {
 public:
  // With `shared`: together with other expressions (shared_values.h).
  explicit Evaluator(ExprPtr expr, OnError on_error = OnError::kDeadLetter, PlanOptions options = {},
                     SharedValues* shared = nullptr);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  // Values for the selected rows, at their own index (others: unspecified). Rows that fail are appended to
  // `errors` and, unless they are kept with NULL, removed from `selection`. The answer is valid until the next
  // call or a change of the batch.
  // Text made here lives in batch.arena.
  const Column& evaluate(const Batch& batch, Selection& selection, std::vector<RowError>& errors);
  // For boolean expressions: keeps the rows that are TRUE.
  void filter(const Batch& batch, Selection& selection, std::vector<RowError>& errors);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One row at a time, for constants (LIMIT, defaults, folding) and small results. Same kernels.
Result<Scalar> evaluate_constant(const Expr& expr, PlanOptions options = {});

}  // namespace millrace::engine
