// Sessions in the live store, step by step, against all rows sorted by time.
#include <gtest/gtest.h>

#include <map>

#include "base/hash.h"
#include "base/random.h"
#include "engine/aggregate.h"
#include "engine/kit/kit.h"

namespace millrace::engine {
namespace {

using kit::column;

constexpr int64_t kGap = 10;
// Columns of the rows: 0 key, 1 time, 2 note. Of a group: key, start, end, then count and the least note.
const Schema kSchema = {{"key", Type::kText}, {"time", Type::kTimestamptz}, {"note", Type::kText}};

ExprPtr pane(Op op) {
  auto e = std::make_shared<Expr>();
  e->op = op;
  e->type = Type::kTimestamptz;
  e->args = {column(1, Type::kTimestamptz)};
  e->window_us = kGap;
  return e;
}

std::shared_ptr<QueryPlan> session_plan(bool shows_end) {
  auto source = std::make_shared<StreamDef>();
  source->columns = kSchema;
  source->key_column = 0;
  auto plan = std::make_shared<QueryPlan>();
  plan->id = QueryId(3);
  plan->shape = QueryPlan::Shape::kAggregate;
  plan->source = source;
  plan->read_columns = {0, 1, 2};
  plan->group_keys = {
      {"key", column(0, Type::kText)}, {"start", pane(Op::kTumbleStart)}, {"end", pane(Op::kTumbleEnd)}};
  plan->window_key = 1;
  plan->window_end_key = 2;
  plan->window = {WindowSpec::Kind::kSession, kGap, 0, 0};
  const auto time = column(1, Type::kTimestamptz);
  plan->aggregates = {{AggregateKind::kCountStar, nullptr, Type::kBigint},
                      {AggregateKind::kMin, column(2, Type::kText), Type::kText},
                      {AggregateKind::kMin, time, Type::kTimestamptz},
                      {AggregateKind::kMax, time, Type::kTimestamptz}};
  plan->outputs = {{"key", column(0, Type::kText)}, {"start", column(1, Type::kTimestamptz)}};
  if (shows_end) plan->outputs.push_back({"end", column(2, Type::kTimestamptz)});
  return plan;
}

struct Answer {
  int64_t start = 0;
  int64_t end = 0;
  std::string key;
  int64_t count = 0;
  std::string least;
  friend auto operator<=>(const Answer&, const Answer&) = default;
};

std::vector<Answer> answers(const Batch& groups) {
  std::vector<Answer> out;
  for (size_t i = 0; i < groups.rows; ++i) {
    const auto& c = groups.columns;
    const bool counted = !c[4].is_null(i);
    out.push_back({c[1].integers[i], c[2].integers[i], std::string(c[0].texts[i]), c[3].integers[i],
                   counted ? std::string(c[4].texts[i]) : ""});
  }
  return out;
}

// One worker's sessions; a subscriber that keeps what it is told by name; and all rows there ever were.
class Sessions {
 public:
  Sessions(uint64_t seed, bool shows_end)
      : random_(seed),
        shows_end_(shows_end),
        plan_(session_plan(shows_end)),
        store_(state::StateStore::make({})) {
    restart();
  }
  void restart() { aggregation_ = std::make_unique<Aggregation>(plan_); }

  // Rows in time, then the subscriber hears of them.
  void add(size_t count) {
    Batch batch;
    batch.set_schema(kSchema);
    for (size_t i = 0; i < count; ++i) {
      const std::string key(1, static_cast<char>('a' + random_.below(5)));
      const int64_t time = std::max<int64_t>(closed_, 0) + static_cast<int64_t>(random_.below(60));
      const std::string note(1 + random_.below(30), static_cast<char>('a' + random_.below(26)));
      rows_[key].emplace(time, note);
      batch.columns[0].texts.push_back(batch.arena->keep(key));
      batch.columns[1].append(Timestamp{time});
      batch.columns[2].texts.push_back(batch.arena->keep(note));
      batch.origins.push_back({});
    }
    batch.rows = count;
    std::vector<RowError> errors;
    std::vector<Aggregation::Changed> changed;
    for (size_t from = 0; from < count; from += 3) {
      const Batch part = kit::slice(batch, from, std::min<size_t>(3, count - from));
      Selection all = kit::all_rows(part);
      ASSERT_TRUE(aggregation_->add(part, all, *store_, errors, &changed).ok());
    }
    ASSERT_TRUE(errors.empty());
    hear(changed);
  }
  void hear(const std::vector<Aggregation::Changed>& changed) {
    Batch now;
    Batch gone;
    ASSERT_TRUE(aggregation_->read_changed_sessions(changed, *store_, now, gone).ok());
    for (const Answer& a : answers(gone)) EXPECT_EQ(heard_.erase(name(a)), 1u) << "never told";
    for (const Answer& a : answers(now)) heard_[name(a)] = a;
  }
  void close(int64_t by, int64_t retention) {
    const int64_t before = closed_;
    closed_ = std::max<int64_t>(closed_, 0) + by;
    Batch ended;
    ASSERT_TRUE(aggregation_->read_ended_sessions(before, closed_, *store_, ended).ok());
    EXPECT_EQ(answers(ended), ended_in(before, closed_));
    if (retention == 0) return;
    dropped_ = closed_ - retention;
    ASSERT_TRUE(aggregation_->drop_ended_sessions(dropped_, *store_).ok());
    std::erase_if(heard_, [&](const auto& told) { return told.second.end <= dropped_; });
  }
  void check() const {
    Batch groups;
    ASSERT_TRUE(Aggregation::read_groups(*plan_, {store_->freeze()}, nullptr, groups).ok());
    auto expected = all();
    std::erase_if(expected, [&](const Answer& a) { return a.end <= dropped_; });
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(answers(groups), expected);
    std::vector<Answer> heard;
    for (const auto& [name, answer] : heard_) heard.push_back(answer);
    std::sort(heard.begin(), heard.end());
    EXPECT_EQ(heard, expected);
  }
  bool empty() const { return store_->tables().empty(); }
  uint64_t below(uint64_t n) { return random_.below(n); }

