// LiveCounts: the windows of rows of one query in the store that it works on: which number a row has, which windows
// have closed, which are gone. Private to engine/.
//
// Numbers: 1, 2, … of each group's rows; how many it has had is kept for as long as the query (kNumbersSlot). A row that
//          fails takes none, so a window that has closed has all of its rows.
// Panes:   rows of kGroupsSlot. Key: the group's, and the pane's end behind it: a group's panes are neighbours in order.
// Closing: with the window's last row, in the order of the rows. What closes is noted, read by read_closed() and let go by
//          drop_closed(), once each after the rows of a batch.
// Bound:   of a group what its open windows and those of the retention hold; of a batch a note a row.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/accumulator.h"
#include "engine/aggregate.h"
#include "engine/group_read.h"

namespace millrace::engine {

class LiveCounts {
 public:
  using HashOf = std::function<uint64_t(std::string_view key)>;
  LiveCounts(const QueryPlan& plan, const Accumulators& accumulators, HashOf hash_of);

  // The number of the group's next row.
  int64_t next(state::StateStore& store, std::string_view group) const;
  // The group's row has it. False: the state's bound.
  bool take(state::StateStore& store, std::string_view group, int64_t number, uint32_t row);

  // The windows that have closed, and the row that closed each.
  Status read_closed(state::StateStore& store, GroupWriter& out, std::vector<uint32_t>& rows);
  // Lets go what no window needs any more. False: none had closed.
  bool drop_closed(state::StateStore& store);

  // The windows that hold the panes that changed, but those that are gone.
  Status read_changed(const std::vector<Aggregation::Changed>& changed, state::StateStore& store,
                      GroupWriter& out);

 private:
  struct Closed {
    std::string group;
    int64_t end;
    uint32_t row;
  };
  Status write(state::StateStore& store, std::string_view group, int64_t end, GroupWriter& out);
  void drop(state::Table& panes, std::string_view group, int64_t end);

  const QueryPlan& plan_;
  const bool drops_;
  const bool notes_;  // something follows from a closing
  const Accumulators& accumulators_;
  HashOf hash_of_;
  std::vector<Closed> closed_;
  std::vector<Total> totals_;  // scratch
  std::string key_;            // scratch
};

}  // namespace millrace::engine
