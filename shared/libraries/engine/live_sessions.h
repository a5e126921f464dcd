// LiveSessions: the sessions of one query in the store that it works on: which have ended, which changed.
// Private to engine/.
//
// Chain: a session is a run of neighbouring panes of one group, the first row of each less than the gap behind
//        the last of the one before. A pane without rows ends it: those around it are a gap apart.
// Cost:  a session is walked pane by pane, by look-ups of its key: in proportion to its length, when it changes
//        for those who watch, when it ends, and when it is dropped.
// Names: for those who watch, a session has the name that its ends give it in the view's columns. What becomes
//        part of a longer session under another name is gone.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/accumulator.h"
#include "engine/aggregate.h"
#include "engine/group_read.h"
#include "engine/session_ends.h"

namespace millrace::engine {

class LiveSessions {
 public:
  using HashOf = std::function<uint64_t(std::string_view group)>;
  LiveSessions(const QueryPlan& plan, const Accumulators& accumulators, HashOf hash_of);

  // Those that ended after `before` and up to `closed`, by their ends.
  Status read_ended(int64_t before, int64_t closed, state::StateStore& store, GroupWriter& out);
  // Takes those that ended up to there out of the store. `upto` never goes back.
  Status drop_ended(int64_t upto, state::StateStore& store);
  // The sessions that hold what changed, and those that are gone for that.
  Status read_changed(const std::vector<Aggregation::Changed>& changed, state::StateStore& store,
                      GroupWriter& now, GroupWriter& gone);

 private:
  struct Session {
    Window window;
    std::string_view key;
    uint64_t hash = 0;
    int64_t first_pane = 0;
    int64_t last_pane = 0;
  };
  using Changes = std::span<const Aggregation::Changed* const>;  // of one group, by pane
  using TimesOf = std::function<std::optional<SessionTimes>(int64_t pane)>;

  TimesOf times_in(state::StateStore& store, std::string_view key, uint64_t hash) const;
  // The session of the group's rows in the pane; none: there are no rows.
  std::optional<Session> session_of(const SessionEnds::End& row, const TimesOf& times) const;
  std::vector<Window> sessions_within(const Session& session, const TimesOf& times) const;
  // The session that ended in the pane; none: it went on behind it, or is gone.
  std::optional<Session> ended_in(const SessionEnds::End& row, state::StateStore& store) const;
  Status write(const Session& session, state::StateStore& store, GroupWriter& out);
  void drop(const Session& session, state::StateStore& store);
  void find_changed(Changes changes, state::StateStore& store, std::vector<Session>& now,
                    std::vector<Session>& gone) const;
  bool same_name(const Window& a, const Window& b) const;

  const QueryPlan& plan_;
  const Accumulators& accumulators_;
  HashOf hash_of_;
  int64_t gap_;
  bool shows_start_ = false;
  bool shows_end_ = false;
  SessionEnds ending_;
  SessionEnds dropping_;
  int64_t dropped_ = INT64_MIN;
  std::vector<Total> totals_;  // scratch
};

}  // namespace millrace::engine
