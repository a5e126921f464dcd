#include "engine/live_sessions.h"

#include <algorithm>

namespace millrace::engine {
namespace {

bool shows(const QueryPlan& plan, int key) {
  return std::any_of(plan.outputs.begin(), plan.outputs.end(), [&](const NamedExpr& output) {
    return output.expr->op == Op::kColumn && output.expr->column == key;
  });
}

}  // namespace

LiveSessions::LiveSessions(const QueryPlan& plan, const Accumulators& accumulators, HashOf hash_of)
    : plan_(plan),
      accumulators_(accumulators),
      hash_of_(std::move(hash_of)),
      gap_(plan.window.size_us),
      shows_start_(shows(plan, plan.window_key)),
      shows_end_(shows(plan, plan.window_end_key)),
      ending_(plan, accumulators),
      dropping_(plan, accumulators) {}

LiveSessions::TimesOf LiveSessions::times_in(state::StateStore& store, std::string_view key,
                                             uint64_t hash) const {
  return [this, &store, key, hash](int64_t pane) -> std::optional<SessionTimes> {
    const state::Table* const rows = store.find({plan_.id, kGroupsSlot, pane});
    const char* const value = rows == nullptr ? nullptr : rows->find(key, hash);
    if (value == nullptr) return std::nullopt;
    return accumulators_.session_times(value);
  };
}

std::optional<LiveSessions::Session> LiveSessions::session_of(const SessionEnds::End& row,
                                                              const TimesOf& times) const {
  auto here = times(row.pane);
  if (!here) return std::nullopt;
  SessionTimes all = *here;
  Session session{{}, row.key, row.hash, row.pane, row.pane};
  while ((here = times(session.last_pane + gap_)) && here->first - all.last < gap_) {
    all.last = here->last;
    session.last_pane += gap_;
  }
  while ((here = times(session.first_pane - gap_)) && all.first - here->last < gap_) {
    all.first = here->first;
    session.first_pane -= gap_;
  }
  session.window = {all.first, all.last + gap_};
  return session;
}

std::optional<LiveSessions::Session> LiveSessions::ended_in(const SessionEnds::End& row,
                                                            state::StateStore& store) const {
  const TimesOf times = times_in(store, row.key, row.hash);
  const auto here = times(row.pane);
  const auto next = times(row.pane + gap_);
  if (here && next && next->first - here->last < gap_) return std::nullopt;
  return session_of(row, times);
}

Status LiveSessions::write(const Session& session, state::StateStore& store, GroupWriter& out) {
  restart(totals_);
  for (int64_t pane = session.first_pane; pane <= session.last_pane; pane += gap_) {
    const state::Table* const rows = store.find({plan_.id, kGroupsSlot, pane});
    accumulators_.collect(
        rows->find(session.key, session.hash), [&](uint64_t id) { return rows->blob(id); }, totals_);
  }
  return out.write(session.window, session.key, totals_);
}

Status LiveSessions::read_ended(int64_t before, int64_t closed, state::StateStore& store, GroupWriter& out) {
  return ending_.advance(store, before, closed, [&](const SessionEnds::End& row) -> Status {
    const auto session = ended_in(row, store);
    return session ? write(*session, store, out) : Status();
  });
}

void LiveSessions::drop(const Session& session, state::StateStore& store) {
  for (int64_t pane = session.first_pane; pane <= session.last_pane; pane += gap_) {
    const state::TableName name{plan_.id, kGroupsSlot, pane};
    state::Table& rows = *store.find(name);
    accumulators_.free_blobs(rows.find(session.key, session.hash), rows);
    rows.erase(session.key, session.hash);
    if (rows.rows() == 0) store.drop(name);
  }
}

// A new object, as after a restart, does not know how far another got: it begins with the oldest pane.
Status LiveSessions::drop_ended(int64_t upto, state::StateStore& store) {
  TRY(dropping_.advance(store, dropped_, upto, [&](const SessionEnds::End& row) -> Status {
    if (const auto session = ended_in(row, store)) drop(*session, store);
    return {};
  }));
  // A row that failed may have left its pane without rows, so that none of them is visited.
  const int64_t first = dropped_ == INT64_MIN ? INT64_MIN : plan_.window.pane_of(dropped_ + 1 - gap_);
  for (const auto& name : store.tables(plan_.id, kGroupsSlot, first, plan_.window.pane_of(upto - gap_))) {
    if (store.find(name)->rows() == 0) store.drop(name);
  }
  dropped_ = upto;
  return {};
}

std::vector<Window> LiveSessions::sessions_within(const Session& session, const TimesOf& times) const {
  std::vector<Window> found;
  for (int64_t pane = session.first_pane; pane <= session.last_pane; pane += gap_) {
    const auto here = times(pane);
    if (!here) continue;
    // A session's window ends a gap behind its last row.
    if (found.empty() || here->first >= found.back().end) found.push_back({here->first, 0});
    found.back().end = here->last + gap_;
  }
  return found;
}

bool LiveSessions::same_name(const Window& a, const Window& b) const {
  return (!shows_start_ || a.start == b.start) && (!shows_end_ || a.end == b.end);
}

// Rows only join sessions: one from before lies within one of now, and that one holds a changed pane if they differ.
void LiveSessions::find_changed(Changes changes, state::StateStore& store, std::vector<Session>& now,
                                std::vector<Session>& gone) const {
  const std::string_view key = changes.front()->key;
  const uint64_t hash = hash_of_(key);
  const TimesOf times = times_in(store, key, hash);
  const TimesOf times_before = [&](int64_t pane) {
    const auto at = std::lower_bound(changes.begin(), changes.end(), pane,
                                     [](const Aggregation::Changed* c, int64_t p) { return c->window < p; });
    return at != changes.end() && (*at)->window == pane ? (*at)->before : times(pane);
  };
  std::optional<int64_t> told_to;
  for (const Aggregation::Changed* change : changes) {
    if (told_to && change->window <= *told_to) continue;
    const auto session = session_of({change->window, key, hash}, times);
    if (!session) continue;  // dropped since
    told_to = session->last_pane;
    now.push_back(*session);
    for (const Window& window : sessions_within(*session, times_before)) {
      if (!same_name(window, session->window)) gone.push_back({window, key, hash, 0, 0});
    }
  }
}

Status LiveSessions::read_changed(const std::vector<Aggregation::Changed>& changed, state::StateStore& store,
                                  GroupWriter& now, GroupWriter& gone) {
  std::vector<const Aggregation::Changed*> sorted;
  for (const auto& change : changed) sorted.push_back(&change);
  // A group may be noted twice: what it was at first counts.
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return a->key != b->key ? a->key < b->key : a->window < b->window;
  });
  std::vector<Session> sessions;
  std::vector<Session> vanished;
  for (auto from = sorted.begin(); from != sorted.end();) {
    const auto to = std::find_if(from, sorted.end(), [&](const auto* c) { return c->key != (*from)->key; });
    find_changed(Changes(from, to), store, sessions, vanished);
    from = to;
  }
  for (auto* list : {&sessions, &vanished}) {
    std::sort(list->begin(), list->end(), [](const Session& a, const Session& b) {
      return a.window != b.window ? a.window < b.window : a.key < b.key;
    });
  }
  for (const Session& session : sessions) TRY(write(session, store, now));
  totals_.assign(plan_.aggregates.size(), {});
  for (const Session& session : vanished) TRY(gone.write(session.window, session.key, totals_));
  return {};
}

}  // namespace millrace::engine
