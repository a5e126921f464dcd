// Queries over a stream with a primary key: an event replaces the row of its key, or deletes it.
#include "engine/select.h"
#include "stream-processor/internal/pipeline.h"

namespace millrace::processor {

Status QueryTask::upsert(const StepRows& rows, Selection& selection, TaskOutput& out) {
  const Batch& events = rows.batch();
  if (!pipeline_->last_rows) return replace_rows(events, selection, out);
  std::vector<RowError> errors;
  Batch& changes = pipeline_->changes;
  auto made = pipeline_->last_rows->changes_of(events, selection, *store_, changes, errors);
  if (!made.ok()) return state_error(made.error());
  dead_letters(events, errors, out);
  counters_.changes += changes.rows;
  Selection changed = engine::all_rows(changes);
  filter_rows(changes, changed, out);
  if (time_column_ >= 0) drop_late_changes(events, selection, changed, out);
  return run_shape(changes, changed, out);
}

// An event's changes meet the watermark that the events before it made, and each its own window: a row leaves its old
// one if that is open, and comes into its new one if that is.
void QueryTask::drop_late_changes(const Batch& events, const Selection& decoded, Selection& changed,
                                  TaskOutput& out) {
  const Batch& changes = pipeline_->changes;
  const Column& time = events.columns[static_cast<size_t>(pipeline_->event_time_column)];
  pipeline_->ended.resize(plan_->window.shares_panes() ? changes.rows : 0);
  const size_t came = rows_that_come(changes, changed);
  size_t kept = 0;
  size_t next = 0;
  for (const uint32_t event : decoded) {
    const RowOrigin& place = events.origins[event];
    for (; next < changed.size(); ++next) {
      const RowOrigin& of_change = changes.origins[changed[next]];
      if (of_change.partition != place.partition || of_change.offset != place.offset) break;
      if (in_time(changes, changed[next], out)) changed[kept++] = changed[next];
    }
    pass_event(events, time, event);
  }
  changed.resize(kept);
  counters_.late += came - rows_that_come(changes, changed);
}

// Rows stand under their primary keys (of a derived stream: which are there), so the row before need not be known:
// whatever the event says, its key has the row that it makes, or none.
Status QueryTask::replace_rows(const Batch& events, Selection& selection, TaskOutput& out) {
  std::vector<RowError> errors;
  std::string key;
  std::string keys;          // of the selected events, one behind the other
  std::vector<size_t> ends;  // of each
  std::erase_if(selection, [&](uint32_t event) {
    if (pipeline_->upserts->key_of(events, event, key)) {
      keys += key;
      ends.push_back(keys.size());
      return false;
    }
    errors.push_back(engine::Upserts::too_long(event));
    return true;
  });
  Selection shown = selection;
  std::erase_if(shown, [&](uint32_t event) { return pipeline_->upserts->deletes(events, event); });
  filter_rows(events, shown, out);
  counters_.shaped += shown.size();
  ++counters_.shaped_batches;
  const Batch made = project_rows(events, shown, errors);
  uint32_t next = 0;  // of shown, and of the rows made of it
  for (size_t i = 0; i < selection.size(); ++i) {
    if (i % engine::kRowsASettling == 0) TRY(store_->settle());
    const uint32_t event = selection[i];
    const size_t from = i == 0 ? 0 : ends[i - 1];
    const std::string_view own_key = std::string_view(keys).substr(from, ends[i] - from);
    const bool has_row = next < shown.size() && shown[next] == event;
    const uint32_t row = next;
    next += has_row;
    if (has_row) {
      auto kept = pipeline_->rows_view->replace(made, row, own_key, *store_);
      if (!kept.ok()) return state_error(kept.error());
      tell(events.origins[event], out, [&](JsonRows& to) { pipeline_->row_changes->upsert(made, row, to); });
    } else if (pipeline_->rows_view->remove(events.origins[event].partition, own_key, *store_)) {
      tell(events.origins[event], out,
           [&](JsonRows& to) { pipeline_->row_changes->remove(events, event, to); });
    }
  }
  dead_letters(events, errors, out);
  return {};
}

// A view's change to those who watch it, a derived stream's as its event.
void QueryTask::tell(const RowOrigin& origin, TaskOutput& out, const std::function<void(JsonRows&)>& write) {
  if (plan_->shape == engine::QueryPlan::Shape::kRows) {
    if (watched_) write(out.changes);
    return;
  }
  JsonRows event;
  write(event);
  out.add({plan_->output_stream->id, origin.partition}, event.text, origin.append_time.value / 1000);
}

}  // namespace millrace::processor
