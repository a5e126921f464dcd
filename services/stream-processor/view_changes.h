// ViewChanges: what those who watch a view are told, as JSON rows.
//
// Shape:    {"_op":"upsert"|"insert", columns…}; {"_op":"delete", the columns that are group keys or its window's ends}
//           of a group that does not pass HAVING, and before a step's upserts of a session that another one took
//           in; of a window that closed (EMIT ON WINDOW CLOSE) the columns alone: such a row is final. Over a stream
//           with a primary key also of a group without rows, and of rows without groups in the order of the events.
// Threads:  any; an epoch does not change. Closed windows are rendered off the core loop: one may close with
//           all its groups at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/serving.h"
#include "event/batch.h"
#include "formats/json.h"
#include "state/state_store.h"

namespace millrace::processor {

// JSON objects, back to back.
struct JsonRows {
  std::string text;
  std::vector<size_t> ends;  // of each row in text

  bool empty() const { return ends.empty(); }
  size_t size() const { return ends.size(); }
  std::string_view row(size_t i) const {
    const size_t from = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(from, ends[i] - from);
  }
  void append(const JsonRows& more) {
    for (const size_t end : more.ends) ends.push_back(text.size() + end);
    text += more.text;
  }
};

// Windows that ended after `before` and up to `closed`, both watermarks, in the state at the close.
struct ClosedWindows {
  engine::PlanPtr plan;
  std::shared_ptr<const state::Epoch> epoch;
  int64_t before = INT64_MIN;
  int64_t closed = INT64_MIN;
};

std::string op_member(std::string_view op);  // "_op":"upsert", as a row's first member
// Appends rows of the view's output schema; `op` may be empty.
void append_rows(const engine::QueryPlan& plan, const Batch& rows, std::string_view op, JsonRows& out);
// The same for groups as the state holds them: HAVING and the outputs are computed here. A row for which one
// of them fails is left out: a SELECT shows the failure.
void append_groups(const engine::QueryPlan& plan, const Batch& groups, std::string_view op, JsonRows& out);
// Groups that changed: upserts of those that pass HAVING, then deletes of those that do not, whether or not
// they once did.
void append_changes(const engine::QueryPlan& plan, const Batch& groups, JsonRows& out);
// Deletes of groups that are there no longer: sessions that became part of others.
void append_gone(const engine::QueryPlan& plan, const Batch& groups, JsonRows& out);
// A view's rows by primary key, one by one.
class RowChanges {
 public:
  explicit RowChanges(const engine::QueryPlan& plan);  // its columns count in the events
  void upsert(const Batch& rows, size_t row, JsonRows& out);
  void remove(const Batch& events, size_t event, JsonRows& out);  // what is shown of its primary key

 private:
  formats::JsonRowWriter upserts_, deletes_;
  std::vector<size_t> key_;  // in the events
};

Result<JsonRows> render(const ClosedWindows& windows);
// What a subscriber begins with: a SELECT's rows, and those of windows that some workers have closed and others have
// not: the former will not tell of them again.
Result<JsonRows> first_rows(const engine::ViewAtCut& view);

}  // namespace millrace::processor
