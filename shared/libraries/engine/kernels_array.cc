// CAST of an array to an array of another type: of all rows' elements at once, by the cast of their types.
#include <algorithm>

#include "engine/kernels.h"
#include "event/array.h"

namespace millrace::engine {
namespace {

ExprPtr element_cast(Type from, Type to, const SourceSpan& span) {
  auto column = std::make_shared<Expr>();
  column->op = Op::kColumn;
  column->type = from;
  column->column = 0;
  auto cast = std::make_shared<Expr>();
  cast->op = Op::kCast;
  cast->type = to;
  cast->args = {std::move(column)};
  cast->span = span;
  return cast;
}

// The rows' elements, one row behind the other.
struct Elements {
  Batch batch;
  std::vector<size_t> rows;  // that have elements, or an empty array
  std::vector<size_t> ends;  // of each of them in the batch
};

Elements elements_of(const Operand& arrays, const Selection& selection) {
  Elements out;
  Column& column = out.batch.columns.emplace_back();
  column.type = element_of(arrays.column->type);
  for (const uint32_t row : selection) {
    if (arrays.is_null(row)) continue;
    append_elements(arrays.column->texts[arrays.at(row)], column, *out.batch.arena);
    out.rows.push_back(row);
    out.ends.push_back(column.size());
  }
  out.batch.rows = column.size();
  return out;
}

void array_to_array(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                    Column& out, Context& context) {
  constexpr std::string_view kLongText = "MR-SQL-0108";
  const Elements elements = elements_of(left, selection);
  const ExprPtr cast =
      element_cast(element_of(left.column->type), element_of(node.expr->type), node.expr->span);
  Selection all(elements.batch.rows);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
  std::vector<RowError> errors;
  Program program(*cast);
  const Column& made = program.run(elements.batch, all, errors);
  for (const RowError& error : errors) {
    const auto end = std::ranges::upper_bound(elements.ends, error.row);
    context.fail(elements.rows[static_cast<size_t>(end - elements.ends.begin())], error.span, error.id,
                 error.message);
  }
  strict_nulls(left, nullptr, selection, context.batch.rows, out);
  set_type(out, node.expr->type, context.batch.rows);
  for (const uint32_t row : selection) out.texts[row] = {};
  std::string bytes;
  size_t at = 0;
  for (size_t i = 0; i < elements.rows.size(); ++i) {
    bytes.clear();
    for (; at < elements.ends[i]; ++at) append_ordered(bytes, made, at);
    if (bytes.size() > kMaxTextBytes)
      context.fail(elements.rows[i], node.expr->span, kLongText, "the array would be too long");
    else
      out.texts[elements.rows[i]] = context.batch.arena->keep(bytes);
  }
}

}  // namespace

Kernel array_cast_kernel() {
  return array_to_array;
}

}  // namespace millrace::engine
