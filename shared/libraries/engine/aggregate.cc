#include "engine/aggregate.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/hash.h"
#include "engine/accumulator.h"
#include "engine/aggregate_arguments.h"
#include "engine/distinct.h"
#include "engine/group_index.h"
#include "engine/group_partition.h"
#include "engine/group_read.h"
#include "engine/grouping_sets.h"
#include "engine/live_counts.h"
#include "engine/live_sessions.h"
#include "engine/value_codec.h"
#include "event/text.h"
#include "formats/json.h"

namespace millrace::engine {
namespace {

constexpr std::string_view kSumRange = "MR-SQL-0102";
constexpr std::string_view kTimeRange = "MR-SQL-0104";
constexpr std::string_view kNoWindow = "MR-SQL-0110";
constexpr std::string_view kKeyTooLong = "MR-SQL-0112";
constexpr std::string_view kListTooLong = "MR-SQL-0117";
constexpr uint8_t kPayloadVersion = 1;

Error bad_payload() {
  return error(Code::kCorrupt, "MR-SQL-0114", "a record of a repartition topic is not a partial aggregate");
}

}  // namespace

struct Aggregation::Impl {
  Impl(PlanPtr p, SharedValues* shared)
      : plan(std::move(p)),
        accumulators(*plan),
        distinct(*plan),
        sets(*plan),
        partition_key(partition_key_of(*plan)),
        argument_values(*plan, shared) {
    // A row without a window has no group: there a NULL mends nothing.
    const size_t of_rows = plan->group_keys.size() - (plan->count_window.any() ? 1 : 0);
    for (size_t i = 0; i < of_rows; ++i)
      keys.emplace_back(plan->group_keys[i].expr, is_window(i) ? OnError::kDeadLetter : plan->on_error,
                        plan->options, shared);
    for (const AggregateCall& call : plan->aggregates) {
      order.emplace_back();
      for (const SortKey& sort : call.order_by)
        order.back().emplace_back(sort.expr, plan->on_error, plan->options, shared);
    }
    contributions.resize(plan->aggregates.size());
    if (plan->window.is_session())
      sessions.emplace(*plan, accumulators, [this](std::string_view group) { return hash_of_key(group); });
    if (plan->count_window.any())
      counts.emplace(*plan, accumulators, [this](std::string_view group) { return hash_of_key(group); });
  }

  PlanPtr plan;
  Accumulators accumulators;
  DistinctSets distinct;
  GroupingSets sets;
  std::optional<LiveSessions> sessions;
  std::optional<LiveCounts> counts;
  int partition_key;
  std::vector<Evaluator> keys;  // but the end of a window of rows
  AggregateArguments argument_values;
  std::vector<std::vector<Evaluator>> order;  // of ordered aggregates

  // Scratch of one call.
  std::vector<const Column*> key_columns;
  const Arguments* arguments = nullptr;
  std::vector<std::vector<const Column*>> order_columns;
  Arena row_texts;  // of one batch
  std::vector<Contribution> contributions;
  std::string key;
  DistinctSets::Row distinct_row;
  std::string late_key;
  std::string key_text;
  std::optional<SessionTimes> times_before;  // of the row's group in its pane
  Column decoded_key;                        // one value, not a text
  Arena no_text;
  GroupIndex touched;  // of the current collection of changes
  GroupIndex groups;   // of partial()
  std::vector<Contribution> group_contributions;
  state::StateStore* table_store = nullptr;
  state::Table* table = nullptr;
  int64_t table_window = 0;
  bool table_late = false;

  // A row on its way to its group: located, so that the memory fetches while other rows are worked on.
  struct Located {
    uint32_t row = 0;
    size_t set = 0;
    int64_t window = 0;
    int64_t number = 0;  // windows of rows: the row's
    uint64_t hash = 0;
    std::string stored;  // the group's key in its table
    size_t group_size = 0;
    state::Table* table = nullptr;
    uint64_t place = 0;
    DistinctSets::Row distinct;
    std::string_view group() const { return std::string_view(stored).substr(0, group_size); }
    bool is_late() const { return group_size < stored.size(); }
    void prefetch_index(const GroupIndex* noted) const {
      table->prefetch_index(place);
      if (noted != nullptr) noted->prefetch_group(window, place);
    }
    void prefetch(const GroupIndex* noted) const {
      table->prefetch(place);
      if (noted != nullptr) noted->prefetch_key(window, place);
    }
  };
  static constexpr size_t kAhead = 16;
  std::array<Located, kAhead> ahead;

