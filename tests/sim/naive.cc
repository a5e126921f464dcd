#include "tests/sim/naive.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "tests/sim/naive_aggregate.h"
#include "tests/sim/naive_clocks.h"

namespace millrace::sim {
namespace {

using sql::ast::Expr;
using sql::ast::ExprKind;

// A query's rows on their way: what groups them, and what is kept of a group.
struct Arm;
struct Group {
  Row first;                 // any row of the group: the group's keys have one value
  const Arm* arm = nullptr;  // that row's
  std::optional<int64_t> window_start;
  int64_t window_size = 0;
  std::vector<std::vector<NaiveValue>> values;  // by aggregate
  std::string numbered;                         // windows of rows: the group whose rows are numbered
  const std::set<std::string>* not_grouped = nullptr;
};
using Inputs = std::vector<std::optional<NaiveInput>>;  // a row's, by aggregate
// SESSION: a row that counts, until all rows of its group are there.
struct PendingRow {
  int64_t time = 0;
  size_t set = 0;
  NaiveOrigin origin;
  const Arm* arm = nullptr;
  Row row;
  Inputs inputs;
};
// One window of a row, and what a sum of doubles is added up by.
struct NaiveWindow {
  std::optional<int64_t> start;
  int64_t size = 0;
  NaivePart part;
};

bool mentions(const Expr& e, std::string_view name) {
  if (e.kind == ExprKind::kColumn && e.text == name) return true;
  return std::any_of(e.args.begin(), e.args.end(), [&](const auto& a) { return mentions(*a, name); });
}

// INT64_MIN: nothing is closed yet.
int64_t behind(int64_t watermark, int64_t by) {
  return watermark == INT64_MIN ? watermark : watermark - by;
}

// A stream that the query reads, and the SELECTs over it.
struct Arm {
  const NaiveStream* stream = nullptr;
  const NaiveArm* layers = nullptr;
  std::vector<LogEvent> events;  // by their partitions among those of all arms
  size_t next = 0;
  std::deque<NaiveReads> reads;  // by layer

  // What a column of a layer is in the one below; null: it is none, or the stream's.
  const Expr* value_below(const Expr& e, size_t layer) const {
    if (e.kind != ExprKind::kColumn) return nullptr;
    for (size_t i = 0; i < reads[layer].values.size(); ++i) {
      if (reads[layer].columns[i].name == e.text) return reads[layer].values[i];
    }
    return nullptr;
  }
  // The stream's column that an expression is as it stands; -1: it is none.
  int stream_column(const Expr& e, size_t layer) const {
    if (const Expr* below = value_below(e, layer)) return stream_column(*below, layer + 1);
    for (size_t i = 0; e.kind == ExprKind::kColumn && i < stream->columns.size(); ++i) {
      if (stream->columns[i].name == e.text) return static_cast<int>(i);
    }
    return -1;
  }
};

class Run {
 public:
  Run(const NaiveQuery& query, const std::vector<NaiveSource>& sources, const NaiveScope& scope)
      : query_(*query.groups), named_(query), source_(naive_union(sources)), scope_(scope), clocks_(source_) {
    set_arms(sources);
    for (const auto& item : named_.query->items) find_calls(*item.expr, 0);
    for (size_t layer = 0; layer < named_.grouping; ++layer) {
      const auto& where = named_.arms[0].layers[layer].select->where;
      if (where) find_calls(*where, layer);
    }
    if (query_.having) find_aggregates(*query_.having, calls_);
    grouped_ = groups_rows(query_);
    if (query_.from && query_.from->window != sql::ast::WindowFunction::kNone) set_window(*query_.from);
    if (query_.distinct_span.length > 0) {
      for (const auto& item : query_.items) keys_.push_back(item.expr.get());
    }
    for (const auto& key : query_.group_by) keys_.push_back(&group_expr(*key));
    set_groups();
  }

