// The syntax trees: what the parser saw, before any name means anything.
//
// Owns:  its nodes, by value; a tree is built once and then only read. Every node knows its place in the
//        text.
// Bound: an expression's height is at most kMaxHeight and a text has at most kMaxNodes nodes, so walking a
//        tree by recursion is safe everywhere; AND, OR and lists are flat, with at most kMaxList members.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/sql.h"

namespace millrace::sql::ast {

inline constexpr size_t kMaxNesting = 200;   // parentheses, CASE, NOT, signs, calls
inline constexpr size_t kMaxHeight = 1'000;  // 1 + 1 + 1 …
inline constexpr size_t kMaxList = 10'000;   // IN (…), AND … AND …
inline constexpr size_t kMaxArguments = 100;
inline constexpr size_t kMaxArrayItems = 1'000;  // of ARRAY[…]
inline constexpr size_t kMaxColumns = 1'600;     // of a stream, a SELECT list, a GROUP BY
inline constexpr size_t kMaxPathBytes = 1'024;
inline constexpr size_t kMaxNodes = 200'000;  // of all statements of a text
// What a regular expression counts as: compiling one may take two milliseconds.
inline constexpr size_t kPatternNodes = 500;
inline constexpr size_t kMaxStatements = 10'000;
inline constexpr size_t kMaxQueryNesting = 100;   // subqueries, parentheses around them
inline constexpr size_t kMaxCtes = 2'000;         // of one WITH
inline constexpr size_t kMaxGroupingSets = 64;    // of one GROUP BY: a row counts in each
inline constexpr size_t kMaxSetOperations = 100;  // of one query

struct Name {
  std::string text;  // empty: not written
  SourceSpan span;
  explicit operator bool() const { return !text.empty(); }
};

struct TypeName {
  Type type = Type::kText;
  SourceSpan span;
  uint32_t length = 0;                     // of VARCHAR(n) and NUMERIC(p, s); 0: none
  uint32_t scale = 0;                      // of NUMERIC(p, s)
  std::optional<uint32_t> precision = {};  // of TIMESTAMP(p) and TIME(p): digits of a second
};

enum class ExprKind : uint8_t {
  kNumber,   // text: as written
  kString,   // text: the value
  kBoolean,  // text: "true" or "false"
  kNull,
  kTypedString,  // type 'text'
  kColumn,       // [qualifier.]text
  kStar,         // * or qualifier.* or args[0].*
  kUnary,        // text: operator
  kBinary,       // text: operator
  kAnd,
  kOr,
  kNot,
  kIs,          // text: null, true, false, unknown; negated
  kIsDistinct,  // negated: IS NOT DISTINCT FROM
  kBetween,
  kIn,    // args[0] IN (args[1..])
  kLike,  // text: like, ilike or similar; args: text, pattern [, escape]
  kCase,  // [operand] when then when then … [else]
  kCast,
  kCall,        // text(args…); star: count(*)
  kArray,       // ARRAY[args…]
  kSubscript,   // args[0][args[1]]
  kSlice,       // args[0][args[1]:args[2]]; a bound that is not written: NULL with text "open"
  kQuantified,  // args[0] text ANY (args[1]), text an operator, or like, not ilike, …; negated: ALL
  kRow,         // ROW(args…)
  kField,       // args[0].text; operator_span: the name's
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
bool is_open_bound(const Expr& expr);  // of kSlice
// Written alike; which source a column is of does not count.
bool same_tree(const Expr& a, const Expr& b);

struct Expr {
  ExprKind kind = ExprKind::kNull;
  SourceSpan span;
  SourceSpan operator_span;  // kUnary, kBinary: the operator's
  std::string text;
  Name qualifier;
  std::vector<ExprPtr> args;
  TypeName type;
  bool negated = false;
  bool star = false;
  bool tries = false;  // kCast: TRY_CAST
  bool has_operand = false;
  bool has_else = false;
  bool distinct = false;    // kCall: of an aggregate's argument
  bool has_filter = false;  // kCall: the last argument is FILTER's condition
  struct Order {
    bool descending = false;
    std::optional<bool> nulls_first;
  };
  std::vector<Order> within_group;  // kCall: the first arguments are those of WITHIN GROUP's ORDER BY
  std::vector<Order> order_by;      // kCall: the last arguments before FILTER's are ORDER BY's
  uint32_t height = 1;
};

struct SelectItem {
  ExprPtr expr;
  Name alias;
};

// TUMBLE(name, time, size [, offset]) or TUMBLE(name, ROWS size), HOP(name, time, slide, size [, offset]), CUMULATE(name, time, step, size
// [, offset]); as the standard writes them, the call stands in TABLE(…), the name behind TABLE and the time in
// DESCRIPTOR(…).
enum class WindowFunction : uint8_t { kNone, kTumble, kHop, kCumulate, kSession };

struct Query;
using QueryPtr = std::shared_ptr<const Query>;

struct TableRef {
  Name name;  // of a stream, a view or a CTE; empty: a subquery
  QueryPtr subquery;
  Name alias;
  std::vector<Name> columns;  // AS alias (a, b): other names for the first columns
  WindowFunction window = WindowFunction::kNone;
  SourceSpan span;
  ExprPtr time;
  ExprPtr step;  // HOP's slide, CUMULATE's step
  ExprPtr size;  // SESSION: the gap
  ExprPtr offset;
  std::vector<ExprPtr> partition_by;  // SESSION
  bool of_rows = false;               // TUMBLE(name, ROWS size), HOP(name, ROWS slide, ROWS size): no time
};

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;
};

// WITH name (columns) AS (query).
struct Cte {
  Name name;
  std::vector<Name> columns;
  QueryPtr query;
};

// GROUPING SETS, ROLLUP, CUBE: which keys of GROUP BY are in each set.
using GroupingSets = std::vector<std::vector<uint32_t>>;

enum class SetOperation : uint8_t { kNone, kUnion, kIntersect, kExcept };

// A SELECT; or VALUES; or two queries and what is between them. Each may have WITH before it and a tail behind.
struct Query {
  SourceSpan span;
  std::vector<Cte> with;
  std::vector<std::vector<ExprPtr>> values;  // VALUES (…), (…)
  SetOperation set = SetOperation::kNone;    // of left and right
  bool set_all = false;
  SourceSpan set_span;
  QueryPtr left, right;
  // SELECT
  SourceSpan distinct_span;  // length 0: not DISTINCT
  std::vector<SelectItem> items;
  std::optional<TableRef> from;
  ExprPtr where;
  std::vector<ExprPtr> group_by;
  GroupingSets grouping_sets;  // empty: all of group_by is one set
  SourceSpan group_span;       // length 0: no GROUP BY
  ExprPtr having;
  std::vector<OrderItem> order_by;
  ExprPtr limit;
  ExprPtr offset;
  SourceSpan tail_span;  // of ORDER BY, LIMIT or OFFSET, the first that was written
};

struct Option {
  enum class Kind : uint8_t { kString, kNumber, kWord };
  Name name;
  Kind kind = Kind::kString;
  std::string value;
  SourceSpan value_span;
};

struct ColumnDecl {
  Name name;
  TypeName type;
  std::vector<std::string> path;  // the members of PATH '$.a.b'; empty: not written
  SourceSpan path_span;
  bool required = false;  // NOT NULL
};

struct Watermark {
  Name column;
  ExprPtr value;
  SourceSpan span;
};

inline const Option* find_option(const std::vector<Option>& options, std::string_view name) {
  for (const Option& one : options) {
    if (one.name.text == name) return &one;
  }
  return nullptr;  // it is not said
}

struct CreateStream {
  Name name;
  bool if_not_exists = false;
  std::vector<ColumnDecl> columns;
  std::vector<Name> primary_key;  // empty: none
  std::optional<Watermark> watermark;
  std::optional<SourceSpan> elements;  // the parenthesis before the columns; none: they are left to a schema
  SourceSpan elements_end;             // the one behind them
  std::vector<Option> options;
  std::optional<SourceSpan> with;  // WITH (…)