  void evaluate(const Batch& batch, Selection& selection, std::vector<RowError>& errors);
  bool encode_group(size_t row, int64_t& window, std::vector<RowError>& errors);
  bool take_distinct(size_t row, DistinctSets::Row& out, std::vector<RowError>& errors);
  uint64_t hash_of_row(size_t row);
  uint64_t hash_of_key(std::string_view encoded);
  bool valid_key(std::string_view encoded) const;
  bool is_window(size_t key_index) const {
    return static_cast<int>(key_index) == plan->window_key ||
           static_cast<int>(key_index) == plan->window_end_key;
  }
  void contributions_of(const Batch& batch, size_t row);
  // Not where a row counts in several groups: it would be left out of one alone. A SELECT fails as a whole.
  bool leaves_rows_out() const { return !sets.any() || !plan->source; }
  bool overflows(size_t row, const char* value, std::vector<RowError>& errors);
  bool choose_part(size_t row, int64_t window, std::span<const int64_t> ended, uint32_t& part,
                   std::vector<RowError>& errors) const;
  std::string_view stored_key(std::string_view group, uint32_t part);
  state::Table& table_of(state::StateStore& store, int64_t window, uint32_t part);
  void locate_values(Located& at);
  void place(state::StateStore& store, int64_t window, std::string_view group, uint32_t part, uint64_t hash,
             Located& out);
  char* group_row(state::StateStore& store, Located& at, bool& inserted);
  Status apply(state::StateStore& store, Located& at, uint16_t partition, std::vector<RowError>* errors,
               bool& failed);
  void undo(Located& at, bool inserted);
  Status change(state::StateStore& store, Located& at, int weight);
  bool collect_live(state::StateStore& store, const state::TableName& name, std::string_view stored_key,
                    uint64_t hash, std::vector<Total>& totals);
  bool collect_pane(state::StateStore& store, int64_t pane, const Window& window, std::string_view group,
                    std::vector<Total>& totals);
  Status write_stored(const std::vector<Changed>& changed, state::StateStore& store,
                      const std::function<bool(const Window&)>& wanted, GroupWriter& writer,
                      GroupWriter* gone);
  void remember_times(const char* value, bool inserted) {
    if (!sessions) return;
    times_before.reset();
    if (!inserted) times_before = accumulators.session_times(value);
  }
  void note(std::vector<Changed>* changed, const Located& at);
  bool locate(uint32_t row, size_t set, std::span<const int64_t> ended, state::StateStore& store,
              std::vector<RowError>& errors, Located& out);
  Status add_located(const Batch& batch, Located& at, state::StateStore& store, std::vector<RowError>& errors,
                     std::vector<Changed>* changed, bool& failed);
  void encode_entry(int64_t window, uint32_t part, std::string_view group, int weight, uint16_t partition,
                    const Contribution* parts, std::string& out);
  Status merge_entry(ByteReader& in, state::StateStore& store, std::vector<Changed>* changed);
};

Aggregation::Aggregation(PlanPtr plan, SharedValues* shared)
    : impl_(std::make_unique<Impl>(std::move(plan), shared)) {}
Aggregation::~Aggregation() = default;

void Aggregation::Impl::evaluate(const Batch& batch, Selection& selection, std::vector<RowError>& errors) {
  key_columns.clear();
  for (Evaluator& e : keys) key_columns.push_back(&e.evaluate(batch, selection, errors));
  arguments = &argument_values.evaluate(batch, selection, errors);
  row_texts.clear();
  order_columns.resize(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order_columns[i].clear();
    for (Evaluator& e : order[i]) order_columns[i].push_back(&e.evaluate(batch, selection, errors));
  }
  table = nullptr;
  distinct.begin();
}

// The row's window, and its group in `key`. False: the row failed.
bool Aggregation::Impl::encode_group(size_t row, int64_t& window, std::vector<RowError>& errors) {
  const auto fail = [&](std::string_view id, std::string message, size_t key_index) {
    errors.push_back(
        {static_cast<uint32_t>(row), id, std::move(message), plan->group_keys[key_index].expr->span});
    return false;
  };
  key.clear();
  window = 0;
  for (size_t i = 0; i < key_columns.size(); ++i) {
    const Column& column = *key_columns[i];
    if (!is_window(i)) {
      encode_key(key, column, row);
      if (key.size() > kMaxKeyBytes) return fail(kKeyTooLong, "the group key is longer than 32 KB", i);
    } else if (column.is_null(row)) {
      return fail(kNoWindow, "the event's time is NULL: it belongs to no window", i);
    } else if (static_cast<int>(i) == plan->window_key) {
      window = column.integers[row];
    }
  }
  return true;
}

// The row's values of DISTINCT aggregates. False: the row failed.
bool Aggregation::Impl::take_distinct(size_t row, DistinctSets::Row& out, std::vector<RowError>& errors) {
  if (!distinct.empty()) distinct.of_row(*arguments, row, out);
  const int aggregate = distinct.empty()
                            ? accumulators.too_long(*arguments, row, DistinctSets::kMaxValueBytes)
                            : distinct.too_long(out);
  if (aggregate < 0) return true;
  errors.push_back({static_cast<uint32_t>(row), kKeyTooLong, "the DISTINCT value is longer than 32000 bytes",
                    plan->aggregates[static_cast<size_t>(aggregate)].argument->span});
  return false;
}

uint64_t Aggregation::Impl::hash_of_row(size_t row) {
  if (partition_key < 0) return stable_hash(key);
  const Column& column = *key_columns[static_cast<size_t>(partition_key)];
  if (physical(column.type) == Physical::kText && !column.is_null(row)) return stable_hash(column.texts[row]);
  key_text.clear();
  formats::append_key_text(key_text, column, row);
  return stable_hash(key_text);
}

// The same from the encoded group, for a partial group that came from elsewhere.
uint64_t Aggregation::Impl::hash_of_key(std::string_view encoded) {
  if (partition_key < 0) return stable_hash(encoded);
  for (size_t i = 0; i < plan->group_keys.size(); ++i) {
    if (is_window(i)) continue;
    const Type type = plan->group_keys[i].expr->type;
    if (static_cast<int>(i) != partition_key) {
      skip_key(encoded, type);
      continue;
    }
    key_text.clear();
    if (physical(type) == Physical::kText) {
      append_ordered_text(key_text, encoded);
      break;
    }
    decoded_key.type = type;
    decoded_key.clear();
    if (decode_key(encoded, type, decoded_key, no_text).ok())
      formats::append_key_text(key_text, decoded_key, 0);
    break;
  }
  return stable_hash(key_text);
}

bool Aggregation::Impl::valid_key(std::string_view encoded) const {
  for (size_t i = 0; i < plan->group_keys.size(); ++i) {
    if (!is_window(i) && !skip_key(encoded, plan->group_keys[i].expr->type)) return false;
  }
  return encoded.empty();
}

void Aggregation::Impl::contributions_of(const Batch& batch, size_t row) {
  accumulators.of_row(*arguments, row, contributions);
  if (!accumulators.makes_texts()) return;
  // Rows that came from no stream are told apart by their place in the batch.
  RowOrigin place{PartitionId(0), Offset(static_cast<int64_t>(row)), {}, {}};
  if (!batch.origins.empty()) place = batch.origins[row];
  accumulators.add_texts(*arguments, order_columns, row, place, contributions, row_texts);
}

bool Aggregation::Impl::overflows(size_t row, const char* value, std::vector<RowError>& errors) {
  const int at = accumulators.overflowing(value, contributions);
  if (at < 0) [[likely]]
    return false;
  const auto aggregate = static_cast<size_t>(at);
  const bool list = accumulators.gathers(aggregate);
  errors.push_back({static_cast<uint32_t>(row), list ? kListTooLong : kSumRange,
                    list ? "the group's list is longer than 1 MB" : "the sum is out of range for bigint",
                    plan->aggregates[aggregate].argument->span});
  return true;
}

// The first of the pane's windows that had not ended when the row came. False: there is none, and the row failed.
bool Aggregation::Impl::choose_part(size_t row, int64_t window, std::span<const int64_t> ended,
                                    uint32_t& part, std::vector<RowError>& errors) const {
  part = 0;
  const auto out_of_range = [&] {
    errors.push_back({static_cast<uint32_t>(row), kTimeRange, "timestamp out of range",
                      plan->group_keys[static_cast<size_t>(plan->window_key)].expr->span});
    return false;
  };
  // The end of a session is less than a gap behind its pane's.
  if (plan->window.is_session() && !timestamp_in_range(window + 2 * plan->window.size_us))
    return out_of_range();
  if (!plan->window.shares_panes()) return true;
  const WindowRun run = plan->window.windows_of(window);
  if (!ended.empty()) part = static_cast<uint32_t>(run.ended(ended[row]));
  return part < run.count || out_of_range();
}

std::string_view Aggregation::Impl::stored_key(std::string_view group, uint32_t part) {
  if (part == 0) return group;
  late_key.assign(group);
  append_part(late_key, part);
  return late_key;
}

// Neighbouring rows are of one window most of the time.
state::Table& Aggregation::Impl::table_of(state::StateStore& store, int64_t window, uint32_t part) {
  const bool late = part > 0;
  if (table == nullptr || table_store != &store || table_window != window || table_late != late) {
    table = &store.table({plan->id, late ? kLateSlot : kGroupsSlot, window}, accumulators.value_bytes());
    table_store = &store;
    table_window = window;
    table_late = late;
  }
  return *table;
}

void Aggregation::Impl::note(std::vector<Changed>* changed, const Located& at) {
  if (changed == nullptr) return;
  if (changed->empty()) touched.clear();
  bool added = false;
  touched.find_or_add(at.window, at.group(), at.is_late() ? at.table->place_of(at.group()) : at.place, added);
  if (added) changed->push_back({at.window, std::string(at.group()), times_before});
}

// False: the row failed, as it does in every set.
bool Aggregation::Impl::locate(uint32_t row, size_t set, std::span<const int64_t> ended,
                               state::StateStore& store, std::vector<RowError>& errors, Located& out) {
  uint32_t part = 0;
  if (!encode_group(row, out.window, errors) || !choose_part(row, out.window, ended, part, errors) ||
      !take_distinct(row, out.distinct, errors))
    return false;
  if (sets.any()) sets.encode(set, key_columns, row, key);
  if (counts) {
    out.number = counts->next(store, key);
    append_end(key, plan->count_window.pane_of(out.number));
  }
  out.row = row;
  out.set = set;
  place(store, out.window, key, part, hash_of_row(row), out);
  return true;
}

// Where the group's row is in its table, or would be.
void Aggregation::Impl::place(state::StateStore& store, int64_t window, std::string_view group, uint32_t part,
                              uint64_t hash, Located& out) {
  out.window = window;
  out.hash = hash;
  out.stored.assign(stored_key(group, part));
  out.group_size = group.size();
  out.table = &table_of(store, window, part);
  out.place = out.table->place_of(out.stored);
  touched.prefetch(window, out.place);
  if (!distinct.empty()) distinct.use_window(store, window, hash, out.distinct);
}

// With the values that DISTINCT asks for, if there are any and the group is there.
void Aggregation::Impl::locate_values(Located& at) {
  const char* const value = at.table->find_at(at.place, at.stored, at.hash);
  if (value != nullptr) distinct.locate(at.distinct, accumulators.number_of(value));
}

Status Aggregation::Impl::add_located(const Batch& batch, Located& at, state::StateStore& store,
                                      std::vector<RowError>& errors, std::vector<Changed>* changed,
                                      bool& failed) {
  contributions_of(batch, at.row);
  if (plan->updating()) {
    TRY(change(store, at, batch.weights[at.row]));
    note(changed, at);
    return {};
  }
  const uint16_t partition = batch.origins.empty() ? uint16_t{0} : batch.origins[at.row].partition.value;
  TRY(apply(store, at, partition, leaves_rows_out() ? &errors : nullptr, failed));
  if (failed) return {};
  if (counts) {
    std::string_view group = at.group();
    take_end(group);
    if (!counts->take(store, group, at.number, at.row)) return state_full();
  }
  note(changed, at);
  return {};
}

// The group's row, of which a new one gets a number; null: the state's bound.
char* Aggregation::Impl::group_row(state::StateStore& store, Located& at, bool& inserted) {
  char* const value = at.table->upsert_at(at.place, at.stored, at.hash, inserted);
  if (value == nullptr || distinct.empty()) return value;
  if (inserted) accumulators.set_number(value, distinct.next_number(store, at.window, at.hash));
  const uint64_t number = accumulators.number_of(value);
  if (number == 0) {
    at.table->erase(at.stored, at.hash);
    return nullptr;
  }
  // The group may have come, or have been another one, when the values were located.
  if (at.distinct.number != number) distinct.locate(at.distinct, number);
  return value;
}

// Applies the contributions to the group's row. `failed`: they would take a sum out of its range; without `errors`
// nobody asks. Then, and after an error, all is as it was, but where values are kept: then the query ends, and goes on
// from its snapshot.
Status Aggregation::Impl::apply(state::StateStore& store, Located& at, uint16_t partition,
                                std::vector<RowError>* errors, bool& failed) {
  bool inserted = false;
  char* const value = group_row(store, at, inserted);
  if (value == nullptr) return state_full();
  remember_times(value, inserted);
  if (!distinct.empty() && !distinct.take(at.distinct, contributions)) {
    undo(at, inserted);
    return state_full();
  }
  failed = errors != nullptr && overflows(at.row, value, *errors);
  if (failed) {
    undo(at, inserted);
    return {};
  }
  if (!accumulators.apply(*at.table, at.stored, at.hash, value, partition, contributions)) {
    undo(at, inserted);
    return state_full();
  }
  if (accumulators.keeps_values() &&
      !accumulators.change_values(*at.table, at.stored, at.hash, 1, contributions))
    return state_full();
  return {};
}

void Aggregation::Impl::undo(Located& at, bool inserted) {
  if (!distinct.empty()) distinct.undo(at.distinct);
  if (inserted) at.table->erase(at.stored, at.hash);
}

// A row of an updating source comes (1) or goes (-1). No sum is checked, for a row that would not be counted could not
// be taken out: one that is out of range is told at the read. A late part of a pane is no table by itself, but what a
// table has become: it stays, also where as many rows came as went.
Status Aggregation::Impl::change(state::StateStore& store, Located& at, int weight) {
  state::Table& rows = *at.table;
  bool inserted = false;
  char* const value = group_row(store, at, inserted);
  if (value == nullptr) return state_full();
  if (!distinct.empty() && !distinct.count(at.distinct, weight, contributions)) return state_full();
  if (weight < 0) negate(contributions);
  if (!accumulators.apply(rows, at.stored, at.hash, value, 0, contributions) ||
      !accumulators.change_values(rows, at.stored, at.hash, weight, contributions))
    return state_full();
  if (at.is_late()) return {};
  const char* const held = rows.find(at.stored, at.hash);
  if (accumulators.count_of(held, static_cast<size_t>(plan->rows_aggregate)) != 0) return {};
  accumulators.free_blobs(held, rows);
  rows.erase(at.stored, at.hash);
  return {};
}

Status Aggregation::add(const Batch& batch, Selection& selection, state::StateStore& store,
                        std::vector<RowError>& errors, std::vector<Changed>* changed,
                        std::span<const int64_t> ended) {
  Impl& own = *impl_;
  own.evaluate(batch, selection, errors);
  size_t kept = 0;
  size_t set = 0;
  size_t added = 0;  // since the store was settled
  // A row's number is known when the one before has its own, or has failed.
  const size_t most_ahead = own.counts ? 1 : Impl::kAhead;
  const GroupIndex* const noted = changed == nullptr ? nullptr : &own.touched;
  for (size_t next = 0; next < selection.size();) {
    size_t located = 0;
    while (next < selection.size() && located < most_ahead) {
      const bool there = own.locate(selection[next], set, ended, store, errors, own.ahead[located]);
      located += there;
      if (there && ++set < own.sets.count()) continue;
      set = 0;
      ++next;
    }
    for (size_t i = 0; i < located; ++i) own.ahead[i].prefetch_index(noted);
    for (size_t i = 0; i < located; ++i) own.ahead[i].prefetch(noted);
    if (!own.distinct.empty()) {
      for (size_t i = 0; i < located; ++i) own.locate_values(own.ahead[i]);
      for (size_t i = 0; i < located; ++i) own.distinct.prefetch_index(own.ahead[i].distinct);
      for (size_t i = 0; i < located; ++i) own.distinct.prefetch(own.ahead[i].distinct);
    }
    for (size_t i = 0; i < located; ++i) {
      bool failed = false;
      TRY(own.add_located(batch, own.ahead[i], store, errors, changed, failed));
      if (!failed && own.ahead[i].set == 0) selection[kept++] = own.ahead[i].row;
    }
    // A step of many rows may touch more than the memory holds.
    added += located;
    if (added < kRowsASettling) continue;
    added = 0;
    TRY(store.settle());
  }
  selection.resize(kept);
  return {};
}

// Payload: version, then entries: window, part (only where windows share panes), key, weight (only of an updating
// source), source partition (only where a float sum asks), a contribution an aggregate, a value for each set of distinct values.
void Aggregation::Impl::encode_entry(int64_t window, uint32_t part, std::string_view group, int weight,
                                     uint16_t partition, const Contribution* parts, std::string& out) {
  if (out.empty()) out += static_cast<char>(kPayloadVersion);
  append_varint(out, zigzag(window));
  if (plan->window.shares_panes()) append_varint(out, part);
  append_bytes(out, group);
  if (plan->updating()) append_varint(out, zigzag(weight));
  if (accumulators.has_float_sums()) append_varint(out, partition);
  for (size_t i = 0; i < accumulators.size(); ++i) accumulators.encode(i, parts[i], out);
  if (!distinct.empty()) distinct.encode(distinct_row, out);
}

Status Aggregation::partial(const Batch& batch, Selection& selection, const Payloads& to,
                            std::vector<RowError>& errors, std::span<const int64_t> ended) {
  Impl& own = *impl_;
  own.evaluate(batch, selection, errors);
  const auto partitions = static_cast<uint32_t>(to.partitions);
  std::vector<std::string> payloads(partitions);
  const auto write = [&](size_t p) {
    if (!payloads[p].empty()) to.write(p, payloads[p]);
    payloads[p].clear();
  };
  const auto payload_of = [&](uint64_t hash) -> std::string& {
    const size_t p = partition_of_key_group(key_group_of(hash), partitions);
    if (payloads[p].size() >= to.full_bytes) write(p);
    return payloads[p];
  };
  const size_t width = own.contributions.size();
  const bool row_by_row = own.accumulators.row_by_row() || !own.distinct.empty() || own.plan->updating();
  own.groups.clear();
  own.group_contributions.clear();
  size_t kept = 0;
  for (const uint32_t row : selection) {
    int64_t window = 0;
    uint32_t part = 0;
    if (!own.encode_group(row, window, errors) || !own.choose_part(row, window, ended, part, errors) ||
        !own.take_distinct(row, own.distinct_row, errors))
      continue;
    selection[kept++] = row;
    own.contributions_of(batch, row);
    for (size_t set = 0; set < own.sets.count(); ++set) {
      if (own.sets.any()) own.sets.encode(set, own.key_columns, row, own.key);
      if (row_by_row || part > 0) {
        const uint16_t partition = batch.origins.empty() ? uint16_t{0} : batch.origins[row].partition.value;
        const int weight = batch.weights.empty() ? 1 : batch.weights[row];
        own.encode_entry(window, part, own.key, weight, partition, own.contributions.data(),
                         payload_of(own.hash_of_row(row)));
        continue;
      }
      bool added = false;
      const size_t group = own.groups.find_or_add(window, own.key, added);
      if (added) own.group_contributions.resize((group + 1) * width);
      for (size_t i = 0; i < width; ++i) {
        own.accumulators.combine(i, own.group_contributions[group * width + i], own.contributions[i]);
      }
    }
  }
  selection.resize(kept);
  for (size_t g = 0; g < own.groups.size(); ++g) {
    own.encode_entry(own.groups.window(g), 0, own.groups.key(g), 1, 0,
                     own.group_contributions.data() + g * width,
                     payload_of(own.hash_of_key(own.groups.key(g))));
  }
  for (size_t p = 0; p < partitions; ++p) write(p);
  return {};
}

Status Aggregation::Impl::merge_entry(ByteReader& in, state::StateStore& store,
                                      std::vector<Changed>* changed) {
  const int64_t window = in.signed_varint();
  const uint64_t part = plan->window.shares_panes() ? in.varint() : 0;
  const std::string_view group = in.bytes();
  const int64_t weight = plan->updating() ? in.signed_varint() : 1;
  const uint64_t partition = accumulators.has_float_sums() ? in.varint() : 0;
  if (!in.ok() || (weight != 1 && weight != -1) || partition > UINT16_MAX || part > kMaxPanes ||
      group.size() > kMaxKeyBytes || !valid_key(group))
    return bad_payload();
  for (size_t i = 0; i < contributions.size(); ++i) {
    if (!accumulators.decode(i, in, contributions[i])) return bad_payload();
  }
  Located& at = ahead.front();
  if (!distinct.decode(in, at.distinct)) return bad_payload();
  place(store, window, group, static_cast<uint32_t>(part), hash_of_key(group), at);
  bool failed = false;
  TRY(plan->updating() ? change(store, at, static_cast<int>(weight))
                       : apply(store, at, static_cast<uint16_t>(partition), nullptr, failed));
  note(changed, at);
  return {};
}

Status Aggregation::merge(std::string_view payload, state::StateStore& store, std::vector<Changed>* changed) {
  ByteReader in(payload);
  if (in.le<uint8_t>() != kPayloadVersion) return bad_payload();
  impl_->table = nullptr;
  impl_->distinct.begin();
  for (size_t merged = 1; in.left() > 0; ++merged) {
    TRY(impl_->merge_entry(in, store, changed));
    if (merged % kRowsASettling == 0) TRY(store.settle());
  }
  return {};
}

namespace {

// The groups to tell, each once, by (window, key).
std::vector<std::pair<Window, std::string_view>> windows_of(
    const QueryPlan& plan, const std::vector<Aggregation::Changed>& changed) {
  std::vector<std::pair<Window, std::string_view>> out;
  for (const auto& c : changed) {
    const WindowRun run = plan.window.windows_of(c.window);
    for (size_t i = 0; i < run.count; ++i) out.emplace_back(run.at(i), c.key);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

// Adds what the live store holds of the group in one of its tables; false: nothing.
bool Aggregation::Impl::collect_live(state::StateStore& store, const state::TableName& name,
                                     std::string_view stored_key, uint64_t hash, std::vector<Total>& totals) {
  const state::Table* found = store.find(name);
  const char* value = found == nullptr ? nullptr : found->find(stored_key, hash);
  if (value == nullptr) return false;
  accumulators.collect(
      value, [&](uint64_t id) { return found->blob(id); }, totals);
  return true;
}

bool Aggregation::Impl::collect_pane(state::StateStore& store, int64_t pane, const Window& window,
                                     std::string_view group, std::vector<Total>& totals) {
  const uint64_t hash = hash_of_key(group);
  bool any = collect_live(store, {plan->id, kGroupsSlot, pane}, group, hash, totals);
  const state::TableName late{plan->id, kLateSlot, pane};
  if (!plan->window.shares_panes() || store.find(late) == nullptr) return any;
  const WindowRun run = plan->window.windows_of(pane);
  for (uint32_t part = 1; part < run.count && run.at(part) <= window; ++part) {
    key.assign(group);
    append_part(key, part);
    any |= collect_live(store, late, key, hash, totals);
  }
  return any;
}

// Of windows that are one pane each: a group is one row, if its window was not dropped since.
Status Aggregation::Impl::write_stored(const std::vector<Changed>& changed, state::StateStore& store,
                                       const std::function<bool(const Window&)>& wanted, GroupWriter& writer,
                                       GroupWriter* gone) {
  const std::vector<std::string> always = sets.empty_groups();
  const state::Table* rows = nullptr;
  std::optional<int64_t> start;  // of `rows`
  for (const auto& [window, group] : windows_of(*plan, changed)) {
    if (start != window.start) rows = store.find({plan->id, kGroupsSlot, window.start});
    start = window.start;
    const char* const value = rows == nullptr ? nullptr : rows->find(group, hash_of_key(group));
    if (wanted && !wanted(window)) continue;
    if (value != nullptr)
      TRY(writer.write(window, group, value, [&](uint64_t id) { return rows->blob(id); }));
    else if (std::ranges::find(always, group) != always.end())
      TRY(writer.write_empty(window, group));
    else if (gone != nullptr)
      TRY(gone->write_empty(window, group));
  }
  return {};
}

Status Aggregation::read_changed(const std::vector<Changed>& changed, state::StateStore& store,
                                 const std::function<bool(const Window&)>& wanted, Batch& out, Batch* gone) {
  const QueryPlan& plan = *impl_->plan;
  GroupWriter writer(plan, out);
  if (impl_->counts && plan.count_window.shares_panes())
    return impl_->counts->read_changed(changed, store, writer);
  std::optional<GroupWriter> vanished;
  if (gone != nullptr) vanished.emplace(plan, *gone);
  if (!plan.window.shares_panes()) {
    return impl_->write_stored(changed, store, wanted, writer, vanished ? &*vanished : nullptr);
  }
  std::vector<Total> totals(plan.aggregates.size());
  for (const auto& [window, key] : windows_of(plan, changed)) {
    if (wanted && !wanted(window)) continue;
    restart(totals);
    bool any = false;
    int64_t pane = window.start;
    do {
      any |= impl_->collect_pane(store, pane, window, key, totals);
      pane += plan.window.pane_us();
    } while (pane < window.end);
    if (any && writer.has_rows(totals))
      TRY(writer.write(window, key, totals));
    else if (vanished)
      TRY(vanished->write_empty(window, key));
  }
  return {};
}

Status Aggregation::read_closed_counts(state::StateStore& store, Batch& out, std::vector<uint32_t>& rows) {
  GroupWriter writer(*impl_->plan, out);
  return impl_->counts->read_closed(store, writer, rows);
}

void Aggregation::drop_closed_counts(state::StateStore& store) {
  Impl& own = *impl_;
  if (!own.counts->drop_closed(store) || own.distinct.empty()) return;
  const auto rows = static_cast<size_t>(own.plan->rows_aggregate);
  own.distinct.sweep(store, [&](const char* value) {
    const bool open = own.accumulators.count_of(value, rows) < own.plan->count_window.size;
    return open ? own.accumulators.number_of(value) : 0;
  });
}

Status Aggregation::read_changed_sessions(const std::vector<Changed>& changed, state::StateStore& store,
                                          Batch& out, Batch& gone) {
  GroupWriter now(*impl_->plan, out);
  GroupWriter vanished(*impl_->plan, gone);
  return impl_->sessions->read_changed(changed, store, now, vanished);
}

Status Aggregation::read_ended_sessions(int64_t before, int64_t closed, state::StateStore& store,
                                        Batch& out) {
  GroupWriter writer(*impl_->plan, out);
  return impl_->sessions->read_ended(before, closed, store, writer);
}

Status Aggregation::drop_ended_sessions(int64_t upto, state::StateStore& store) {
  return impl_->sessions->drop_ended(upto, store);
}

}  // namespace millrace::engine
