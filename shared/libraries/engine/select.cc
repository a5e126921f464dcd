#include "engine/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_set>

#include "engine/aggregate.h"
#include "engine/key_hash.h"
#include "engine/select_order.h"

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

// What the keys of ORDER BY are over: the row, followed by the outputs.
Batch sort_input(const Batch& rows, const std::vector<const Column*>& outputs) {
  Batch both = rows;
  for (const Column* output : outputs) {
    both.columns.push_back(*output);
    both.columns.back().resize(rows.rows);
  }
  return both;
}

template <typename T>
void copy_range(const std::vector<T>& in, size_t from, size_t to, std::vector<T>& out) {
  if (in.size() < to) return;  // not the column's storage
  out.assign(in.begin() + static_cast<std::ptrdiff_t>(from), in.begin() + static_cast<std::ptrdiff_t>(to));
}

Column range_of(const Column& in, size_t from, size_t to) {
  Column out;
  out.type = in.type;
  copy_range(in.valid, from, to, out.valid);
  copy_range(in.booleans, from, to, out.booleans);
  copy_range(in.integers, from, to, out.integers);
  copy_range(in.doubles, from, to, out.doubles);
  copy_range(in.texts, from, to, out.texts);
  copy_range(in.intervals, from, to, out.intervals);
  return out;
}

// Hands the rows on so many at a time, in batches whose new texts live in one arena. In between it looks whether it
// is to go on.
class Pieces {
 public:
  explicit Pieces(const SelectBounds& bounds) : bounds_(bounds) {}

  Status for_each(const Batch& rows, const auto& take) const {
    size_t from = 0;
    do {
      if (bounds_.stop != nullptr && bounds_.stop->requested()) return stopped();
      const size_t to = std::min(rows.rows, from + bounds_.piece_rows);
      Batch piece = range(rows, from, to);
      TRY(take(piece));
      from = to;
    } while (from < rows.rows);
    return {};
  }

 private:
  Batch range(const Batch& rows, size_t from, size_t to) const {
    Batch out;
    out.arena = texts_;
    out.rows = to - from;
    for (const Column& column : rows.columns) out.columns.push_back(range_of(column, from, to));
    copy_range(rows.weights, from, to, out.weights);
    copy_range(rows.origins, from, to, out.origins);
    copy_range(rows.raw, from, to, out.raw);
    return out;
  }

  const SelectBounds& bounds_;
  const std::shared_ptr<Arena> texts_ = std::make_shared<Arena>();
};

Error too_many_groups(size_t max_bytes) {
  return error(Code::kExhausted, "MR-QRY-0006",
               fmt::format("the groups of the SELECT take more than {} MB", max_bytes >> 20),
               "group by fewer values, select fewer rows, or make a view that keeps the groups");
}

// The groups of the rows that pass the filter.
Status group_rows(const SelectPlan& plan, const Batch& rows, const Pieces& pieces, size_t max_bytes,
                  Batch& groups) {
  const PlanPtr& grouping = plan.grouping;
  const auto store = state::StateStore::make({.max_bytes = max_bytes});
  Aggregation aggregation(grouping);
  std::optional<Evaluator> filter;
  if (plan.filter) filter.emplace(plan.filter, OnError::kDeadLetter, plan.options);
  TRY(pieces.for_each(rows, [&](Batch& piece) -> Status {
    Selection selection = all_rows(piece);
    std::vector<RowError> errors;
    if (filter) filter->filter(piece, selection, errors);
    if (!errors.empty()) return statement_error(errors.front());
    const Status added = aggregation.add(piece, selection, *store, errors, nullptr);
    if (!added.ok())
      return added.error().code == Code::kExhausted ? too_many_groups(max_bytes) : added.error();
    if (!errors.empty()) return statement_error(errors.front());
    return {};
  }));
  // Each group of a pane may be one of all its windows.
  if (store->bytes() > max_bytes / grouping->most_windows()) return too_many_groups(max_bytes);
  return Aggregation::read_groups(*grouping, {store->freeze()}, nullptr, groups);
}

// The rows of a SELECT as they are made, piece by piece: those that LIMIT asks for, or, where ORDER BY says which
// these are, all of them and its keys.
class SelectedRows {
 public:
  explicit SelectedRows(const SelectPlan& plan)
      : plan_(plan), outputs_(plan.outputs, plan.options), order_(order_of(plan), plan.options) {
    set_output_schema(plan.outputs, rows_);
    for (const SortKey& key : plan.order_by) keys_.emplace_back().type = key.expr->type;
    from_ = static_cast<size_t>(std::max<int64_t>(plan.offset, 0));
    const auto limit = static_cast<size_t>(std::max<int64_t>(plan.limit.value_or(INT64_MAX), 0));
    to_ = from_ + limit;  // two int64s: no overflow
    if (plan.filter && !plan.grouping) filter_.emplace(plan.filter, OnError::kDeadLetter, plan.options);
  }