  NaiveAnswer over(const FinalLog& log) {
    for (const auto& mark : log.frames) {
      if (mark.cut <= scope_.after) continue;
      if (mark.cut > scope_.upto) break;
      clocks_.frame(mark);
      arrived_ = mark.time.value;
      for (const Arm& arm : arms_) {
        for (size_t i = arm.next; i < arm.events.size() && arm.events[i].cut == mark.cut; ++i)
          clocks_.batch(arm.events[i].partition, mark.time);
      }
      for (Arm& arm : arms_) {
        for (; arm.next < arm.events.size() && arm.events[arm.next].cut == mark.cut; ++arm.next)
          take(arm, arm.events[arm.next]);
      }
    }
    if (!source_.primary_key.empty()) take_table();
    for (const auto& [key, rows] : pending_) make_sessions(key, rows);
    if (grouped_) show_groups();
    if (named_.set != sql::ast::SetOperation::kNone) show_set();
    if (closes_ && by_arrival_) {
      answer_.closed_high = arrived_;
      answer_.closed_low = std::min(arrived_, scope_.asked_after.value);
      // A session may be told a little late.
      if (sessions_) answer_.closed_low -= std::max<int64_t>(size_ / 16, 100'000);
    } else if (closes_ && scope_.told) {
      show_closed(behind(scope_.told->low, named_.lateness_us),
                  behind(scope_.told->high, named_.lateness_us));
    } else if (closes_) {
      show_closed(scope_.believed ? clocks_.closed_at_least() : clocks_.closed(),
                  scope_.believed ? clocks_.closed_at_most() : clocks_.closed());
    }
    return std::move(answer_);
  }

 private:
  struct LastEvent {
    const LogEvent* event = nullptr;  // null: it is deleted
    Row row;
    std::vector<NaiveWindow> windows;  // over the watermark's column: those that it is in
  };

  void show_closed(int64_t low, int64_t high) {
    if (named_.emit_on_close) {
      answer_.closed_low = low;
      answer_.closed_high = high;
    }
    if (named_.retention_us == 0) return;
    answer_.dropped_low = behind(low, named_.retention_us);
    answer_.dropped_high = behind(high, named_.retention_us);
  }

  void set_arms(const std::vector<NaiveSource>& sources) {
    uint16_t first = 0;
    for (size_t i = 0; i < sources.size(); ++i) {
      Arm arm{
          sources[i].stream, &named_.arms[i], {}, 0, naive_reads(named_.arms[i], sources[i].stream->columns)};
      for (LogEvent event : *sources[i].events) {
        if (event.cut <= scope_.after) continue;
        event.partition = PartitionId(static_cast<uint16_t>(event.partition.value + first));
        arm.events.push_back(std::move(event));
      }
      arms_.push_back(std::move(arm));
      first = static_cast<uint16_t>(first + sources[i].stream->partitions);
    }
  }

  // Aggregates of columns that nobody reads are not computed.
  void find_calls(const Expr& e, size_t layer) {
    if (layer == named_.grouping) return find_aggregates(e, calls_);
    if (e.kind == ExprKind::kStar) {
      for (const Expr* value : arms_[0].reads[layer].values) find_calls(*value, layer + 1);
    }
    if (const Expr* below = arms_[0].value_below(e, layer)) return find_calls(*below, layer + 1);
    for (const auto& arg : e.args) find_calls(*arg, layer);
  }

  RowContext context_of(const Arm& arm, const Row& row, AppendTime time, size_t layer) const {
    RowContext context{&arm.stream->columns, &row, std::nullopt, size_, nullptr, time};
    context.reads = &arm.reads[layer];
    return context;
  }

  void set_groups() {
    for (const auto& set : query_.grouping_sets) sets_.push_back({{set.begin(), set.end()}, {}});
    if (sets_.empty()) {
      sets_.emplace_back();
      for (size_t key = 0; key < keys_.size(); ++key) sets_[0].keys.insert(key);
    }
    for (GroupingSet& set : sets_) {
      for (const Expr* key : keys_) set.without.insert(naive_text(*key));
      for (const size_t key : set.keys) set.without.erase(naive_text(*keys_[key]));
    }
    add_empty_groups();
  }

  // Groups of no keys are there from the beginning.
  void add_empty_groups() {
    for (size_t i = 0; grouped_ && i < sets_.size(); ++i) {
      if (!sets_[i].keys.empty()) continue;
      Group& group = groups_[to_line({Scalar(static_cast<int64_t>(i))})];
      group.values.resize(calls_.size());
      group.not_grouped = &sets_[i].without;
    }
  }

  void set_window(const sql::ast::TableRef& from) {
    bool by_window = false;
    for (const auto& key : query_.group_by) {
      by_window |= mentions(*key, "window_start") || mentions(*key, "window_end");
    }
    if (from.of_rows) return;
    auto size = naive_interval_us(*from.size);
    CHECK(size.ok(), "the oracle reads the window's size");
    size_ = *size;
    sessions_ = from.window == sql::ast::WindowFunction::kSession;
    if (from.step) {
      auto step = naive_interval_us(*from.step);
      CHECK(step.ok(), "the oracle reads the window's step");
      step_ = *step;
      cumulates_ = from.window == sql::ast::WindowFunction::kCumulate;
    }
    if (from.offset) {
      auto offset = naive_interval_us(*from.offset);
      CHECK(offset.ok(), "the oracle reads the window's offset");
      offset_ = *offset;
    }
    by_arrival_ = is_proctime(*from.time);
    // Over anything but the watermark's column, a window is a key like any other.
    late_check_ = by_window && !by_arrival_ && std::ranges::all_of(arms_, [&](const Arm& arm) {
                    const int column = arm.stream_column(*from.time, named_.grouping);
                    return column >= 0 && column == arm.stream->watermark_column;
                  });
    closes_ = (late_check_ || by_arrival_) && named_.closes();
  }

  void take(const Arm& arm, const LogEvent& event) {
    auto row = naive_decode(arm.stream->columns, event.value);
    const Place place{event.partition.value, event.offset.value};
    if (!row.ok()) {
      answer_.failed.insert(place);
      return;
    }
    if (!source_.primary_key.empty()) {
      Row key;
      for (const int column : source_.primary_key) key.push_back((*row)[static_cast<size_t>(column)]);
      const auto* op = std::get_if<std::string>(&row->back());
      const bool deletes = op != nullptr && *op == "delete";
      if (!named_.is_view && !named_.changes) return tell(arm, event, *row, to_line(key), deletes);
      replace(arm, event, *row, to_line(key), deletes, place);
    } else {
      process(arm, event, *row, place);
    }
    if (!late_check_) return;
    if (const auto* t = std::get_if<Timestamp>(&(*row)[static_cast<size_t>(arm.stream->watermark_column)])) {
      clocks_.advance(event.partition, t->micros - source_.disorder_us - named_.lateness_us);
    }
  }

  // A derived stream's event: the row, or that the one it told of is gone.
  void tell(const Arm& arm, const LogEvent& event, const Row& row, const std::string& key, bool deletes) {
    auto& made = answer_.made[event.partition.value];
    const size_t before = made.size();
    if (!deletes) process(arm, event, row, {event.partition.value, event.offset.value});
    if (made.size() > before) {
      made.back().push_back(Scalar(std::string("upsert")));
      table_[key] = {};
    } else if (table_.erase(key) > 0) {
      Row gone;
      for (const auto& item : query_.items) {
        const bool of_key =
            item.expr->kind == ExprKind::kColumn && std::ranges::any_of(source_.primary_key, [&](int column) {
              return source_.columns[static_cast<size_t>(column)].name == item.expr->text;
            });
        const RowContext context = context_of(arm, row, event.time, 0);
        gone.push_back(of_key ? *naive_evaluate(*item.expr, context) : Scalar());
      }
      gone.push_back(Scalar(std::string("delete")));
      made.push_back(std::move(gone));
    }
  }

  // The row before leaves those of its windows that have not ended. The new one may fail, whatever comes behind it.
  void replace(const Arm& arm, const LogEvent& event, const Row& row, const std::string& key, bool deletes,
               const Place& place) {
    LastEvent& last = table_[key];
    if (late_check_ && last.event != nullptr) {
      const int64_t watermark = clocks_.watermark(event.partition);
      std::erase_if(last.windows, [&](const NaiveWindow& w) { return *w.start + w.size > watermark; });
      if (!last.windows.empty()) stayed_.push_back(last);
    }
    counted_.clear();
    if (!deletes) process(arm, event, row, place);
    last = {deletes ? nullptr : &event, row, counted_};
  }

  // What counts are the rows that are there in the end, and those that windows had when they ended.
  void take_table() {
    groups_.clear();
    answer_.rows.clear();
    add_empty_groups();
    for (const LastEvent& last : stayed_) count_again(last);
    for (const auto& [key, last] : table_) {
      if (last.event == nullptr) continue;
      if (late_check_)
        count_again(last);
      else
        process(arms_[0], *last.event, last.row, {last.event->partition.value, last.event->offset.value});
    }
  }

  void count_again(const LastEvent& last) {
    RowContext context = context_of(arms_[0], last.row, last.event->time, named_.grouping);
    for (const NaiveWindow& window : last.windows) {
      context.window_start = window.start;
      context.window_size = window.size;
      add(arms_[0], *last.event, last.row, context, window.part);
    }
  }

  // All windows that hold the time, by their ends.
  std::vector<NaiveWindow> windows_of(const Scalar& time) const {
    if (is_null(time)) return {{std::nullopt, size_, {}}};
    const int64_t t = std::get<Timestamp>(time).micros;
    if (sessions_) return {{t, 1, {}}};  // late once the watermark is behind the row itself
    if (step_ == 0) return {{floor_to(t, size_, offset_), size_, {}}};
    std::vector<NaiveWindow> out;
    const int64_t width = cumulates_ ? step_ : std::gcd(step_, size_);
    const NaivePart part{floor_to(t, width, offset_), 0};
    if (cumulates_) {
      const int64_t start = floor_to(t, size_, offset_);
      for (int64_t size = step_; size <= size_; size += step_) {
        if (t < start + size) out.push_back({start, size, part});
      }
      return out;
    }
    for (int64_t start = floor_to(t - size_, step_, offset_); start <= t; start += step_) {
      if (t < start + size_) out.push_back({start, size_, part});
    }
    return out;
  }

  // Whether the conditions of the layers let a row pass, the innermost first.
  bool passes(const Arm& arm, size_t outermost, size_t end, RowContext context, const Place& place) {
    for (size_t layer = end; layer-- > outermost;) {
      const auto& where = arm.layers->layers[layer].select->where;
      if (!where) continue;
      context.reads = &arm.reads[layer];
      auto holds = naive_holds(*where, context);
      if (!holds.ok() && !named_.null_on_error) answer_.failed.insert(place);
      if (!holds.ok() || !*holds) return false;
    }
    return true;
  }

  void process(const Arm& arm, const LogEvent& event, const Row& row, const Place& place) {
    RowContext context = context_of(arm, row, event.time, named_.grouping);
    if (!passes(arm, named_.grouping + 1, arm.reads.size(), context, place)) return;
    std::vector<NaiveWindow> windows(1);
    if (size_ > 0) {
      const auto time = value_of(*query_.from->time, context);
      if (!time.ok()) answer_.failed.insert(place);
      if (!time.ok()) return;
      windows = windows_of(*time);
    }
    context.window_start = windows.front().start;
    if (!passes(arm, grouped_ ? named_.grouping : 0, named_.grouping + 1, context, place)) return;
    const size_t all = windows.size();
    if ((step_ > 0 || sessions_) && !windows.front().start) {
      answer_.no_event_time.insert(place);
      return;
    }
    if (late_check_ && !keeps_windows(event, windows, place)) return;
    bool fine = true;
    for (NaiveWindow& window : windows) {
      window.part.second = all - windows.size();
      context.window_start = window.start;
      context.window_size = window.size;
      fine = grouped_ ? add(arm, event, row, context, window.part) : emit(arm, event, context);
      if (!fine) answer_.failed.insert(place);
    }
    if (fine) counted_ = windows;
  }

  // Takes away the windows that had ended; false: none is left.
  bool keeps_windows(const LogEvent& event, std::vector<NaiveWindow>& windows, const Place& place) {
    if (!windows.front().start) return answer_.no_event_time.insert(place), false;
    const auto take_ended = [&](int64_t watermark) {
      std::erase_if(windows, [&](const NaiveWindow& w) { return *w.start + w.size <= watermark; });
      return windows.empty();
    };
    if (take_ended(clocks_.watermark(event.partition))) return answer_.late.insert(place), false;
    if (!closes_ || scope_.told) return true;
    const int64_t end = *windows.back().start + windows.back().size;
    const bool believed =
        scope_.believed && scope_.believed->contains(place) && end <= clocks_.closed_at_most();
    if (believed || (!scope_.believed && take_ended(clocks_.closed()))) {
      return answer_.closed_while_idle.insert(place), false;
    }
    return true;
  }

  // NULL where a failure gives that.
  Result<Scalar> value_of(const Expr& expr, const RowContext& context) const {
    auto value = naive_evaluate(expr, context);
    return value.ok() || !named_.null_on_error ? std::move(value) : Result<Scalar>(Scalar());
  }

  // A SELECT list's values; none: one fails.
  std::optional<Row> list_of(const Arm& arm, const RowContext& context, bool null_on_error) const {
    Row out;
    const auto take_value = [&](const Expr& expr, const RowContext& of) {
      auto value = naive_evaluate(expr, of);
      const bool fine = value.ok() || null_on_error;
      out.push_back(value.ok() ? std::move(*value) : Scalar());
      return fine;
    };
    RowContext below = context;
    below.reads = arm.reads[0].below;
    for (const auto& item : arm.layers->layers[0].select->items) {
      if (item.expr->kind != ExprKind::kStar) {
        if (!take_value(*item.expr, context)) return std::nullopt;
        continue;
      }
      if (arm.reads[0].values.empty()) out.insert(out.end(), context.row->begin(), context.row->end());
      for (const Expr* value : arm.reads[0].values) {
        if (!take_value(*value, below)) return std::nullopt;
      }
    }
    return out;
  }

  bool emit(const Arm& arm, const LogEvent& event, const RowContext& context) {
    auto list = list_of(arm, context, named_.null_on_error);
    if (!list) return false;
    Row out = std::move(*list);
    if (named_.set != sql::ast::SetOperation::kNone) {
      auto& sides = sides_[to_line(out)];
      (&arm == &arms_[0] ? sides.left : sides.right) = true;
      sides.row = std::move(out);
    } else if (named_.is_view) {
      answer_.rows.push_back({std::move(out)});
    } else {
      answer_.made[event.partition.value].push_back(std::move(out));
    }
    return true;
  }

  // An ordinal or an alias in GROUP BY stands for an item of the list.
  const Expr& group_expr(const Expr& e) const {
    if (e.kind == ExprKind::kNumber) return *query_.items[static_cast<size_t>(std::stoll(e.text)) - 1].expr;
    if (e.kind != ExprKind::kColumn || e.text == "window_start" || e.text == "window_end") return e;
    for (const auto& c : arms_[0].reads[named_.grouping].columns) {
      if (c.name == e.text) return e;
    }
    for (const auto& item : query_.items) {
      if (item.alias.text == e.text) return *item.expr;
    }
    return e;
  }

  bool add(const Arm& arm, const LogEvent& event, const Row& row, const RowContext& context,
           const NaivePart& part) {
    Row keys;
    for (const Expr* expr : keys_) {
      const bool of_window = mentions(*expr, "window_start") || mentions(*expr, "window_end");
      const bool counts = !of_window || (!sessions_ && named_.rows == 0);
      auto value = counts ? value_of(*expr, context) : Result<Scalar>(Scalar());
      if (!value.ok()) return false;
      keys.push_back(std::move(*value));
    }
    Inputs inputs;  // all of them first: a failing row counts nowhere
    for (const Expr* call : calls_) {
      auto input = naive_input(*call, context, named_.null_on_error);
      if (!input.ok()) return false;
      inputs.push_back(std::move(*input));
    }
    const NaiveOrigin origin{event.partition, order_of(arm, event, row)};
    for (size_t set = 0; set < sets_.size(); ++set) {
      const std::string key = key_in(set, keys, context.window_size);
      if (named_.rows > 0) {
        number(key, arm, row, origin, inputs);
      } else if (sessions_) {
        pending_[key].push_back({*context.window_start, set, origin, &arm, row, inputs});
      } else {
        count(key, set, arm, row, {context.window_start, context.window_size, part}, origin, inputs);
      }
    }
    return true;
  }

  std::string key_in(size_t set, const Row& keys, int64_t window_size) const {
    Row key{Scalar(static_cast<int64_t>(set))};
    for (const size_t i : sets_[set].keys) key.push_back(keys[i]);
    if (cumulates_) key.push_back(Scalar(window_size));  // both ends are keys, whichever was written
    return to_line(key);
  }

  void count(const std::string& key, size_t set, const Arm& arm, const Row& row, const NaiveWindow& window,
             const NaiveOrigin& origin, const Inputs& inputs) {
    Group& group = groups_[key];
    group.not_grouped = &sets_[set].without;
    if (group.values.empty()) group.values.resize(calls_.size());
    if (group.first.empty()) {
      group.first = row;
      group.arm = &arm;
      group.window_start = window.start;
      group.window_size = window.size;
    }
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (inputs[i]) group.values[i].push_back({*inputs[i], origin, window.part});
    }
  }

