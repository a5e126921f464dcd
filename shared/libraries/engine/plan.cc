// What a plan looks like to a person (explain), and what it reads.
#include "engine/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "engine/aggregates.h"
#include "engine/read_range.h"

namespace millrace::engine {

std::vector<std::string> names_of(const std::vector<NamedExpr>& exprs) {
  std::vector<std::string> names;
  for (const auto& e : exprs) names.push_back(e.name);
  return names;
}

namespace {

std::string duration(int64_t micros) {
  constexpr int64_t kDay = 86'400'000'000;
  std::string out;
  append_interval(out, Interval{0, static_cast<int32_t>(micros / kDay), micros % kDay});
  return out;
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& c : schema) names.push_back(c.name);
  return names;
}

std::string order_text(const std::vector<SortKey>& keys, const std::vector<std::string>& columns) {
  std::string out;
  for (const SortKey& key : keys) {
    if (!out.empty()) out += ", ";
    out += to_string(*key.expr, columns);
    if (key.descending) out += " DESC";
    if (key.nulls_first != key.descending) out += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return out;
}

Schema schema_of(const std::vector<NamedExpr>& outputs) {
  Schema schema;
  schema.reserve(outputs.size());
  for (const auto& output : outputs) schema.push_back(ColumnDef{output.name, output.expr->type});
  return schema;
}

std::string call_text(const AggregateCall& call, const std::vector<std::string>& columns) {
  std::string arguments = call.argument ? to_string(*call.argument, columns) : "*";
  if (call.parameter) arguments += ", " + to_string(*call.parameter, columns);
  if (call.descending) arguments += " DESC";
  if (!call.order_by.empty()) arguments += " ORDER BY " + order_text(call.order_by, columns);
  return fmt::format("{}({}{})", aggregate_name(call), call.distinct ? "DISTINCT " : "", arguments);
}

// "expr" where the name says nothing new, "expr AS name" elsewhere.
std::string named_text(const NamedExpr& e, const std::vector<std::string>& columns) {
  std::string text = to_string(*e.expr, columns);
  return text == e.name ? text : fmt::format("{} AS {}", text, e.name);
}

std::string list_text(const std::vector<NamedExpr>& exprs, const std::vector<std::string>& columns) {
  std::string out;
  for (const auto& e : exprs) {
    if (!out.empty()) out += ", ";
    out += named_text(e, columns);
  }
  return out;
}

// Lines of the tree, the root first; each is indented by its depth.
class Tree {
 public:
  void add(std::string line) {
    text_ += std::string(2 * depth_, ' ') + (depth_ == 0 ? "" : "-> ") + std::move(line) + "\n";
    ++depth_;
  }
  size_t depth() const { return depth_; }
  void back_to(size_t depth) { depth_ = depth; }
  std::string take() {
    if (!text_.empty()) text_.pop_back();
    return std::move(text_);
  }

 private:
  std::string text_;
  size_t depth_ = 0;
};

void collect_columns(const ExprPtr& expr, std::vector<bool>& used) {
  if (!expr) return;
  if (expr->op == Op::kColumn) used[static_cast<size_t>(expr->column)] = true;
  for (const auto& arg : expr->args) collect_columns(arg, used);
}

std::vector<std::string> source_names(const QueryPlan& plan) {
  std::vector<std::string> names;
  for (const int c : plan.read_columns) names.push_back(plan.source->columns[static_cast<size_t>(c)].name);
  return names;
}

std::vector<std::string> group_row_names(const QueryPlan& plan, const std::vector<std::string>& source) {
  std::vector<std::string> names;
  for (const auto& key : plan.group_keys) {
    // A key that is called by what it computes stands in parentheses where it is part of something else.
    const bool computed = key.expr->op != Op::kColumn && key.name == to_string(*key.expr, source);
    names.push_back(computed ? "(" + key.name + ")" : key.name);
  }
  for (const auto& call : plan.aggregates) names.push_back(call_text(call, source));
  return names;
}

std::string start_text(const QueryPlan& plan) {
  if (plan.start == QueryPlan::Start::kOldest) return "from the oldest kept event";
  if (plan.start == QueryPlan::Start::kNow) return "from its creation";
  std::string at;
  append_timestamp(at, Timestamp{plan.start_time.value});
  return "from " + at;
}

std::string_view on_error_text(const QueryPlan& plan) {
  return plan.on_error == OnError::kNull ? "; what fails is NULL" : "";
}

std::string changes_stream_text(const StreamDef& made) {
  if (!made.updating()) return fmt::format("changelog, {} says what a row is; ", kChangelogColumn);
  std::string key;
  for (const int column : made.primary_key)
    key += (key.empty() ? "" : ", ") + made.columns[static_cast<size_t>(column)].name;
  return fmt::format("upserts by {}; ", key);
}

std::string root_text(const QueryPlan& plan) {
  if (plan.output_stream) {
    const StreamDef& made = *plan.output_stream;
    std::string rows = plan.emit_on_close ? "append-only, final rows on window close; " : "";
    if (plan.writes_changes()) rows = changes_stream_text(made);
    if (plan.emit_on_close && made.watermark_column >= 0)
      rows += fmt::format("watermark {}; ", made.columns[static_cast<size_t>(made.watermark_column)].name);
    return fmt::format("Stream {} (partitions {}; {}{}{})", plan.name, made.partitions, rows,
                       start_text(plan), on_error_text(plan));
  }
  std::string emits = plan.emit_on_close ? "final rows on window close" : "up to date at once";
  if (plan.emit_every_us > 0) emits += ", changes told every " + duration(plan.emit_every_us);
  if (plan.view_retention_us > 0) emits += "; windows kept for " + duration(plan.view_retention_us);
  if (plan.retention_rows > 0) emits += fmt::format("; windows kept for {} rows", plan.retention_rows);
  return fmt::format("Materialized view {} ({}; {}{})", plan.name, emits, start_text(plan),
                     on_error_text(plan));
}

std::string_view window_name(WindowSpec::Kind kind) {
  switch (kind) {
    case WindowSpec::Kind::kTumble:
      return "TUMBLE";
    case WindowSpec::Kind::kHop:
      return "HOP";
    case WindowSpec::Kind::kCumulate:
      return "CUMULATE";
    case WindowSpec::Kind::kSession:
      break;
  }
  return "SESSION";
}

// What a window's start or end is, where the group key is but that of a pane.
std::string window_call(const QueryPlan& plan, const NamedExpr& key, const std::vector<std::string>& source) {
  const WindowSpec& window = plan.window;
  std::string out(window_name(window.kind));
  out += key.expr->op == Op::kTumbleStart ? "_START(" : "_END(";
  out += to_string(*key.expr->args[0], source);
  for (const int64_t micros : {window.step_us, window.size_us, window.offset_us}) {
    if (micros == 0) continue;
    out += ", INTERVAL '";
    append_interval(out, Interval{0, 0, micros});  // as a literal is written: without days
    out += "'";
  }
  return out + ") AS " + key.name;
}

std::string windows_text(const QueryPlan& plan) {
  const WindowSpec& window = plan.window;
  if (window.is_session()) return "sessions with gaps below " + duration(window.size_us);
  std::string out = "windows of " + duration(window.size_us);
  if (!window.shares_panes()) return out;
  out += window.kind == WindowSpec::Kind::kHop ? " every " : " by steps of ";
  return out + duration(window.step_us) + ", panes of " + duration(window.pane_us());
}

std::string counts_text(const CountWindow& window) {
  std::string out = fmt::format("windows of {} rows", window.size);
  if (window.shares_panes()) out += fmt::format(" every {}, panes of {}", window.slide, window.pane_rows());
  return out;
}

std::string keys_text(const QueryPlan& plan, const std::vector<std::string>& source) {
  std::string out;
  for (size_t i = 0; i < plan.group_keys.size(); ++i) {
    const int key = static_cast<int>(i);
    if (key == plan.set_key) continue;
    const bool window = plan.window.made_of_panes() && (key == plan.window_key || key == plan.window_end_key);
    if (!out.empty()) out += ", ";
    out += window ? window_call(plan, plan.group_keys[i], source) : named_text(plan.group_keys[i], source);
  }
  return out.empty() ? "nothing" : out;
}

std::string sets_text(const QueryPlan& plan) {
  std::string out;
  for (const int64_t set : plan.grouping_sets) {
    std::string names;
    for (size_t i = 0; i < plan.group_keys.size(); ++i) {
      if (static_cast<int>(i) == plan.set_key || (set >> i & 1) != 0) continue;
      names += (names.empty() ? "" : ", ") + plan.group_keys[i].name;
    }
    out += fmt::format("{}({})", out.empty() ? " in the sets " : ", ", names);
  }
  return out;
}

std::string aggregate_text(const QueryPlan& plan, const std::vector<std::string>& source) {
  std::string calls;
  for (const auto& call : plan.aggregates) calls += (calls.empty() ? "" : ", ") + call_text(call, source);
  if (calls.empty()) calls = "nothing (distinct groups)";
  if (plan.group_keys.empty()) return fmt::format("Aggregate {} over all rows", calls);
  return fmt::format("Aggregate {} by {}{}", calls, keys_text(plan, source), sets_text(plan));
}

std::string late_check_text(const QueryPlan& plan) {
  const StreamDef& from = *plan.source;
  std::string out = fmt::format("Late check on {}, {}, disorder {}",
                                from.columns[static_cast<size_t>(from.watermark_column)].name,
                                windows_text(plan), duration(from.disorder_us));
  if (plan.allowed_lateness_us > 0) out += ", lateness " + duration(plan.allowed_lateness_us);
  if (plan.late_stream) out += ", late events to " + plan.late_stream->name;
  return out;
}

std::string changes_text(const QueryPlan& plan) {
  std::string key;
  for (const int column : plan.source->primary_key)
    key += (key.empty() ? "" : ", ") + plan.source->columns[static_cast<size_t>(column)].name;
  const bool rows = plan.shape != QueryPlan::Shape::kAggregate;
  return fmt::format("{} {} (updating: {} has a primary key)",
                     rows ? "Replace rows by" : "Retract the last row of each", key, plan.source->name);
}

void add_decode(Tree& tree, const StreamDef& from, const std::vector<std::string>& names) {
  std::string columns;
  for (const auto& name : names) columns += (columns.empty() ? "" : ", ") + name;
  tree.add(fmt::format("Decode {} ({}; partitions {})", from.name, columns.empty() ? "no columns" : columns,
                       from.partitions));
}

void add_arms(Tree& tree, const QueryPlan& plan) {
  tree.add(fmt::format("Union all (partitions {})", plan.source->partitions));
  const size_t depth = tree.depth();
  for (const UnionArm& arm : plan.arms) {
    tree.back_to(depth);
    const auto names = names_of(arm.source->columns);
    std::vector<NamedExpr> outputs;
    for (const int c : plan.read_columns) {
      const auto column = static_cast<size_t>(c);
      outputs.push_back({plan.source->columns[column].name, arm.outputs[column]});
    }
    if (!outputs.empty()) tree.add("Output " + list_text(outputs, names));
    if (arm.filter) tree.add("Filter " + to_string(*arm.filter, names));
    std::vector<std::string> read;
    for (const int c : read_columns(arm, plan.read_columns)) read.push_back(names[static_cast<size_t>(c)]);
    add_decode(tree, *arm.source, read);
  }
}

void add_source(Tree& tree, const QueryPlan& plan, const std::vector<std::string>& source) {
  if (plan.count_window.any()) tree.add("Assign " + counts_text(plan.count_window));
  if (plan.filter) tree.add("Filter " + to_string(*plan.filter, source));
  const StreamDef& from = *plan.source;
  if (plan.closes_windows()) {
    tree.add(late_check_text(plan));
  } else if (plan.window_key >= 0) {
    tree.add("Assign " + windows_text(plan) + (plan.processing_time() ? ", closed by append times" : ""));
  }
  if (plan.updating()) tree.add(changes_text(plan));
  if (!plan.arms.empty()) return add_arms(tree, plan);
  add_decode(tree, from, source);
}

std::string limit_text(const SelectPlan& plan) {
  std::string out = plan.limit ? fmt::format("Limit {}", *plan.limit) : "No limit";
  if (plan.offset > 0) out += fmt::format(" offset {}", plan.offset);
  return out;
}

std::string_view name_of(const SetPlan& set) {
  switch (set.operation) {
    case SetOperation::kUnion:
      return set.all ? "Union all" : "Union";
    case SetOperation::kIntersect:
      return set.all ? "Intersect all" : "Intersect";
    case SetOperation::kExcept:
      return set.all ? "Except all" : "Except";
  }
  return "?";
}

std::string range_text(const SelectPlan& plan) {
  const std::string range = read_range(plan).to_string();
  return range.empty() ? range : ": " + range;
}

std::string origin_text(const SelectPlan& plan) {
  if (plan.view) return fmt::format("Read view {} (from its state)", plan.view->name);
  if (plan.dead_letters) return fmt::format("Read dead_letters (from the log, bounded{})", range_text(plan));
  if (plan.stream)
    return fmt::format("Read stream {} (from the log, bounded{})", plan.stream->name, range_text(plan));
  if (!plan.values.empty()) return fmt::format("Values ({} rows)", plan.values.size());
  if (plan.set) return std::string(name_of(*plan.set));
  return "One row";
}

bool any_part(const ExprPtr& expr, const auto& is) {
  if (!expr) return false;
  return is(*expr) || std::ranges::any_of(expr->args, [&](const ExprPtr& arg) { return any_part(arg, is); });
}

bool reads_append_time(const ExprPtr& expr) {
  return any_part(expr, [](const Expr& part) { return part.op == Op::kProctime; });
}

// The order of rows decides what it gives; or doubles are added up partition by partition.
bool call_needs_origins(const AggregateCall& call) {
  const bool doubles = call.argument && physical(call.argument->type) == Physical::kDouble;
  const bool sums =
      call.kind == AggregateKind::kSum || call.kind == AggregateKind::kAvg || is_variance(call.kind);
  bool needs = is_ordered(call.kind) || is_of_pairs(call.kind) || (doubles && sums);
  call.each_expr([&](const ExprPtr& expr) { needs = needs || reads_append_time(expr); });
  return needs;
}

// The lines of a tree of SELECTs. What is computed once is written once.
class SelectLines {
 public:
  std::string of(const SelectPlan& plan) {
    add(plan);
    return tree_.take();
  }

 private:
  void add(const SelectPlan& plan) {
    const bool again = !seen_.insert(&plan).second;
    tree_.add(again ? "Select (the rows of that above)" : plan.distinct ? "Select distinct" : "Select");
    if (again) return;
    const auto read = names_of(plan.read_schema());
    const auto columns = plan.grouping ? group_row_names(*plan.grouping, read) : read;
    if (plan.limit || plan.offset > 0) tree_.add(limit_text(plan));
    if (!plan.order_by.empty()) {
      auto sort_columns = columns;
      for (const auto& name : names_of(plan.outputs)) sort_columns.push_back(name);
      tree_.add("Sort by " + order_text(plan.order_by, sort_columns));
    }
    tree_.add("Output " + list_text(plan.outputs, columns));
    if (plan.grouping) {
      if (plan.grouping->having) tree_.add("Having " + to_string(*plan.grouping->having, columns));
      tree_.add(aggregate_text(*plan.grouping, read));
    }
    if (plan.filter) tree_.add("Filter " + to_string(*plan.filter, read));
    add_origin(plan);
  }

  void add_origin(const SelectPlan& plan) {
    if (plan.input) return add(*plan.input);
    tree_.add(origin_text(plan));
    if (!plan.set) return;
    const size_t depth = tree_.depth();
    add(*plan.set->left);
    tree_.back_to(depth);
    add(*plan.set->right);
  }

  Tree tree_;
  std::unordered_set<const SelectPlan*> seen_;
};

}  // namespace

const Schema& system_columns() {
  static const Schema columns{
      {"_partition", Type::kInteger}, {"_offset", Type::kBigint}, {"_time", Type::kTimestamptz}};
  return columns;
}

bool names_column_from(const ExprPtr& expr, int column) {
  return any_part(expr, [&](const Expr& part) { return part.op == Op::kColumn && part.column >= column; });
}

std::vector<int> read_columns(const UnionArm& arm, const std::vector<int>& outputs) {
  std::vector<bool> used(arm.source->columns.size());
  collect_columns(arm.filter, used);
  for (const int output : outputs) collect_columns(arm.outputs[static_cast<size_t>(output)], used);
  std::vector<int> columns;
  for (size_t c = 0; c < used.size(); ++c) {
    if (used[c]) columns.push_back(static_cast<int>(c));
  }
  return columns;
}

std::vector<StreamPtr> QueryPlan::sources() const {
  if (arms.empty()) return {source};
  std::vector<StreamPtr> out;
  for (const UnionArm& arm : arms) {
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const auto& s) { return s->id == arm.source->id; });
    if (!known) out.push_back(arm.source);
  }
  return out;
}

