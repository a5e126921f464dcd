#include "engine/group_read.h"

#include <algorithm>
#include <set>

#include "engine/aggregate.h"
#include "engine/grouping_sets.h"

namespace millrace::engine {

void append_part(std::string& key, uint32_t part) {
  append_le(key, part);
}

uint32_t take_part(std::string_view& key) {
  const auto part = load_le<uint32_t>(key.data() + key.size() - 4);
  key.remove_suffix(4);
  return part;
}

Error wrong_layout() {
  return error(Code::kCorrupt, "MR-SQL-0115", "the stored groups have another layout than the query's plan");
}

GroupWriter::GroupWriter(const QueryPlan& plan, Batch& out) : plan_(plan), accumulators_(plan), out_(out) {
  if (!out.columns.empty()) return;
  Schema schema;
  for (const NamedExpr& key : plan.group_keys) schema.push_back({key.name, key.expr->type});
  for (const AggregateCall& call : plan.aggregates) schema.push_back({"", call.type});
  out.set_schema(schema);
}

Status GroupWriter::write_keys(const Window& window, std::string_view key) {
  for (size_t i = 0; i < plan_.group_keys.size(); ++i) {
    Column& column = out_.columns[i];
    const bool start = static_cast<int>(i) == plan_.window_key;
    if (start || static_cast<int>(i) == plan_.window_end_key) {
      if (!column.valid.empty()) column.valid.push_back(1);
      column.integers.push_back(start ? window.start : window.end);
    } else {
      TRY(decode_key(key, column.type, column, *out_.arena));
    }
  }
  ++out_.rows;
  return {};
}

Status GroupWriter::write(const Window& window, std::string_view key, std::vector<Total>& totals) {
  TRY(write_keys(window, key));
  for (size_t i = 0; i < plan_.aggregates.size(); ++i) {
    accumulators_.finish(i, totals[i], out_.columns[plan_.group_keys.size() + i], *out_.arena);
  }
  return {};
}

Status GroupWriter::write(const Window& window, std::string_view key, const char* value, const Blobs& blob) {
  TRY(write_keys(window, key));
  accumulators_.finish_stored(value, blob, total_, std::span(out_.columns).subspan(plan_.group_keys.size()),
                              *out_.arena);
  return {};
}

Status GroupWriter::write_empty(const Window& window, std::string_view key) {
  const std::string zeros(accumulators_.value_bytes(), '\0');
  return write(window, key, zeros.data(), {});
}

namespace {

uint64_t head_of(std::string_view key) {
  char head[8] = {};
  std::memcpy(head, key.data(), std::min<size_t>(key.size(), 8));
  return load_be<uint64_t>(head);
}

// Keys of one window share their first bytes; the eight behind those decide almost every comparison: each row has a
// place for them, `head`.
template <typename Row, typename Key>
void sort_by_key(std::vector<Row>& rows, Key key) {
  if (rows.empty()) return;
  const std::string_view first = key(rows[0]);
  size_t shared = first.size();
  for (const Row& row : rows) {
    const std::string_view other = key(row);
    shared = std::min(shared, other.size());
    size_t i = 0;
    while (i < shared && first[i] == other[i]) ++i;
    shared = i;
  }
  for (Row& row : rows) row.head = head_of(key(row).substr(shared));
  std::sort(rows.begin(), rows.end(),
            [&](const Row& a, const Row& b) { return a.head != b.head ? a.head < b.head : key(a) < key(b); });
}

// The rows of one window, copied out of the epochs and sorted by key.
class WindowRows {
 public:
  explicit WindowRows(size_t value_bytes) : value_bytes_(value_bytes) {}
  void clear() {
    bytes_.clear();
    rows_.clear();
  }
  void add(std::string_view key, const char* value, uint32_t epoch) {
    rows_.push_back({0, bytes_.size(), static_cast<uint32_t>(key.size()), epoch});
    bytes_.append(value, value_bytes_).append(key);
  }
  void sort() {
    sort_by_key(rows_, [&](const Row& row) { return key(row); });
  }
  template <typename F>
  Status each(F&& f) const {
    for (const Row& row : rows_) TRY(f(key(row), bytes_.data() + row.offset, row.epoch));
    return {};
  }