  // A row's number says which windows it is in; one that ends with it is whole.
  void number(const std::string& key, const Arm& arm, const Row& row, const NaiveOrigin& origin,
              const Inputs& inputs) {
    const int64_t n = ++numbers_[key];
    const int64_t width = std::gcd(named_.rows, named_.slide);
    const int64_t pane = (n + width - 1) / width;
    for (int64_t end = (n + named_.slide - 1) / named_.slide * named_.slide; end - named_.rows < n;
         end += named_.slide) {
      const int64_t start = std::max<int64_t>(0, end - named_.rows);
      const std::string window = key + " to " + std::to_string(end);
      count(window, 0, arm, row, {start, end - start, {pane, 0}}, origin, inputs);
      groups_[window].numbered = key;
      if (end > n || named_.is_view) continue;
      if (auto whole = row_of(groups_[window]); whole.passes)
        answer_.made[origin.partition.value].push_back(std::move(whole.row));
    }
  }

  bool is_open(const Group& group) const {
    return named_.rows > 0 && *group.window_start + group.window_size > numbers_.at(group.numbered);
  }
  bool is_gone(const Group& group) const {
    if (named_.retention_rows == 0) return false;
    const int64_t closed = numbers_.at(group.numbered) / named_.slide * named_.slide;
    return *group.window_start + group.window_size + named_.retention_rows <= closed;
  }

