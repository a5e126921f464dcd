// The naive evaluator's expressions: one row, one value, straight from the syntax tree.
//
// Why:     the oracle has to be right by being simple. It knows nothing of plans, batches or kernels; the
//          only things it shares with the node are the parser's trees and the Scalar type.
// Typing:  as the values come: bigint with double is double; a bare string literal takes the other side's
//          type.
// Failure: a row that fails is an Error (kInvalid): where the engine must make a dead letter. Not
// here:    intervals with months. The generator and the tests do not write them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/types.h"
#include "event/type.h"
#include "sql/ast.h"

namespace millrace::sim {

using Row = std::vector<Scalar>;

// What a SELECT reads: the columns of the one below it, each of them an expression over what that one reads.
struct NaiveReads {
  Schema columns;
  std::vector<const sql::ast::Expr*> values;  // of the columns; none: they are the stream's
  const NaiveReads* below = nullptr;
  std::vector<sql::ast::ExprPtr> made;  // of `values`, those that * stands for
};

// What a name in an expression can mean.
struct RowContext {
  const Schema* columns = nullptr;  // the stream's
  const Row* row = nullptr;
  std::optional<int64_t> window_start;  // microseconds
  int64_t window_size = 0;
  const std::map<const sql::ast::Expr*, Scalar>* aggregates = nullptr;  // an aggregate call's result
  AppendTime append_time = {};                                          // PROCTIME()
  bool window_of_rows = false;                                          // its ends are numbers
  const NaiveReads* reads = nullptr;                                    // null: the stream itself
  const std::set<std::string>* not_grouped =
      nullptr;                               // texts of keys that the row's grouping set is without …
  const NaiveReads* grouped_over = nullptr;  // … which are among these
};

bool is_null(const Scalar& value);
bool is_aggregate(const sql::ast::Expr& expr);
bool is_proctime(const sql::ast::Expr& expr);
Result<Scalar> naive_evaluate(const sql::ast::Expr& expr, const RowContext& context);
// A condition: TRUE or not (NULL and FALSE alike).
Result<bool> naive_holds(const sql::ast::Expr& expr, const RowContext& context);
Result<Scalar> naive_cast(const Scalar& value, Type to);
// -1, 0, 1 for two values that are not NULL.
int naive_compare(const Scalar& a, const Scalar& b);
// What an expression says, the same for what is written the same.
std::string naive_text(const sql::ast::Expr& expr);
// The type a column of this expression gets.
Type naive_type(const sql::ast::Expr& expr, const Schema& columns);
// INTERVAL literals without months, in microseconds.
Result<int64_t> naive_interval_us(const sql::ast::Expr& expr);
std::optional<int64_t> naive_timestamp_us(const std::string& text);
std::string naive_timestamp_text(int64_t us);

// One line for a row, equal exactly if the values are (doubles bit for bit).
std::string to_line(const Row& row);

}  // namespace millrace::sim
