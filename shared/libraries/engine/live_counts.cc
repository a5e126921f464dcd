#include "engine/live_counts.h"

#include <algorithm>

#include "engine/value_codec.h"

namespace millrace::engine {

LiveCounts::LiveCounts(const QueryPlan& plan, const Accumulators& accumulators, HashOf hash_of)
    : plan_(plan),
      drops_(plan.output_stream || plan.retention_rows > 0),
      notes_(drops_ || plan.emit_on_close),
      accumulators_(accumulators),
      hash_of_(std::move(hash_of)),
      totals_(plan.aggregates.size()) {}

int64_t LiveCounts::next(state::StateStore& store, std::string_view group) const {
  const state::Table* const numbers = store.find({plan_.id, kNumbersSlot, 0});
  const char* const had = numbers == nullptr ? nullptr : numbers->find(group, hash_of_(group));
  return had == nullptr ? 1 : load_le<int64_t>(had) + 1;
}

bool LiveCounts::take(state::StateStore& store, std::string_view group, int64_t number, uint32_t row) {
  bool inserted = false;
  char* const had =
      store.table({plan_.id, kNumbersSlot, 0}, sizeof(number)).upsert(group, hash_of_(group), inserted);
  if (had == nullptr) return false;
  store_le(had, number);
  if (notes_ && number % plan_.count_window.slide == 0) closed_.push_back({std::string(group), number, row});
  return true;
}

Status LiveCounts::write(state::StateStore& store, std::string_view group, int64_t end, GroupWriter& out) {
  const CountWindow& window = plan_.count_window;
  const state::Table* const panes = store.find({plan_.id, kGroupsSlot, 0});
  CHECK(panes != nullptr, "a window that is told has rows");
  const Blobs blob = [&](uint64_t id) { return panes->blob(id); };
  restart(totals_);
  for (int64_t pane = window.first_pane(end); pane <= end; pane += window.pane_rows()) {
    key_.assign(group);
    append_end(key_, pane);
    const char* const value = panes->find(key_, hash_of_(key_));
    if (value == nullptr) break;  // the window is open: no row of the pane has come
    accumulators_.collect(value, blob, totals_);
  }
  key_.assign(group);
  append_end(key_, end);
  return out.write({}, key_, totals_);
}

Status LiveCounts::read_closed(state::StateStore& store, GroupWriter& out, std::vector<uint32_t>& rows) {
  for (const Closed& closed : closed_) {
    TRY(write(store, closed.group, closed.end, out));
    rows.push_back(closed.row);
  }
  return {};
}

bool LiveCounts::drop_closed(state::StateStore& store) {
  if (closed_.empty()) return false;
  state::Table& panes = *store.find({plan_.id, kGroupsSlot, 0});
  for (const Closed& closed : closed_) {
    if (drops_) drop(panes, closed.group, closed.end);
  }
  closed_.clear();
  return true;
}

// A closing lets one window go, and with it the panes that are not of the next one.
void LiveCounts::drop(state::Table& panes, std::string_view group, int64_t end) {
  const CountWindow& window = plan_.count_window;
  const int64_t gone = window.closed_by(std::max<int64_t>(0, end - plan_.retention_rows));
  for (int64_t pane = window.first_pane(gone); pane <= gone - window.size + window.slide;
       pane += window.pane_rows()) {
    key_.assign(group);
    append_end(key_, pane);
    const uint64_t hash = hash_of_(key_);
    const char* const value = panes.find(key_, hash);
    if (value == nullptr) continue;
    accumulators_.free_blobs(value, panes);
    panes.erase(key_, hash);
  }
}

Status LiveCounts::read_changed(const std::vector<Aggregation::Changed>& changed, state::StateStore& store,
                                GroupWriter& out) {
  std::vector<std::pair<std::string_view, int64_t>> windows;
  for (const auto& pane : changed) {
    std::string_view group = pane.key;
    const int64_t end = take_end(group);
    const int64_t had = next(store, group) - 1;
    const int64_t gone =
        plan_.retention_rows > 0 ? plan_.count_window.closed_by(had) - plan_.retention_rows : 0;
    for (int64_t e = plan_.count_window.first_end(end); e <= plan_.count_window.last_end(end);
         e += plan_.count_window.slide) {
      if (e > gone) windows.emplace_back(group, e);
    }
  }
  std::sort(windows.begin(), windows.end());
  windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
  for (const auto& [group, end] : windows) TRY(write(store, group, end, out));
  return {};
}

}  // namespace millrace::engine