 private:
  std::string name(const Answer& a) const {
    return a.key + " " + std::to_string(a.start) + (shows_end_ ? " " + std::to_string(a.end) : "");
  }
  std::vector<Answer> all() const {
    std::vector<Answer> out;
    for (const auto& [key, rows] : rows_) {
      const size_t from = out.size();
      for (const auto& [time, note] : rows) {
        if (out.size() == from || time >= out.back().end) out.push_back({time, 0, key, 0, note});
        out.back().end = time + kGap;
        ++out.back().count;
        out.back().least = std::min(out.back().least, note);
      }
    }
    return out;
  }
  std::vector<Answer> ended_in(int64_t before, int64_t closed) const {
    auto out = all();
    std::erase_if(out, [&](const Answer& a) { return a.end <= before || a.end > closed; });
    std::sort(out.begin(), out.end(), [](const Answer& a, const Answer& b) {
      return a.end != b.end ? a.end < b.end : a.key < b.key;
    });
    return out;
  }

  Random random_;
  bool shows_end_;
  PlanPtr plan_;
  std::unique_ptr<state::StateStore> store_;
  std::unique_ptr<Aggregation> aggregation_;
  std::map<std::string, std::multimap<int64_t, std::string>> rows_;
  std::map<std::string, Answer> heard_;
  int64_t closed_ = INT64_MIN;
  int64_t dropped_ = INT64_MIN;
};

TEST(Sessions, WhatIsToldEndsAndIsDroppedIsWhatTheRowsSay) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Sessions sessions(seed, seed % 2 == 0);
    const int64_t retention = seed % 3 == 0 ? 0 : static_cast<int64_t>(seed);
    for (int step = 0; step < 60; ++step) {
      sessions.add(sessions.below(8));
      if (sessions.below(3) != 0) sessions.close(static_cast<int64_t>(sessions.below(25)), retention);
      if (sessions.below(6) == 0) sessions.restart();
      sessions.check();
      if (testing::Test::HasFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
    sessions.close(1'000, retention);
    if (retention > 0) sessions.close(1'000, retention);
    EXPECT_EQ(sessions.empty(), retention > 0);
  }
}

// A row that fails after its group is made takes the group away, and leaves the pane.
TEST(Sessions, PanesWithoutRowsAreDropped) {
  const auto plan = session_plan(false);
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  for (const int64_t pane : {0, 10, 50}) {
    bool inserted = false;
    state::Table& rows = store->table({plan->id, kGroupsSlot, pane}, 64);
    rows.upsert("k", 1, inserted);
    rows.erase("k", 1);
  }
  ASSERT_TRUE(aggregation.drop_ended_sessions(30, *store).ok());
  EXPECT_EQ(store->tables().size(), 1u);
  ASSERT_TRUE(aggregation.drop_ended_sessions(60, *store).ok());
  EXPECT_TRUE(store->tables().empty());
}

// A session of many panes, bridged at once: the subscriber loses every part but the first.
TEST(Sessions, ManyBecomeOne) {
  const auto plan = session_plan(false);
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  const auto add = [&](const std::vector<int64_t>& times, Batch& now, Batch& gone) {
    Batch batch;
    batch.set_schema(kSchema);
    for (const int64_t time : times) {
      batch.columns[0].texts.push_back("k");
      batch.columns[1].append(Timestamp{time});
      batch.columns[2].texts.push_back("note");
      batch.origins.push_back({});
    }
    batch.rows = times.size();
    Selection all = kit::all_rows(batch);
    std::vector<RowError> errors;
    std::vector<Aggregation::Changed> changed;
    ASSERT_TRUE(aggregation.add(batch, all, *store, errors, &changed).ok());
    ASSERT_TRUE(aggregation.read_changed_sessions(changed, *store, now, gone).ok());
  };
  Batch now;
  Batch gone;
  add({0, 10, 20, 30}, now, gone);  // each touches the end of the one before: four sessions
  EXPECT_EQ(now.rows, 4u);
  EXPECT_EQ(gone.rows, 0u);
  Batch one;
  Batch parts;
  add({5, 15, 25}, one, parts);
  EXPECT_EQ(answers(one), (std::vector<Answer>{{0, 40, "k", 7, "note"}}));
  ASSERT_EQ(parts.rows, 3u);
  EXPECT_EQ(parts.columns[1].integers, (std::vector<int64_t>{10, 20, 30}));
}

}  // namespace
}  // namespace millrace::engine
