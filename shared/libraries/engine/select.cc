#include "engine/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "engine/aggregate.h"
#include "engine/key_hash.h"
#include "engine/program.h"

namespace millrace::engine {
namespace {

Error statement_error(const RowError& failure) {
  Error e = error(Code::kInvalid, failure.id, failure.message);
  if (failure.span.line != 0) e.span = failure.span;
  return e;
}

void set_output_schema(const std::vector<NamedExpr>& outputs, Batch& out) {
  if (!out.columns.empty()) return;
  Schema schema;
  for (const NamedExpr& output : outputs) schema.push_back({output.name, output.expr->type});
  out.set_schema(schema);
}

// The values of a list of expressions, evaluated in a row: the evaluators own them.
class Values {
 public:
  Values(const std::vector<NamedExpr>& exprs, PlanOptions options, OnError on_error = OnError::kDeadLetter) {
    for (const NamedExpr& e : exprs) evaluators_.emplace_back(e.expr, on_error, options);
  }
  void evaluate(const Batch& batch, Selection& selection, std::vector<RowError>& errors) {
    columns_.clear();
    for (Evaluator& e : evaluators_) columns_.push_back(&e.evaluate(batch, selection, errors));
  }
  const std::vector<const Column*>& columns() const { return columns_; }

 private:
  std::vector<Evaluator> evaluators_;
  std::vector<const Column*> columns_;
};

// PostgreSQL's order: NULL is the largest value, unless the key says where NULLs go.
int compare_keys(const SortKey& key, const Column& column, uint32_t a, uint32_t b) {
  const bool a_null = column.type == Type::kNull || column.is_null(a);
  const bool b_null = column.type == Type::kNull || column.is_null(b);
  if (a_null || b_null) {
    if (a_null && b_null) return 0;
    return a_null == key.nulls_first ? -1 : 1;
  }
  const int order = compare_values(column, a, column, b);
  return key.descending ? -order : order;
}

// ORDER BY sees the view's columns followed by the outputs.
Batch sort_input(const Batch& rows, const std::vector<const Column*>& outputs) {
  Batch both;
  both.rows = rows.rows;
  both.columns = rows.columns;
  both.origins = rows.origins;
  for (const Column* output : outputs) {
    both.columns.push_back(*output);
    both.columns.back().resize(rows.rows);
  }
  return both;
}

Status sort_rows(const SelectPlan& plan, const Batch& rows, const std::vector<const Column*>& outputs,
                 Selection& selection, size_t needed) {
  const Batch input = sort_input(rows, outputs);
  std::vector<NamedExpr> exprs;
  for (const SortKey& key : plan.order_by) exprs.push_back({"", key.expr});
  Values keys(exprs, plan.options);
  std::vector<RowError> errors;
  Selection all = selection;
  keys.evaluate(input, all, errors);
  if (!errors.empty()) return statement_error(errors.front());
  const auto before = [&](uint32_t a, uint32_t b) {
    for (size_t i = 0; i < plan.order_by.size(); ++i) {
      const int order = compare_keys(plan.order_by[i], *keys.columns()[i], a, b);
      if (order != 0) return order < 0;
    }
    return a < b;  // ties keep the view's order
  };
  // A LIMIT needs only the first rows in order.
  const auto middle = selection.begin() + static_cast<long>(std::min(needed, selection.size()));
  std::partial_sort(selection.begin(), middle, selection.end(), before);
  return {};
}

// How many rows, in order, LIMIT and OFFSET ask for; and from which on.
void bounds(const SelectPlan& plan, size_t rows, size_t& from, size_t& to) {
  from = std::min<size_t>(rows, static_cast<size_t>(std::max<int64_t>(plan.offset, 0)));
  to = rows;
  if (!plan.limit) return;
  const auto limit = static_cast<size_t>(std::max<int64_t>(*plan.limit, 0));
  to = limit < rows - from ? from + limit : rows;
}

Error too_many_groups(size_t max_bytes) {
  return error(Code::kExhausted, "MR-QRY-0006",
               fmt::format("the groups of the SELECT take more than {} MB", max_bytes >> 20),
               "group by fewer values, select fewer rows, or make a view that keeps the groups");
}

// The groups of the selected rows that pass HAVING.
Status group_rows(const PlanPtr& grouping, const Batch& rows, size_t max_bytes, Selection& selection,
                  Batch& groups) {
  const auto store = state::StateStore::make({.max_bytes = max_bytes});
  std::vector<RowError> errors;
  const Status added = Aggregation(grouping).add(rows, selection, *store, errors, nullptr);
  if (!added.ok()) return added.error().code == Code::kExhausted ? too_many_groups(max_bytes) : added.error();
  if (!errors.empty()) return statement_error(errors.front());
  // Each group of a pane may be one of all its windows.
  if (store->bytes() > max_bytes / grouping->most_windows()) return too_many_groups(max_bytes);
  TRY(Aggregation::read_groups(*grouping, {store->freeze()}, nullptr, groups));
  selection = all_rows(groups);
  filter_groups(*grouping, groups, selection, errors);
  if (!errors.empty()) return statement_error(errors.front());
  return {};
}

// Keeps the first of the rows whose values are the same, by a group key's rules.
void keep_distinct(const std::vector<const Column*>& values, Selection& selection) {
  std::unordered_set<std::string, KeyHash, std::equal_to<>> seen;
  std::string key;
  std::erase_if(selection, [&](uint32_t row) {
    key.clear();
    for (const Column* value : values) encode_key(key, *value, row);
    return !seen.insert(key).second;
  });
}

}  // namespace

void gather(const Column& in, const Selection& rows, Column& out, Arena& arena) {
  for (const uint32_t row : rows) {
    out.append_from(in, row);
    if (physical(out.type) == Physical::kText && !in.is_null(row))
      out.texts.back() = arena.keep(in.texts[row]);
  }
}

Selection all_rows(const Batch& batch) {
  Selection all(batch.rows);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

Result<Batch> run_select(const SelectPlan& plan, const Batch& rows, size_t max_group_bytes) {
  Selection selection = all_rows(rows);
  std::vector<RowError> errors;
  // Texts that expressions make live in the input's arena: work on a view of the rows with an arena of its
  // own.
  Batch input = rows;
  input.arena = std::make_shared<Arena>();
  if (plan.filter)
    Evaluator(plan.filter, OnError::kDeadLetter, plan.options).filter(input, selection, errors);
  if (!errors.empty()) return statement_error(errors.front());
  if (plan.grouping) {
    Batch groups;
    TRY(group_rows(plan.grouping, input, max_group_bytes, selection, groups));
    input = std::move(groups);
  }
  Values outputs(plan.outputs, plan.options);
  outputs.evaluate(input, selection, errors);
  if (!errors.empty()) return statement_error(errors.front());
  if (plan.distinct) keep_distinct(outputs.columns(), selection);
  size_t from = 0;
  size_t to = 0;
  bounds(plan, selection.size(), from, to);
  if (!plan.order_by.empty()) TRY(sort_rows(plan, input, outputs.columns(), selection, to));
  selection.resize(to);
  selection.erase(selection.begin(), selection.begin() + static_cast<long>(from));
  Batch out;
  set_output_schema(plan.outputs, out);
  for (size_t i = 0; i < out.columns.size(); ++i) {
    gather(*outputs.columns()[i], selection, out.columns[i], *out.arena);
  }
  out.rows = selection.size();
  return out;
}

void filter_groups(const QueryPlan& plan, const Batch& groups, Selection& selection,
                   std::vector<RowError>& errors) {
  if (plan.having) Evaluator(plan.having, plan.on_error, plan.options).filter(groups, selection, errors);
}

Status project(const QueryPlan& plan, const Batch& in, Selection& selection, Batch& out,
               std::vector<RowError>& errors) {
  set_output_schema(plan.outputs, out);
  Values values(plan.outputs, plan.options, plan.on_error);
  values.evaluate(in, selection, errors);
  for (size_t i = 0; i < out.columns.size(); ++i)
    gather(*values.columns()[i], selection, out.columns[i], *out.arena);
  if (!in.origins.empty()) {
    for (const uint32_t row : selection) out.origins.push_back(in.origins[row]);
  }
  if (!in.weights.empty()) {
    for (const uint32_t row : selection) out.weights.push_back(in.weights[row]);
  }
  out.rows += selection.size();
  return {};
}

}  // namespace millrace::engine