bool QueryPlan::reads(StreamId stream) const {
  if (arms.empty()) return source->id == stream;
  return std::any_of(arms.begin(), arms.end(), [&](const UnionArm& arm) { return arm.source->id == stream; });
}

const UnionArm* QueryPlan::arm_of(PartitionId partition) const {
  const auto behind = std::find_if(arms.rbegin(), arms.rend(), [&](const UnionArm& arm) {
    return arm.first_partition <= partition.value;
  });
  return behind == arms.rend() ? nullptr : &*behind;
}

bool QueryPlan::in_every_set(size_t key) const {
  return std::none_of(grouping_sets.begin(), grouping_sets.end(),
                      [&](int64_t set) { return (set >> key & 1) != 0; });
}

bool QueryPlan::closes_windows() const {
  if (window_key < 0 || source->watermark_column < 0) return false;
  const Expr& time = *group_keys[static_cast<size_t>(window_key)].expr->args[0];
  return time.op == Op::kColumn && read_columns[static_cast<size_t>(time.column)] == source->watermark_column;
}

bool QueryPlan::processing_time() const {
  return window_key >= 0 && group_keys[static_cast<size_t>(window_key)].expr->args[0]->op == Op::kProctime;
}

Schema StreamDef::row_columns() const {
  Schema out = columns;
  if (updating()) out.resize(static_cast<size_t>(op_column));
  return out;
}

