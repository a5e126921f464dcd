// ExpressionBinder: syntax to typed expressions, by PostgreSQL's rules.
//
// Types:     smallint, integer, bigint, numeric, real and double precision widen in this order, a date becomes a
//            timestamp, that one with a time zone (UTC), a time an interval. A bare 'string' or NULL takes the type that its context wants; it
//            is an error if it does not read as one. Nothing else converts by itself.
// Constants: folded with the engine's own evaluation; one that fails is left, so that it fails for the rows
//            that reach it. Aggregates: become columns kAggregateBase + i over `calls()`; whoever plans the
//            query gives them their place.
// Bound:     kMaxExpressionNodes, counted as if shared parts (BETWEEN, CASE x WHEN) were written out.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/scope.h"

namespace millrace::engine {
struct AggregateFunction;
}

namespace millrace::sql {

inline constexpr int kAggregateBase = 1 << 20;
inline constexpr size_t kMaxExpressionNodes = 50'000;
// A match may take as many steps as text and pattern multiplied.
inline constexpr size_t kMaxPatternBytes = 1'000;
inline constexpr size_t kMaxFoldedTextBytes = 10'000;  // of LIKE and calls over constants

// A bound expression; `unknown`: a bare string or NULL that still takes its type from its context.
struct Bound {
  engine::ExprPtr expr;
  bool unknown = false;
  size_t size = 1;
  bool folds = true;  // what is made of constants like it is one
  // Of ROW(…) as it was written: its fields, each as unknown as it is.
  std::shared_ptr<const std::vector<Bound>> fields = {};
  Type type() const { return expr->type; }
};

// Of rank(…) WITHIN GROUP: what rows are ordered by, and the constant whose place is asked for.
struct RankKey {
  Bound value, constant;
  bool descending = false;
  bool nulls_first = false;
};

class ExpressionBinder {
 public:
  // `place`, if not empty, says where the expression stands and that aggregates are refused there ("WHERE").
  ExpressionBinder(const Scope& scope, std::string_view place) : scope_(scope), place_(place) {}

  Result<Bound> bind(const ast::Expr& expr);
  // The same with a type: unknown becomes text; `wanted` has to be met.
  Result<engine::ExprPtr> bind_typed(const ast::Expr& expr);
  Result<engine::ExprPtr> bind_boolean(const ast::Expr& expr, std::string_view what);

  const std::vector<engine::AggregateCall>& calls() const { return calls_; }
  // What row.* stands for, in its order, with names.
  Result<std::vector<std::pair<std::string, Bound>>> fields_of_star(const ast::Expr& star);
  bool groups() const { return uses_grouping_ || !calls_.empty(); }  // it stands in a query that groups

