// Reading groups: stored groups, over panes where windows share them, to rows (group keys…, aggregates…).
// Private to engine/.
//
// Order: rows come by (window, key). A window's doubles are added up pane by pane, a pane's late parts last, so
//        that the answer depends on no table's order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/accumulator.h"
#include "engine/aggregate.h"
#include "engine/group_index.h"
#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

// In kLateSlot the part's number, four bytes, follows the group's key.
void append_part(std::string& key, uint32_t part);
uint32_t take_part(std::string_view& key);

// Group rows are appended to a batch: keys, then aggregates.
class GroupWriter {
 public:
  GroupWriter(const QueryPlan& plan, Batch& out);
  const Accumulators& accumulators() const { return accumulators_; }
  // Of an updating source a window's group may have lost all its rows: then it is not there.
  bool has_rows(const std::vector<Total>& totals) const {
    return plan_.rows_aggregate < 0 || totals[static_cast<size_t>(plan_.rows_aggregate)].value.count != 0;
  }

  Status write(const Window& window, std::string_view key, std::vector<Total>& totals);
  Status write(const Window& window, std::string_view key, const char* value, const Blobs& blob);
  // A group that is there without any row.
  Status write_empty(const Window& window = {}, std::string_view key = {});

 private:
  Status write_keys(const Window& window, std::string_view key);

  const QueryPlan& plan_;
  Accumulators accumulators_;
  Batch& out_;
  Total total_;  // scratch
};

using Epochs = std::vector<std::shared_ptr<const state::Epoch>>;

// The groups of one window that is made of panes.
class PaneReader {
 public:
  PaneReader(const QueryPlan& plan, const Epochs& epochs) : plan_(plan), epochs_(epochs) {}
  Status write(const Window& window, GroupWriter& writer);

 private:
  struct Place {
    uint64_t head = 0;
    size_t group = 0;
  };

  void add_pane(int64_t pane, const Window& window, const Accumulators& accumulators);
  const QueryPlan& plan_;
  const Epochs& epochs_;
  GroupIndex groups_;
  std::vector<std::vector<Total>>
      totals_;  // by group; those behind the groups are memory for the next window
  std::vector<Place> order_;
};

// The windows of SESSION: chains of a group's panes, each less than the gap behind the one before.
Status read_sessions(const QueryPlan& plan, const Epochs& epochs, const std::vector<int64_t>& panes,
                     const std::function<bool(const Window&)>& wanted, GroupWriter& writer);

// The windows of rows that share panes, by group and end.
Status read_counts(const QueryPlan& plan, const Epochs& epochs, GroupWriter& writer);

Error wrong_layout();

// Fails if something of the epochs could not be read: what was made of the rest is not the answer.
Status read_whole(const Epochs& epochs);

}  // namespace millrace::engine