bool QueryPlan::orders_windows(const Expr& output) const {
  const auto is_key = [](const Expr& e, int key) {
    return key >= 0 && e.op == Op::kColumn && e.column == key;
  };
  if (is_key(output, window_end_key)) return true;
  if (is_key(output, window_key)) return !window.is_session();
  // TUMBLE, HOP: their end is the start and the size.
  const auto* size = output.op == Op::kTimestampPlusInterval && output.args[1]->op == Op::kLiteral
                         ? std::get_if<Interval>(&output.args[1]->literal)
                         : nullptr;
  return size != nullptr && *size == Interval{0, 0, window.size_us} && window_end_key < 0 &&
         is_key(*output.args[0], window_key);
}

Schema QueryPlan::output_schema() const {
  return schema_of(outputs);
}

Schema QueryPlan::row_columns() const {
  return output_stream ? output_stream->row_columns() : output_schema();
}

std::string_view to_string(RowEncoding encoding) {
  switch (encoding) {
    case RowEncoding::kNone:
      return "json";
    case RowEncoding::kAvro:
      return "avro";
    case RowEncoding::kProtobuf:
      return "protobuf";
  }
  return "";
}

std::string QueryPlan::explain() const {
  const auto source_columns = source_names(*this);
  Tree tree;
  tree.add(root_text(*this));
  if (shape != Shape::kAggregate) {
    tree.add("Output " + list_text(outputs, source_columns));
  } else {
    const auto group_columns = group_row_names(*this, source_columns);
    tree.add("Output " + list_text(outputs, group_columns));
    if (having) tree.add("Having " + to_string(*having, group_columns));
    tree.add(aggregate_text(*this, source_columns));
    if (repartition) tree.add(fmt::format("Repartition by the group (partitions {})", source->partitions));
  }
  add_source(tree, *this, source_columns);
  return tree.take();
}