 private:
  Result<Bound> bind_kind(const ast::Expr& expr);
  Result<Bound> number(const ast::Expr& expr, bool negative);
  Result<Bound> unary(const ast::Expr& expr);
  Result<Bound> grouping(const ast::Expr& expr);
  Result<Bound> binary(const ast::Expr& expr);
  Result<Bound> logical(const ast::Expr& expr);
  Result<Bound> negation(const ast::Expr& expr);
  Result<Bound> is_test(const ast::Expr& expr);
  Result<Bound> is_distinct(const ast::Expr& expr);
  Result<Bound> between(const ast::Expr& expr);
  Result<Bound> in_list(const ast::Expr& expr);
  // Patterns (bind_like.cc).
  Result<Bound> like(const ast::Expr& expr);
  Result<Bound> like_any(const ast::Expr& expr);
  Result<Bound> regex_match(const ast::Expr& expr);
  Result<Bound> case_of(const ast::Expr& expr);
  Result<Bound> cast(const ast::Expr& expr);
  Result<Bound> try_cast(const ast::Expr& expr);
  Result<Bound> null_count(const ast::Expr& expr);
  Result<Bound> type_name(const ast::Expr& expr);
  Result<Bound> call(const ast::Expr& expr);
  // Rows (bind_row.cc).
  Result<Bound> row(const ast::Expr& expr);
  Result<Bound> field(const ast::Expr& expr);
  Result<Bound> column(const ast::Expr& expr);
  // Arrays (bind_array.cc).
  Result<Bound> array(const ast::Expr& expr);
  Result<Bound> subscript(const ast::Expr& expr);
  Result<Bound> slice(const ast::Expr& expr);
  Result<Bound> quantified(const ast::Expr& expr);
  Result<Bound> proctime(const ast::Expr& expr);
  Result<Bound> coalesce(const ast::Expr& expr);
  Result<Bound> null_if(const ast::Expr& expr);
  Result<Bound> if_null(const ast::Expr& expr);
  Result<Bound> either(const ast::Expr& expr);  // if()
  // The clock and OVERLAPS (bind_clock.cc).
  Result<Bound> clock(const ast::Expr& expr);
  Result<Bound> overlaps(const ast::Expr& expr);
  // Aggregates (bind_aggregate.cc).
  Result<Bound> aggregate(const ast::Expr& expr, const engine::AggregateFunction& function);
  Result<Bound> aggregate_input(const ast::Expr& expr, const engine::AggregateFunction& function);
  Result<Bound> aggregate_argument(const ast::Expr& expr, const engine::AggregateFunction& function,
                                   Bound argument);
  Result<Bound> pair_of(const ast::Expr& expr, Bound y);
  Result<Bound> ordered(const ast::Expr& expr, engine::AggregateKind kind, Bound argument);
  Status aggregate_parameter(const ast::Expr& expr, Type argument, engine::AggregateCall& call);
  Status aggregate_order(const ast::Expr& expr, const Bound& argument, engine::AggregateCall& call);
  Result<Bound> bind_in_aggregate(const ast::Expr& expr);
  Result<Bound> filtered(const ast::Expr& call, Bound value);
  Result<Bound> interval_aggregate(const ast::Expr& expr, const engine::AggregateFunction& function,
                                   const Bound& argument);
  // rank(…) WITHIN GROUP and its kin (bind_rank.cc).
  Result<Bound> rank_of(const ast::Expr& expr, engine::AggregateKind kind);
  Result<std::vector<RankKey>> rank_keys(const ast::Expr& expr);
  Result<Bound> counted(const ast::Expr& expr, Bound value, bool distinct);
  Result<Bound> share_of(const ast::Expr& expr, engine::AggregateKind kind, Bound before);
  Bound aggregate_call(const ast::Expr& expr, engine::AggregateCall call, size_t size);
  Result<std::vector<Bound>> bind_all(const std::vector<ast::ExprPtr>& args);

