#include "stream-processor/view_changes.h"

#include <fmt/format.h>

#include "engine/aggregate.h"
#include "engine/select.h"
#include "formats/json.h"

namespace millrace::processor {

void append_rows(const engine::QueryPlan& plan, const Batch& rows, std::string_view op, JsonRows& out) {
  std::vector<std::string> names;
  for (const auto& column : plan.output_schema()) names.push_back(column.name);
  formats::JsonRowWriter writer(names);
  std::vector<const Column*> columns;
  for (const auto& column : rows.columns) columns.push_back(&column);
  const std::string mark = op.empty() ? "" : fmt::format("\"_op\":\"{}\"{}", op, names.empty() ? "" : ",");
  out.ends.reserve(out.ends.size() + rows.rows);
  for (size_t row = 0; row < rows.rows; ++row) {
    const size_t from = out.text.size();
    writer.append(out.text, columns, row);
    if (!mark.empty()) out.text.insert(from + 1, mark);  // behind the brace
    out.ends.push_back(out.text.size());
  }
}

void append_groups(const engine::QueryPlan& plan, const Batch& groups, std::string_view op, JsonRows& out) {
  Batch made;
  made.set_schema(plan.output_schema());
  Selection selection(groups.rows);
  for (uint32_t i = 0; i < groups.rows; ++i) selection[i] = i;
  std::vector<RowError> errors;
  auto projected = engine::project(plan.outputs, groups, selection, made, errors);
  CHECK(projected.ok(), "a projection reports its rows, it does not fail");
  append_rows(plan, made, op, out);
}

Result<JsonRows> render(const ClosedWindows& windows) {
  Batch groups;
  TRY(engine::Aggregation::read_groups(
      *windows.plan, {windows.epoch},
      [&](const engine::Window& window) {
        return window.end > windows.before && window.end <= windows.closed;
      },
      groups));
  JsonRows rows;
  append_groups(*windows.plan, groups, "", rows);
  return rows;
}

}  // namespace millrace::processor
