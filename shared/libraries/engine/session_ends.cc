#include "engine/session_ends.h"

#include <algorithm>

#include "engine/aggregate.h"

namespace millrace::engine {

void SessionEnds::list(int64_t pane, const state::Table& rows) {
  pane_ = pane;
  next_ = 0;
  keys_.clear();
  listed_.clear();
  rows.for_each([&](const state::RowView& row) {
    const int64_t end = accumulators_.session_times(row.value).last + plan_.window.size_us;
    listed_.push_back({end, keys_.size(), row.key.size(), row.hash});
    keys_.append(row.key);
  });
  std::sort(listed_.begin(), listed_.end(), [&](const Listed& a, const Listed& b) {
    return a.end != b.end ? a.end < b.end : key(a) < key(b);
  });
}

Status SessionEnds::visit_listed(int64_t before, int64_t upto, const Visit& visit) {
  for (; next_ < listed_.size() && listed_[next_].end <= upto; ++next_) {
    const Listed& listed = listed_[next_];
    if (listed.end > before) TRY(visit({*pane_, key(listed), listed.hash}));
  }
  return {};
}

Status SessionEnds::advance(state::StateStore& store, int64_t before, int64_t upto, const Visit& visit) {
  const int64_t gap = plan_.window.size_us;
  int64_t first = before == INT64_MIN ? INT64_MIN : plan_.window.pane_of(before + 1 - gap);
  if (pane_ && *pane_ >= first) {
    TRY(visit_listed(before, upto, visit));
    first = *pane_ + gap;
  }
  for (const auto& name : store.tables(plan_.id, kGroupsSlot, first, plan_.window.pane_of(upto - gap))) {
    const state::Table* const rows = store.find(name);
    if (rows == nullptr) continue;  // a visit dropped it
    list(name.window, *rows);
    TRY(visit_listed(before, upto, visit));
  }
  return {};
}

}  // namespace millrace::engine