  const Scope& scope_;
  std::string_view place_;
  bool in_aggregate_ = false;
  bool uses_grouping_ = false;
  std::vector<engine::AggregateCall> calls_;
  std::unordered_multimap<uint64_t, size_t> calls_by_hash_;
};

// A tree of two-armed nodes over args[from, to), as flat as can be, so that no walk over it goes deep.
Result<Bound> balanced(engine::Op op, std::vector<Bound>& args, size_t from, size_t to);
Result<Bound> negated_if(bool negated, Bound value, const SourceSpan& span);
bool is_clock(const ast::Expr& call);  // now(), CURRENT_DATE, …
Error no_clock(const ast::Expr& call);
// Building blocks (bind_operator.cc).
Bound make_literal(Scalar value, Type type, const SourceSpan& span);
// Folds where every argument is constant. kTooComplex beyond the bound.
Result<Bound> make(engine::Op op, Type type, std::vector<Bound> args, const SourceSpan& span);
// A call of a table function (bind_call.cc): finds the signature that is meant, folds as make() does.
Result<Bound> make_call(std::string_view name, std::vector<Bound> args, const SourceSpan& span);
// The signature is known, and the arguments have its types. Not folded.
Bound call_of(const engine::Signature& signature, Type type, std::vector<Bound> args, const SourceSpan& span);
Result<Bound> folded(Bound call);
Error does_not_exist(const ast::Expr& aggregate, Type type, std::string hint);  // of such an argument
Error bad_arguments(const ast::Expr& call, std::string_view wants);
Result<Bound> to_precision(const Bound& numeric, int64_t precision, int64_t scale);
std::vector<std::string> function_names();  // of the table, and the aggregates: for hints
std::optional<engine::Op> comparison_of(std::string_view op);
// The one of two types that the other becomes by itself.
std::optional<Type> common_type(Type left, Type right);
// What PostgreSQL converts without being asked; never a type to itself.
bool becomes(Type from, Type to);
bool is_narrower(Type left, Type right);  // of numbers
// A string or NULL becomes `type`, and so does what becomes it by itself; anything else has to be `type` already
// (answers nullopt).
Result<std::optional<Bound>> coerce(Bound value, Type type);
Result<Bound> convert(const Bound& value, Type type);  // the same, where nothing else can be meant
Result<Scalar> parse_literal(const std::string& text, Type type, const SourceSpan& span);
Result<Bound> as_boolean(Bound value, std::string_view what);
Result<Bound> make_arithmetic(const std::string& op, Bound left, Bound right, const ast::Expr& at);
// The operators of arrays are calls of functions, too (bind_array.cc).
bool is_array_operator(std::string_view op, const Bound& left, const Bound& right);
Result<Bound> make_array_operation(std::string_view op, Bound left, Bound right, const ast::Expr& at);
// The operators of bits are calls of functions, too (bind_bits.cc).
bool is_bit_operator(std::string_view op);
Result<Bound> make_bit_operation(std::string_view op, Bound left, Bound right, const ast::Expr& at);
Result<Bound> make_bit_complement(Bound value, const ast::Expr& at);
// The operators of jsonb are calls of functions (bind_jsonb.cc).
bool is_jsonb_operator(std::string_view op, const Bound& left, const Bound& right);
Result<Bound> make_jsonb_operation(std::string_view op, Bound left, Bound right, const ast::Expr& at);
// Rows (bind_row.cc). IS NULL is true of a row without a value in it, IS NOT NULL of one with a value in each field.
Result<Bound> make_row_test(bool null, Bound row, const SourceSpan& span);
Result<Bound> unnamed_row(std::vector<Bound> fields, const SourceSpan& span);  // ROW(…) of typed values
// Of two rows as they were written.
Result<Bound> make_row_comparison(engine::Op op, std::string_view symbol, const Bound& left,
                                  const Bound& right, const SourceSpan& span,
                                  const SourceSpan& operator_span);
// Rows as they were written, of so many fields each, get one type.
Status unify_rows(const std::vector<Bound*>& rows, std::string_view what);
Result<std::optional<Bound>> coerce_row(Bound row, Type type);
Result<Bound> cast_row(Bound row, Type to, const SourceSpan& span);
Result<Bound> assign_row(const Bound& row, const ColumnDef& column);
Result<Bound> assigned(Bound value, const ColumnDef& column);  // as INSERT does (bind_insert.cc)
// CAST; a text is cut to the column's length.
Result<Bound> cast_to(Bound value, const ColumnDef& to, const SourceSpan& span);
Error no_operator(std::string_view symbol, const Bound& left, const Bound& right, const SourceSpan& span);
Result<Bound> make_comparison(engine::Op op, std::string_view symbol, Bound left, Bound right,
                              const SourceSpan& span, const SourceSpan& operator_span);
// Brings all to one type, as CASE, COALESCE and IN need it.
Status unify(std::vector<Bound*> values, std::string_view what);
Bound with_default_type(Bound value);

// An ordered aggregate goes by the time of its rows: the column of the stream's watermark, if there is one, stands
// behind what its ORDER BY says.
void order_by_time(std::vector<engine::AggregateCall>& calls, const engine::StreamDef* source);

// PostgreSQL's name for a column that was given none.
std::string default_name(const ast::Expr& expr);
// Of windows, disorder, timeouts and retention: ten thousand years, so that sums with a timestamp stay in
// range.
inline constexpr int64_t kMaxLengthUs = int64_t{3'650'000} * 86'400'000'000;
// A constant INTERVAL as microseconds: days count 24 hours, months are refused. `what` starts the messages.
Result<int64_t> constant_interval_us(const ast::Expr& expr, std::string_view what);
Result<int64_t> interval_us(const Interval& value, const SourceSpan& span, std::string_view what);

}  // namespace millrace::sql
