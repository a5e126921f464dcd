// SessionEnds: which panes of which groups may be the last of a session that ended, watermark by watermark.
// Private to engine/.
//
// Why:   what a close costs follows what closes. A session that ends at e has its last row, and so its last pane,
//        a gap before e: of the panes behind that no one is looked at.
// Once:  a pane that a session may end in lies a gap behind the watermark. No row comes to it any more, so its
//        rows are listed once, by their ends, and taken off as the watermark moves on.
// Bound: the keys of one pane, beside the state. It is made anew from the state, so a snapshot does not hold it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/accumulator.h"
#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

class SessionEnds {
 public:
  struct End {
    int64_t pane = 0;
    std::string_view key;  // of the group; valid until the visit returns
    uint64_t hash = 0;
  };
  using Visit = std::function<Status(const End&)>;

  SessionEnds(const QueryPlan& plan, const Accumulators& accumulators)
      : plan_(plan), accumulators_(accumulators) {}

  // Visits those a gap behind whose last row lies in (before, upto], by that and the key. Neither goes back.
  Status advance(state::StateStore& store, int64_t before, int64_t upto, const Visit& visit);

 private:
  struct Listed {
    int64_t end = 0;
    size_t offset = 0;
    size_t size = 0;
    uint64_t hash = 0;
  };
  std::string_view key(const Listed& listed) const {
    return std::string_view(keys_).substr(listed.offset, listed.size);
  }
  void list(int64_t pane, const state::Table& rows);
  Status visit_listed(int64_t before, int64_t upto, const Visit& visit);

  const QueryPlan& plan_;
  const Accumulators& accumulators_;
  std::optional<int64_t> pane_;  // the one that is listed
  std::vector<Listed> listed_;
  std::string keys_;
  size_t next_ = 0;
};

}  // namespace millrace::engine