  // Sorted by time, a row a gap or more behind the one before begins the next session; doubles are added up in the
  // log's order.
  void make_sessions(const std::string& key, const std::vector<PendingRow>& rows) {
    std::vector<int64_t> times;
    for (const PendingRow& row : rows) times.push_back(row.time);
    std::sort(times.begin(), times.end());
    std::map<int64_t, int64_t> sessions;  // the first time, the last
    for (size_t i = 0; i < times.size(); ++i) {
      const bool begins = i == 0 || times[i] - times[i - 1] >= size_;
      if (begins) sessions.emplace(times[i], times[i]);
      sessions.rbegin()->second = times[i];
    }
    for (const PendingRow& row : rows) {
      const auto& [first, last] = *std::prev(sessions.upper_bound(row.time));
      const NaiveWindow window{first, last + size_ - first, {floor_to(row.time, size_, 0), 0}};
      count(key + " from " + std::to_string(first), row.set, *row.arm, row.row, window, row.origin,
            row.inputs);
    }
  }

  // The time by the watermark's column, then partition and offset. No time is the last one.
  Row order_of(const Arm& arm, const LogEvent& event, const Row& row) const {
    Row order;
    if (source_.watermark_column >= 0) {
      const Scalar& time = row[static_cast<size_t>(arm.stream->watermark_column)];
      order.push_back(is_null(time) ? Scalar(Timestamp{INT64_MAX}) : time);
    }
    order.push_back(Scalar(int64_t{event.partition.value}));
    order.push_back(Scalar(event.offset.value));
    return order;
  }