 private:
  struct Row {
    uint64_t head;
    size_t offset;
    uint32_t key_size;
    uint32_t epoch;
  };
  std::string_view key(const Row& row) const {
    return {bytes_.data() + row.offset + value_bytes_, row.key_size};
  }
  size_t value_bytes_;
  std::string bytes_;
  std::vector<Row> rows_;
};

// The tables' windows (of panes) in all epochs, ascending.
Result<std::vector<int64_t>> stored_windows(const QueryPlan& plan, const Epochs& epochs, uint16_t slot,
                                            size_t value_bytes, std::vector<int64_t> windows) {
  for (const auto& epoch : epochs) {
    for (const auto& name : epoch->tables(plan.id, slot)) {
      if (epoch->value_bytes(name) != value_bytes) return wrong_layout();
      windows.push_back(name.window);
    }
  }
  std::sort(windows.begin(), windows.end());
  windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
  return windows;
}

using Wanted = std::function<bool(const Window&)>;

Status read_plain(const QueryPlan& plan, const Epochs& epochs, const std::vector<int64_t>& starts,
                  const Wanted& wanted, GroupWriter& writer) {
  WindowRows rows(writer.accumulators().value_bytes());
  for (const int64_t start : starts) {
    const Window window{start, start + plan.window.size_us};
    if (wanted && !wanted(window)) continue;
    const state::TableName name{plan.id, kGroupsSlot, start};
    rows.clear();
    for (uint32_t e = 0; e < epochs.size(); ++e) {
      epochs[e]->for_each(name, [&](const state::RowView& row) { rows.add(row.key, row.value, e); });
    }
    rows.sort();
    TRY(rows.each([&](std::string_view key, const char* value, uint32_t e) -> Status {
      if (plan.hides_open_counts() &&
          writer.accumulators().count_of(value, static_cast<size_t>(plan.rows_aggregate)) <
              plan.count_window.size)
        return {};
      return writer.write(window, key, value, [&, e](uint64_t id) { return epochs[e]->blob(name, id); });
    }));
  }
  return {};
}

Status read_panes(const QueryPlan& plan, const Epochs& epochs, const std::vector<int64_t>& panes,
                  const Wanted& wanted, GroupWriter& writer) {
  std::set<Window> windows;
  for (const int64_t pane : panes) {
    const WindowRun run = plan.window.windows_of(pane);
    for (size_t i = 0; i < run.count; ++i) {
      if (!wanted || wanted(run.at(i))) windows.insert(run.at(i));
    }
  }
  PaneReader reader(plan, epochs);
  for (const Window& window : windows) TRY(reader.write(window, writer));
  return {};
}

}  // namespace

void PaneReader::add_pane(int64_t pane, const Window& window, const Accumulators& accumulators) {
  struct Late {
    uint32_t part;
    std::string key;
    std::string value;
  };
  const size_t value_bytes = accumulators.value_bytes();
  const auto add = [&](const state::Epoch& epoch, const state::TableName& name, std::string_view key,
                       const char* value) {
    bool added = false;
    const size_t group = groups_.find_or_add(0, key, added);
    if (group == totals_.size()) totals_.emplace_back();
    if (added) restart(totals_[group]);
    accumulators.collect(
        value, [&](uint64_t id) { return epoch.blob(name, id); }, totals_[group]);
  };
  const WindowRun run = plan_.window.windows_of(pane);
  for (const auto& epoch : epochs_) {
    const state::TableName name{plan_.id, kGroupsSlot, pane};
    epoch->for_each(name, [&](const state::RowView& row) { add(*epoch, name, row.key, row.value); });
    const state::TableName late_name{plan_.id, kLateSlot, pane};
    std::vector<Late> late;
    epoch->for_each(late_name, [&](const state::RowView& row) {
      std::string_view key = row.key;
      const uint32_t part = take_part(key);
      if (part < run.count && run.at(part) <= window)
        late.push_back({part, std::string(key), std::string(row.value, value_bytes)});
    });
    std::sort(late.begin(), late.end(), [](const Late& a, const Late& b) { return a.part < b.part; });
    for (const Late& l : late) add(*epoch, late_name, l.key, l.value.data());
  }
}

Status PaneReader::write(const Window& window, GroupWriter& writer) {
  groups_.clear();
  for (int64_t pane = window.start; pane < window.end; pane += plan_.window.pane_us()) {
    add_pane(pane, window, writer.accumulators());
  }
  order_.resize(groups_.size());
  for (size_t i = 0; i < order_.size(); ++i) order_[i].group = i;
  sort_by_key(order_, [&](const Place& place) { return groups_.key(place.group); });
  for (const Place& place : order_) {
    std::vector<Total>& totals = totals_[place.group];
    if (writer.has_rows(totals)) TRY(writer.write(window, groups_.key(place.group), totals));
  }
  return {};
}

Status read_whole(const Epochs& epochs) {
  for (const auto& epoch : epochs) TRY(epoch->status());
  return {};
}

Status Aggregation::read_groups(const QueryPlan& plan, const Epochs& epochs, const Wanted& wanted,
                                Batch& out) {
  GroupWriter writer(plan, out);
  const size_t value_bytes = writer.accumulators().value_bytes();
  const size_t before = out.rows;
  TRY_ASSIGN(std::vector<int64_t> stored, stored_windows(plan, epochs, kGroupsSlot, value_bytes, {}));
  if (plan.count_window.shares_panes()) {
    TRY(read_counts(plan, epochs, writer));
    return read_whole(epochs);
  }
  if (plan.window.shares_panes()) {
    TRY_ASSIGN(stored, stored_windows(plan, epochs, kLateSlot, value_bytes, std::move(stored)));
    TRY(read_panes(plan, epochs, stored, wanted, writer));
    return read_whole(epochs);
  }
  if (plan.window.is_session()) {
    TRY(read_sessions(plan, epochs, stored, wanted, writer));
    return read_whole(epochs);
  }
  TRY(read_plain(plan, epochs, stored, wanted, writer));
  TRY(read_whole(epochs));
  if (out.rows > before) return {};
  for (const std::string& group : GroupingSets(plan).empty_groups()) TRY(writer.write_empty({}, group));
  return {};
}

}  // namespace millrace::engine