  Status add(Batch& piece) {
    Selection selection = all_rows(piece);
    std::vector<RowError> errors;
    if (filter_) filter_->filter(piece, selection, errors);
    if (plan_.grouping) filter_groups(*plan_.grouping, piece, selection, errors);
    if (!errors.empty()) return statement_error(errors.front());
    outputs_.evaluate(piece, selection, errors);
    if (!errors.empty()) return statement_error(errors.front());
    if (plan_.distinct) keep_distinct(selection);
    if (!plan_.order_by.empty()) return add_ordered(piece, selection);
    keep_wanted(selection);
    gather_outputs(outputs_.columns(), selection, rows_);
    return {};
  }

  Result<Batch> take(const Stop* stop) {
    if (plan_.order_by.empty()) return std::move(rows_);
    Selection selection = all_rows(rows_);
    if (!order_rows(plan_.order_by, keys_, to_, selection, stop)) return stopped();
    selection.erase(selection.begin(),
                    selection.begin() + static_cast<std::ptrdiff_t>(std::min(from_, selection.size())));
    std::vector<const Column*> columns;
    for (const Column& column : rows_.columns) columns.push_back(&column);
    Batch out;
    set_output_schema(plan_.outputs, out);
    gather_outputs(columns, selection, out);
    return out;
  }

 private:
  static std::vector<NamedExpr> order_of(const SelectPlan& plan) {
    std::vector<NamedExpr> exprs;
    for (const SortKey& key : plan.order_by) exprs.push_back({"", key.expr});
    return exprs;
  }

  static void gather_outputs(const std::vector<const Column*>& from, const Selection& selection, Batch& to) {
    for (size_t i = 0; i < to.columns.size(); ++i) gather(*from[i], selection, to.columns[i], *to.arena);
    to.rows += selection.size();
  }

  // Keeps the first of the rows whose outputs are the same, by a group key's rules.
  void keep_distinct(Selection& selection) {
    std::erase_if(selection, [&](uint32_t row) {
      key_.clear();
      for (const Column* value : outputs_.columns()) encode_key(key_, *value, row);
      return !seen_.insert(key_).second;
    });
  }

  // Of the rows selected so far those between OFFSET and LIMIT.
  void keep_wanted(Selection& selection) {
    const size_t first = passed_;
    passed_ += selection.size();
    selection.resize(std::clamp(to_, first, passed_) - first);
    const size_t skipped = std::min(std::max(from_, first) - first, selection.size());
    selection.erase(selection.begin(), selection.begin() + static_cast<std::ptrdiff_t>(skipped));
  }

  Status add_ordered(const Batch& piece, const Selection& selection) {
    const Batch input = sort_input(piece, outputs_.columns());
    std::vector<RowError> errors;
    Selection all = selection;
    order_.evaluate(input, all, errors);
    if (!errors.empty()) return statement_error(errors.front());
    for (size_t i = 0; i < keys_.size(); ++i) append_rows(*order_.columns()[i], selection, keys_[i]);
    for (size_t i = 0; i < rows_.columns.size(); ++i)
      append_rows(*outputs_.columns()[i], selection, rows_.columns[i]);
    rows_.rows += selection.size();
    return {};
  }

  // Texts are not copied: they live in the input or in the pieces' arena.
  static void append_rows(const Column& in, const Selection& selection, Column& out) {
    for (const uint32_t row : selection) out.append_from(in, row);
  }

  const SelectPlan& plan_;
  std::optional<Evaluator> filter_;
  Values outputs_;
  Values order_;
  size_t from_ = 0, to_ = 0;  // of the rows, in their order
  size_t passed_ = 0;
  Batch rows_;
  std::vector<Column> keys_;
  std::unordered_set<std::string, KeyHash, std::equal_to<>> seen_;  // of DISTINCT
  std::string key_;                                                 // scratch
};

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

Error stopped() {
  return error(Code::kCancelled, "MR-QRY-0011", "the statement was cancelled");
}

Result<Batch> run_select(const SelectPlan& plan, const Batch& rows, const SelectBounds& bounds) {
  const Pieces pieces(bounds);
  Batch groups;
  if (plan.grouping) TRY(group_rows(plan, rows, pieces, bounds.max_bytes, groups));
  SelectedRows selected(plan);
  TRY(pieces.for_each(plan.grouping ? groups : rows, [&](Batch& piece) { return selected.add(piece); }));
  return selected.take(bounds.stop);
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