  static bool holds(const sql::ast::ExprPtr& condition, const RowContext& context) {
    if (!condition) return true;
    const auto holds = naive_holds(*condition, context);
    return holds.ok() && *holds;
  }

  struct GroupRow {
    Row row;
    bool passes = false;  // HAVING, and the conditions of the layers above
  };
  GroupRow row_of(const Group& group) const {
    std::map<const Expr*, Scalar> results;
    for (size_t i = 0; i < calls_.size(); ++i)
      results[calls_[i]] = naive_aggregate(*calls_[i], group.values[i]);
    const Arm& arm = group.arm ? *group.arm : arms_[0];
    RowContext context = context_of(arm, group.first, {}, named_.grouping);
    if (group.first.empty()) context.row = nullptr;
    context.window_start = group.window_start;
    context.window_size = group.window_size;
    context.aggregates = &results;
    context.window_of_rows = named_.rows > 0;
    context.not_grouped = group.not_grouped;
    context.grouped_over = context.reads;
    GroupRow out{{}, holds(query_.having, context)};
    for (size_t layer = named_.grouping; layer-- > 0;) {
      context.reads = &arm.reads[layer];
      out.passes = out.passes && holds(arm.layers->layers[layer].select->where, context);
    }
    out.row = *list_of(arm, context, true);
    return out;
  }

