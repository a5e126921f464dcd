// Program: an expression laid out flat, ready to run: what Evaluator and evaluate_constant share. Private to
// engine/.
//
// Why:       a chain a + b + c … is as deep as it is long. Nodes stand in one vector and the left spine of a
//            chain is walked in a loop, so the stack's depth follows the nesting that was written, which the
//            parser bounds.
// Registers: an operator's result is a column named by its depth; the left operand's register is reused for
//            the result, so a chain of 10,000 needs two.
// Calls:     of table functions take each argument in a register of its own.
// Lazy:      AND, OR, CASE, COALESCE and IN evaluate an argument for the rows that still need it (a
//            sub-selection).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/expr.h"
#include "engine/shared_values.h"

namespace millrace::engine {

class RegexCache;
struct FormatCache;

// An argument's values: one a row, or (a literal) one for all rows, at index 0.
struct Operand {
  const Column* column = nullptr;
  bool constant = false;
  size_t at(size_t row) const { return constant ? 0 : row; }
  bool is_null(size_t row) const { return column->is_null(at(row)); }
};

// What one evaluation carries along: where the rows are and what failed.
class Context {
 public:
  Context(const Batch& b, std::vector<RowError>& e, std::vector<uint8_t>& failed, RegexCache& r,
          FormatCache& f)
      : batch(b), regexes(r), formats(f), errors_(e), failed_(failed) {}
  void fail(size_t row, const SourceSpan& span, std::string_view id, std::string message);
  size_t failures() const { return count_; }
  void drop_failed(Selection& selection) const;

  const Batch& batch;
  RegexCache& regexes;
  FormatCache& formats;

 private:
  std::vector<RowError>& errors_;
  std::vector<uint8_t>& failed_;  // a byte a row, sized at the first failure
  size_t count_ = 0;
};

struct Node;
// Fills `out` for the selected rows. `out` may be the left operand's own column. Failing rows go to the
// context; the caller takes them out of the selection.
using Kernel = void (*)(const Node& node, const Operand& left, const Operand& right,
                        const Selection& selection, Column& out, Context& context);

struct Node {
  const Expr* expr = nullptr;
  Kernel kernel = nullptr;        // null: a leaf, a lazy operator or a call
  std::vector<uint32_t> args;     // nodes; AND and OR chains are flattened
  Column constant;                // kLiteral
  std::vector<int64_t> int_list;  // kInList over literals: sorted
  std::vector<std::string_view> text_list;
  SharedValues::Call* shared = nullptr;  // of a call that occurs elsewhere, too
};

class Program {
 public:
  // `root` and `shared` outlive the program.
  explicit Program(const Expr& root, PlanOptions options = {}, SharedValues* shared = nullptr);
  ~Program();
  const Column& run(const Batch& batch, Selection& selection, std::vector<RowError>& errors);

 private:
  class Lease;  // a selection taken from the pool

  uint32_t add(const Expr& expr);
  void expand(uint32_t index, SharedValues* shared);
  void prepare_list(Node& node);
  Operand eval(uint32_t index, unsigned reg, Selection& selection, Context& context);
  Operand eval_leaf(const Node& node, unsigned reg, Selection& selection, Context& context);
  void eval_and_or(const Node& node, unsigned reg, Selection& selection, Context& context);
  void eval_case(const Node& node, unsigned reg, Selection& selection, Context& context);
  void eval_coalesce(const Node& node, unsigned reg, Selection& selection, Context& context);
  void eval_in_list(const Node& node, unsigned reg, Selection& selection, Context& context);
  template <typename Run>
  void tried(const Node& node, Column& out, Context& context, Run run);
  void eval_call(const Node& node, unsigned reg, Selection& selection, Column& out, Context& context);
  Operand literal(const Node& node, unsigned reg, const Selection& selection, const Context& context);
  const Column& eval_shared(const Node& node, unsigned reg, const Selection& selection, Context& context);
  Column& reg(unsigned index);

  const PlanOptions options_;
  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<Column>> registers_;
  std::vector<uint32_t> spine_;
  std::vector<std::unique_ptr<Selection>> pool_;
  std::vector<uint8_t> failed_;
  std::unique_ptr<RegexCache> regexes_;
  std::unique_ptr<FormatCache> formats_;
};

// The kernel families (kernels_*.cc). Null if the operator is not of the family.
Kernel arithmetic_kernel(const Expr& expr);
Kernel time_kernel(const Expr& expr);
Kernel compare_kernel(const Expr& expr);
Kernel logic_kernel(const Expr& expr);  // IS …, NOT, NULLIF
Kernel text_kernel(const Expr& expr);
Kernel cast_kernel(const Expr& expr);
Kernel numeric_kernel(Op op);
Kernel numeric_cast_kernel(Type from, Type to);  // one is numeric
Kernel jsonb_cast_kernel(Type to);               // to numbers and boolean
Kernel array_cast_kernel();                      // of one array to another
// NULL for every row: a strict operator over a bare NULL.
void null_kernel(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                 Column& out, Context& context);

// PostgreSQL's order of two values of one type, neither NULL: text by bytes, NaN above all.
int compare_values(const Column& a, size_t row_a, const Column& b, size_t row_b);
int compare_doubles(double a, double b);

}  // namespace millrace::engine
