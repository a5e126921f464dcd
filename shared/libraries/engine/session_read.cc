// Reading sessions: a key's panes, in the order of time, are put together while the gaps between them are short.
#include <algorithm>
#include <map>

#include "engine/group_read.h"

namespace millrace::engine {
namespace {

using Totals = std::vector<Total>;

class SessionReader {
 public:
  SessionReader(const QueryPlan& plan, const Epochs& epochs, const std::function<bool(const Window&)>& wanted,
                GroupWriter& writer)
      : plan_(plan), epochs_(epochs), wanted_(wanted), writer_(writer) {}

  void add_pane(int64_t pane) {
    const state::TableName name{plan_.id, kGroupsSlot, pane};
    std::map<std::string, Totals, std::less<>> groups;
    for (const auto& epoch : epochs_) {
      epoch->for_each(name, [&](const state::RowView& row) {
        auto at = groups.find(row.key);
        if (at == groups.end()) at = groups.emplace(std::string(row.key), Totals()).first;
        writer_.accumulators().collect(
            row.value, [&](uint64_t id) { return epoch->blob(name, id); }, at->second);
      });
    }
    for (auto& [key, totals] : groups) extend(key, std::move(totals));
  }

  // Sessions begin apart and end apart within a key, so (window, key) names one.
  Status write() {
    for (auto& [key, session] : open_) end(key, std::move(session));
    std::sort(ended_.begin(), ended_.end(), [](const Ended& a, const Ended& b) {
      return a.window != b.window ? a.window < b.window : a.key < b.key;
    });
    for (Ended& session : ended_) TRY(writer_.write(session.window, session.key, session.totals));
    return {};
  }

 private:
  struct Open {
    int64_t first = 0;
    int64_t last = 0;
    Totals totals;
  };
  struct Ended {
    Window window;
    std::string key;
    Totals totals;
  };

  void extend(const std::string& key, Totals totals) {
    const int64_t first = totals[totals.size() - 2].value.integer;
    const int64_t last = totals[totals.size() - 1].value.integer;
    const auto [at, added] = open_.try_emplace(key);
    Open& session = at->second;
    if (!added && first - session.last < plan_.window.size_us) {
      writer_.accumulators().add(session.totals, totals);
      session.last = last;
      return;
    }
    if (!added) end(key, std::move(session));
    session = {first, last, std::move(totals)};
  }

  void end(const std::string& key, Open session) {
    const Window window{session.first, session.last + plan_.window.size_us};
    if (!wanted_ || wanted_(window)) ended_.push_back({window, key, std::move(session.totals)});
  }

  const QueryPlan& plan_;
  const Epochs& epochs_;
  const std::function<bool(const Window&)>& wanted_;
  GroupWriter& writer_;
  std::map<std::string, Open, std::less<>> open_;  // by key: the session of its newest pane
  std::vector<Ended> ended_;
};

}  // namespace

Status read_sessions(const QueryPlan& plan, const Epochs& epochs, const std::vector<int64_t>& panes,
                     const std::function<bool(const Window&)>& wanted, GroupWriter& writer) {
  SessionReader reader(plan, epochs, wanted, writer);
  for (const int64_t pane : panes) reader.add_pane(pane);
  return reader.write();
}

}  // namespace millrace::engine