  const Option* option(std::string_view option_name) const { return find_option(options, option_name); }
};

struct CreateQuery {
  enum class Emit : uint8_t { kDefault, kChanges, kOnClose, kEvery };
  ObjectKind kind = ObjectKind::kView;
  Name name;
  bool if_not_exists = false;
  bool or_replace = false;
  std::vector<Option> options;
  Query query;
  Emit emit = Emit::kDefault;
  SourceSpan emit_span;
  ExprPtr every;  // EMIT EVERY
  Name late_to;   // LATE DATA TO
};

struct Select {
  Query query;
};
struct Subscribe {
  Name name;
};
struct Drop {
  ObjectKind kind = ObjectKind::kStream;
  Name name;
  bool if_exists = false;
};
struct Show {
  sql::Show::What what = sql::Show::What::kStreams;
  Name name;
};
struct Pause {  // or RESUME
  Name name;
  bool pause = true;
};
// ALTER STREAM name SET (option = value, …) | RESET (option, …) | ADD COLUMN [IF NOT EXISTS] name type, …
struct Alter {
  struct Added {
    ColumnDecl column;
    SourceSpan span;  // of all of the column
    bool if_not_exists = false;
  };
  Name name;
  bool reset = false;
  std::vector<Option> options;  // reset: their names
  std::vector<Added> columns;
};
struct Insert {
  Name stream;
  std::vector<Name> columns;  // empty: all
  Query query;
};
struct Explain;
using Body =
    std::variant<CreateStream, CreateQuery, Select, Subscribe, Drop, Show, Explain, Pause, Alter, Insert>;
struct Explain {  // one of the two
  std::unique_ptr<Body> body;
  Name target;  // of a stream or a view
  bool analyze = false;
  SourceSpan analyze_span;
};

}  // namespace millrace::sql::ast

namespace millrace::sql {

struct Statement {
  std::string text;  // as written, without the ';'
  SourceSpan span;
  std::vector<SourceSpan> parameters;  // where one stands
  ast::Body body;
};

}  // namespace millrace::sql
