// Flattening: the query of a view or a derived stream, with its subqueries, CTEs and views put together to one plan over
// the stream at the bottom.
//
//   rows of a subquery       its expressions stand in for its columns, and its filter is applied first
//   groups of a subquery     a query around them may choose, compute and filter (HAVING), and nothing else
//
// Errors: an outer condition is computed only for rows for which the inner one is true. What does not go into one plan is
//         refused by name.
// Bound:  kMaxExpressionNodes and kMaxInlinedHeight, of each expression once it is put together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sql/bind_expression.h"
#include "sql/binder.h"

namespace millrace::sql {

// An expression as it is written is at most ast::kMaxHeight high, and its casts come on top.
inline constexpr size_t kMaxInlinedHeight = 3 * ast::kMaxHeight;

struct FlatQuery {
  engine::QueryPlan plan;  // kRows or kAggregate; columns count in the source's; no name, no read_columns
  bool closes_windows = false;  // grouped by a window over the watermark's column or PROCTIME()
  Scope windows;                // kRows: the window function that made the rows, if there is one …
  const ast::TableRef* window_from = nullptr;  // … and where it stands
  std::vector<bool> unknown;  // kRows: outputs that are a bare string or NULL, and still take a type
};
// by_name: no two of its columns have one name.
Result<FlatQuery> flatten(const ast::Query& tree, const BindContext& context, bool by_name = true);
// UNION, INTERSECT, EXCEPT (bind_set.cc).
Result<FlatQuery> flatten_set(const ast::Query& tree, const BindContext& context);
// UNION ALL: what its queries read becomes one source of the plan (bind_union.cc). Of INTERSECT and EXCEPT its last column
// says of which side a row is: kLeftSide, or another.
Result<FlatQuery> flatten_union(const ast::Query& tree, const BindContext& context);
inline constexpr int64_t kLeftSide = 0;
// Of another text: its expressions stand at the place. How many parts were copied.
size_t place_at(engine::UnionArm& arm, const SourceSpan& span);
Error too_large(const SourceSpan& span);  // a query, with its subqueries and views put into it

// Rebuilds expressions with other columns; parts that are shared stay shared.
class ColumnMap {
 public:
  static ColumnMap to_places(const std::vector<int>& columns);  // columns[i] becomes i
  static ColumnMap from_places(const std::vector<int>& columns,
                               const SourceSpan& span);  // i becomes columns[i]
  engine::ExprPtr apply(const engine::ExprPtr& expr);
  size_t parts() const { return done_.size(); }  // rebuilt so far

 private:
  std::unordered_map<int, int> places_;
  std::unordered_map<const engine::Expr*, engine::ExprPtr> done_;
  SourceSpan span_;  // of everything, where the text is another's
};

// How large an expression is, its shared parts written out, and how high. Remembers what it saw.
class Measure {
 public:
  struct Extent {
    size_t size = 1;
    size_t height = 1;
    bool fits(size_t most = kMaxExpressionNodes) const;
  };
  Extent of(const engine::ExprPtr& expr);

 private:
  std::unordered_map<engine::ExprPtr, Extent> known_;
};

// What binding a statement has done so far, so that no text makes it run for long: a part is measured once, however
// many queries read it, and views are copied up to a bound.
struct BindWork {
  Measure measure;
  size_t copied = 0;
};
inline constexpr size_t kMaxCopiedParts = 1'000'000;

// The outputs of a query as the columns of the one around it. nullopt: one of them has more parts.
std::optional<std::vector<Scope::Column>> inlined_columns(const std::vector<engine::NamedExpr>& outputs,
                                                          size_t most, Measure& measure);
// AS alias (a, b): the first columns get other names.
Status rename_columns(const std::vector<ast::Name>& names, const SourceSpan& span,
                      std::vector<std::string*> columns);
// Both conditions, the second only for rows for which the first is true. Either may be null.
engine::ExprPtr both(const engine::ExprPtr& first, const engine::ExprPtr& second);

// What WITH named: each query is bound once, in order, and sees those before it.
class CteScope {
 public:
  struct Item {
    engine::SelectPtr select;               // in an ad-hoc query
    std::shared_ptr<const FlatQuery> flat;  // in a continuous one
  };
  explicit CteScope(const CteScope* outer) : outer_(outer) {}
  const Item* find(const std::string& name) const;
  Status check_new(const ast::Name& name) const;
  void add(const std::string& name, Item item) { items_.emplace(name, std::move(item)); }

 private:
  const CteScope* outer_;
  std::unordered_map<std::string, Item> items_;
};

}  // namespace millrace::sql
