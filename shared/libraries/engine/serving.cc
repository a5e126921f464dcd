#include "engine/serving.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/aggregate.h"
#include "engine/select.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

template <typename T>
bool take_number(std::string_view text, T& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size();
}

// A view answers as PostgreSQL's would: one row that fails, fails the statement, and says which expression it
// was.
Error row_failure(const RowError& failure) {
  Error e = error(Code::kInvalid, failure.id, failure.message,
                  "the expression is one of the view's own: SHOW VIEWS tells its definition");
  if (failure.span.line > 0)
    e.detail = fmt::format("line {}, column {} of the view's text", failure.span.line, failure.span.column);
  return e;
}

Result<Batch> grouped_rows(const ViewAtCut& view) {
  Batch groups;
  const auto wanted = [&](const Window& window) {
    if (view.plan->window_key < 0) return true;
    return window.end > view.dropped && (!view.plan->emit_on_close || window.end <= view.closed);
  };
  TRY(Aggregation::read_groups(*view.plan, view.epochs, wanted, groups));
  Selection all(groups.rows);
  for (uint32_t row = 0; row < all.size(); ++row) all[row] = row;
  Batch rows;
  std::vector<RowError> failures;
  filter_groups(*view.plan, groups, all, failures);
  TRY(project(*view.plan, groups, all, rows, failures));
  std::erase_if(failures, [](const RowError& failure) { return failure.kept; });
  if (!failures.empty()) return row_failure(failures.front());
  return rows;
}

}  // namespace

std::string to_cursor(const StreamPlace& place) {
  char text[40];
  char* end = std::to_chars(text, text + 24, place.cut.value).ptr;
  *end++ = '-';
  end = std::to_chars(end, text + sizeof text, place.index).ptr;
  return std::string(text, end);
}

Result<StreamPlace> parse_cursor(std::string_view text) {
  StreamPlace place;
  const size_t dash = text.find('-');
  if (text.size() <= 32 && dash != std::string_view::npos &&
      take_number(text.substr(0, dash), place.cut.value) && take_number(text.substr(dash + 1), place.index)) {
    return place;
  }
  return error(Code::kInvalid, "MR-API-0010", fmt::format("\"{}\" is not a cursor", start_of(text, 40)),
               "pass a cursor as an answer or an SSE id gave it, like 1042-3");
}

Result<Batch> view_rows(const ViewAtCut& view) {
  if (view.plan->shape == QueryPlan::Shape::kAggregate) return grouped_rows(view);
  Batch rows;
  TRY(RowsView::read_rows(*view.plan, view.epochs, rows));
  return rows;
}

}  // namespace millrace::engine