  void show_groups() {
    for (const auto& [key, group] : groups_) {
      if (is_open(group) && named_.full_windows) continue;
      GroupRow row = row_of(group);
      if (is_gone(group)) answer_.gone.push_back(row.row);
      if (is_gone(group) || !row.passes) continue;
      NaiveAnswer::ViewRow out{std::move(row.row)};
      if (closes_) out.window_end = group.window_start.value_or(0) + group.window_size;
      answer_.rows.push_back(std::move(out));
    }
  }

  // UNION, INTERSECT, EXCEPT: each row once.
  void show_set() {
    using sql::ast::SetOperation;
    for (const auto& [line, sides] : sides_) {
      const bool shows = named_.set == SetOperation::kUnion ||
                         (sides.left && sides.right == (named_.set == SetOperation::kIntersect));
      if (shows) answer_.rows.push_back({sides.row});
    }
  }

  const sql::ast::Query& query_;  // the one that groups
  const NaiveQuery& named_;
  const NaiveStream source_;  // all together
  std::deque<Arm> arms_;
  const NaiveScope& scope_;
  NaiveClocks clocks_;
  struct GroupingSet {
    std::set<size_t> keys;
    std::set<std::string> without;  // the texts of all other keys
  };
  std::vector<const Expr*> calls_;
  std::vector<const Expr*> keys_;
  std::vector<GroupingSet> sets_;  // one without GROUPING SETS
  bool grouped_ = false;
  bool late_check_ = false;
  bool closes_ = false;
  bool by_arrival_ = false;      // the window is over PROCTIME()
  int64_t arrived_ = INT64_MIN;  // the last frame
  int64_t size_ = 0;
  int64_t step_ = 0;  // of HOP and CUMULATE
  bool cumulates_ = false;
  bool sessions_ = false;
  int64_t offset_ = 0;
  struct Sides {  // of a set operation: where the row is
    Row row;
    bool left = false;
    bool right = false;
  };
  std::map<std::string, Sides> sides_;
  std::map<std::string, Group> groups_;
  std::map<std::string, int64_t> numbers_;                  // windows of rows: how many a group has had
  std::map<std::string, std::vector<PendingRow>> pending_;  // by the key without the window
  std::vector<NaiveWindow> counted_;                        // of the row at hand
  std::vector<LastEvent> stayed_;                           // rows that went when windows with them had ended
  std::map<std::string, LastEvent> table_;  // by primary key; of a derived stream: the keys that it told of
  NaiveAnswer answer_;
};

}  // namespace

const std::vector<LogEvent>& FinalLog::events(StreamId stream) const {
  static const std::vector<LogEvent> none;
  const auto found = streams.find(stream);
  return found == streams.end() ? none : found->second;
}

NaiveAnswer naive_answer(const NaiveQuery& query, const std::vector<NaiveSource>& sources,
                         const FinalLog& log, const NaiveScope& scope) {
  return Run(query, sources, scope).over(log);
}

}  // namespace millrace::sim
