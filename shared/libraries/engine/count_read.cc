// Reading windows of rows of which several share a pane: a group's panes, in order, make each of its windows.
#include <algorithm>

#include "engine/group_read.h"
#include "engine/value_codec.h"

namespace millrace::engine {
namespace {

struct Pane {
  std::string key;
  std::string value;
  const state::Epoch* epoch;
};
using Panes = std::span<const Pane>;  // of one group, in order

class CountReader {
 public:
  CountReader(const QueryPlan& plan, GroupWriter& writer)
      : plan_(plan), window_(plan.count_window), writer_(writer), totals_(plan.aggregates.size()) {}

  Status write(std::string_view group, Panes panes) {
    const Pane& last = panes.back();
    const auto in_last =
        writer_.accumulators().count_of(last.value.data(), static_cast<size_t>(plan_.rows_aggregate));
    const int64_t rows = end_of(last.key) - window_.pane_rows() + in_last;
    const int64_t closed = window_.closed_by(rows);
    const int64_t gone = plan_.retention_rows > 0 ? std::max<int64_t>(0, closed - plan_.retention_rows) : 0;
    const int64_t shown = plan_.hides_open_counts() ? closed : window_.last_end(end_of(last.key));
    for (int64_t end = window_.closed_by(gone) + window_.slide; end <= shown; end += window_.slide)
      TRY(write_window(group, end, panes));
    return {};
  }

 private:
  Status write_window(std::string_view group, int64_t end, Panes panes) {
    restart(totals_);
    const int64_t first = window_.first_pane(end);
    auto pane = std::lower_bound(panes.begin(), panes.end(), first,
                                 [](const Pane& p, int64_t e) { return end_of(p.key) < e; });
    for (; pane != panes.end() && end_of(pane->key) <= end; ++pane) {
      writer_.accumulators().collect(
          pane->value.data(), [&](uint64_t id) { return pane->epoch->blob(name_, id); }, totals_);
    }
    std::string key(group);
    append_end(key, end);
    return writer_.write({}, key, totals_);
  }

  const QueryPlan& plan_;
  const CountWindow& window_;
  GroupWriter& writer_;
  const state::TableName name_{plan_.id, kGroupsSlot, 0};
  std::vector<Total> totals_;
};

std::string_view group_of(const Pane& pane) {
  std::string_view key = pane.key;
  take_end(key);
  return key;
}

}  // namespace

Status read_counts(const QueryPlan& plan, const Epochs& epochs, GroupWriter& writer) {
  const state::TableName name{plan.id, kGroupsSlot, 0};
  std::vector<Pane> panes;
  for (const auto& epoch : epochs) {
    epoch->for_each(name, [&](const state::RowView& row) {
      panes.push_back(
          {std::string(row.key), std::string(row.value, writer.accumulators().value_bytes()), epoch.get()});
    });
  }
  std::sort(panes.begin(), panes.end(), [](const Pane& a, const Pane& b) { return a.key < b.key; });
  CountReader reader(plan, writer);
  for (auto first = panes.begin(); first != panes.end();) {
    const auto end =
        std::find_if(first, panes.end(), [&](const Pane& p) { return group_of(p) != group_of(*first); });
    TRY(reader.write(group_of(*first), Panes(first, end)));
    first = end;
  }
  return {};
}

}  // namespace millrace::engine
