// Clients that follow views: what they fold must be what the view shows.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/sim/naive_list.h"
#include "tests/sim/world.h"

namespace millrace::sim {
namespace {

using ObjectState = ClientObject::State;
using Kind = ClientObject::Kind;

constexpr size_t kMaxFollowers = 3;
constexpr uint32_t kTurnsOfAnswer = 200;
constexpr int64_t kLongestEveryUs = 5'000'000;  // of the workload's EMIT EVERY

// Asked again in a moment.
bool may_pass(const Error& error) {
  return error.code == Code::kExhausted || error.code == Code::kUnavailable;
}

}  // namespace

void World::follow_something() {
  if (followers_.size() == kMaxFollowers || !random_.chance(2)) return;
  const auto view = pick_object([&](const ClientObject& o) {
    const auto index = static_cast<size_t>(&o - objects_.data());
    return o.kind == Kind::kView && o.state == ObjectState::kThere &&
           std::none_of(followers_.begin(), followers_.end(),
                        [&](const ViewFollower& f) { return f.object == index; });
  });
  if (!view) return;
  followers_.emplace_back();
  followers_.back().object = *view;
}

void World::hear_followers() {
  for (size_t i = 0; i < followers_.size() && !failed(); ++i) {
    if (objects_[followers_[i].object].state == ObjectState::kThere) hear(i);
  }
}

void World::subscribe(size_t follower) {
  followers_[follower].asked = true;
  const ClientObject& view = objects_[followers_[follower].object];
  node_->sql().execute(
      tenants_[view.tenant].id, "SUBSCRIBE TO " + view.name,
      [this, follower, life = life_](gateway::StatementResult result) {
        if (life != life_ || follower >= followers_.size() || !result.subscription) return;
        const ClientObject& followed = objects_[followers_[follower].object];
        followers_[follower].subscription = std::move(result.subscription);
        followers_[follower].folded = std::make_unique<FoldedRows>(followed.query, followed.read);
      },
      [this, follower, life = life_](Status status) {
        if (life != life_ || follower >= followers_.size()) return;
        followers_[follower].asked = false;
        if (!status.ok() && !may_pass(status.error()) && !node_->failed())
          fail("SUBSCRIBE failed: " + status.error().to_string());
      });
}

// All that is there; a view that was dropped ends its subscriptions.
void World::hear(size_t index) {
  ViewFollower& follower = followers_[index];
  if (!follower.subscription) {
    if (!follower.asked) subscribe(index);
    return;
  }
  const ClientObject& view = objects_[follower.object];
  std::string wrong;
  const auto pulled = follower.subscription->pull(100'000, [&](std::string_view json, std::string_view) {
    trace(view.name + " tells " + std::string(json));
    const std::string what = follower.folded->hear(json);
    if (wrong.empty() && !what.empty()) wrong = what + ": " + std::string(json);
  });
  if (!wrong.empty()) return fail(fmt::format("a subscriber of {} heard {}", view.name, wrong));
  if (pulled.ok()) return;
  forget(follower);
  if (!node_->failed() && view.state == ObjectState::kThere && !may_pass(pulled.error()))
    fail(fmt::format("a subscription to {} ended: {}", view.name, pulled.error().to_string()));
}

void World::forget(ViewFollower& follower) {
  const NaiveQuery& query = objects_[follower.object].query;
  follower.end_life(query.final_rows() && query.retention_us == 0 && query.retention_rows == 0);
}

// A node at rest may still owe subscribers their first rows, and ticks.
bool World::come_to_an_answer() {
  pump_until([] { return false; }, kTurnsOfAnswer);
  return quiesce();
}

// The changes that wait for EMIT EVERY's interval are told, and heard. The journal's clock stands still until a wall
// clock that has jumped back has caught up.
bool World::hear_the_rest() {
  const AppendTime now = node_->journal().now();
  while (node_->journal().now().value < now.value + kLongestEveryUs) clock_.advance_us(kLongestEveryUs);
  if (!come_to_an_answer()) return false;
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (followers_[i].subscription) hear(i);
  }
  return !failed();
}

// Against a subscriber that has just come, who begins with the view's rows: those of a SELECT.
void World::check_followers(const FinalLog& log) {
  const size_t followers = followers_.size();
  for (size_t i = 0; i < followers && !failed(); ++i) {
    if (!followers_[i].subscription || objects_[followers_[i].object].state != ObjectState::kThere) continue;
    followers_.emplace_back();
    const size_t fresh = followers_.size() - 1;
    followers_[fresh].object = followers_[i].object;
    subscribe(fresh);
    if (!come_to_an_answer()) return;
    hear(fresh);
    hear(i);
    if (!failed()) check_follower(followers_[i], followers_[fresh], log);
    followers_.pop_back();
  }
}

namespace {

// What names a view's row over windows of rows: the group and the window.
std::string name_of(const std::string& text) {
  auto row = nlohmann::json::parse(text);
  auto name = row;
  for (auto column = row.begin(); column != row.end(); ++column) {
    if (column.key()[0] == 'a') name.erase(column.key());
  }
  return name.dump();
}

std::string name_of(const NaiveQuery& query, const Row& row) {
  auto name = nlohmann::json::object();
  for (size_t i = 0; i < row.size(); ++i) {
    const auto& item = query.query->items[i];
    if (!item.alias) name[item.expr->text] = json_of(row[i]);
  }
  return name.dump();
}

}  // namespace

void World::check_follower(const ViewFollower& follower, const ViewFollower& fresh, const FinalLog& log) {
  const ClientObject& view = objects_[follower.object];
  if (!follower.folded || !fresh.folded) return fail("a subscription to " + view.name + " is not answered");
  if (fresh.folded->nameless()) return;
  ++report_.followed;
  const auto expected = fresh.folded->rows();
  auto actual = follower.folded->rows();
  if (view.query.retention_us > 0) {  // it is not told of what is dropped
    const int64_t dropped = answer_of(view, log).dropped_high;
    std::erase_if(actual, [&](const std::string& row) {
      const auto end = naive_timestamp_us(nlohmann::json::parse(row)["window_end"].get<std::string>());
      return !expected.contains(row) && end && *end <= dropped;
    });
  }
  if (view.query.retention_rows > 0) {
    std::set<std::string> gone;
    for (const Row& row : answer_of(view, log).gone) gone.insert(name_of(view.query, row));
    std::erase_if(actual, [&](const std::string& row) { return gone.contains(name_of(row)); });
  }
  if (actual != expected) {
    return fail(fmt::format("what a subscriber of {} folded is not the view: {}\n  {}", view.name,
                            difference(expected, actual), view.sql));
  }
  std::multiset<std::string> gone;
  std::set_difference(follower.final_rows.begin(), follower.final_rows.end(), actual.begin(), actual.end(),
                      std::inserter(gone, gone.end()));
  if (!gone.empty()) {
    fail(fmt::format("a subscriber of {} heard a final row before a crash that is gone since: {}\n  {}",
                     view.name, *gone.begin(), view.sql));
  }
}

}  // namespace millrace::sim
