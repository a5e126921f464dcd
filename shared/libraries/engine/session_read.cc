// Reading sessions: a group's panes, in the order of time, are put together while the gaps between them are short.
#include <algorithm>
#include <unordered_map>

#include "engine/group_read.h"
#include "engine/key_hash.h"

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
    for (const auto& epoch : epochs_) {
      const Blobs blob = [&](uint64_t id) { return epoch->blob(name, id); };
      epoch->for_each(name, [&](const state::RowView& row) { add_row(row, blob); });
    }
  }

  Status write() {
    for (auto& [key, session] : newest_) end(key, std::move(session));
    // Sessions begin apart and end apart within a key, so (window, key) names one.
    std::sort(ended_.begin(), ended_.end(), [](const Ended& a, const Ended& b) {
      return a.window != b.window ? a.window < b.window : a.key < b.key;
    });
    for (Ended& session : ended_) TRY(writer_.write(session.window, session.key, session.totals));
    return {};
  }

 private:
  struct Session {
    int64_t first = 0;
    int64_t last = 0;
    Totals totals;
  };
  struct Ended {
    Window window;
    std::string key;
    Totals totals;
  };

  void add_row(const state::RowView& row, const Blobs& blob) {
    const SessionTimes times = writer_.accumulators().session_times(row.value);
    auto at = newest_.find(row.key);
    if (at == newest_.end()) {
      at = newest_.try_emplace(std::string(row.key), Session{times.first, times.last, {}}).first;
    } else if (times.first - at->second.last >= plan_.window.size_us) {
      end(at->first, std::move(at->second));
      at->second = {times.first, times.last, {}};
    }
    at->second.last = times.last;
    writer_.accumulators().collect(row.value, blob, at->second.totals);
  }

  void end(const std::string& key, Session session) {
    const Window window{session.first, session.last + plan_.window.size_us};
    if (!wanted_ || wanted_(window)) ended_.push_back({window, key, std::move(session.totals)});
  }

  const QueryPlan& plan_;
  const Epochs& epochs_;
  const std::function<bool(const Window&)>& wanted_;
  GroupWriter& writer_;
  std::unordered_map<std::string, Session, KeyHash, std::equal_to<>> newest_;  // by key
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