bool SelectPlan::needs_origins() const {
  const auto reads = [](const auto& part) { return reads_append_time(part.expr); };
  const auto any = [&](const auto& parts) { return std::any_of(parts.begin(), parts.end(), reads); };
  if (reads_append_time(filter)) return true;
  if (!grouping) return any(outputs) || any(order_by);
  const auto& calls = grouping->aggregates;
  return any(grouping->group_keys) || std::any_of(calls.begin(), calls.end(), call_needs_origins);
}

bool SelectPlan::reads_from(int column) const {
  const auto reads = [&](const auto& part) { return names_column_from(part.expr, column); };
  if (names_column_from(filter, column)) return true;
  if (!grouping) return std::ranges::any_of(outputs, reads);
  if (std::ranges::any_of(grouping->group_keys, reads)) return true;
  return std::ranges::any_of(grouping->aggregates, [&](const AggregateCall& call) {
    bool found = false;
    call.each_expr([&](const ExprPtr& expr) { found = found || names_column_from(expr, column); });
    return found;
  });
}

Schema SelectPlan::output_schema() const {
  return schema_of(outputs);
}

Schema SelectPlan::read_schema() const {
  if (view) return view->output_schema();
  if (input) return input->output_schema();
  if (set) return set->left->output_schema();
  Schema schema;
  if (stream || dead_letters) {
    schema = (stream ? stream : dead_letters)->columns;
    if (system_columns)
      schema.insert(schema.end(), engine::system_columns().begin(), engine::system_columns().end());
  }
  for (size_t i = 0; !values.empty() && i < values.front().size(); ++i)
    schema.push_back(ColumnDef{fmt::format("column{}", i + 1), values.front()[i]->type});
  return schema;
}

std::string SelectPlan::explain() const {
  return SelectLines().of(*this);
}

}  // namespace millrace::engine
