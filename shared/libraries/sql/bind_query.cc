// CREATE MATERIALIZED VIEW and CREATE STREAM … AS: from a query to the plan that the engine runs for ever.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/group_partition.h"
#include "sql/binder.h"
#include "sql/errors.h"
#include "sql/flatten.h"
#include "sql/options.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::NamedExpr;
using engine::Op;
using engine::QueryPlan;
using engine::StreamDef;
using engine::StreamPtr;
using Emit = ast::CreateQuery::Emit;

namespace {

void collect_columns(const ExprPtr& expr, std::vector<int>& out) {
  if (!expr) return;
  if (expr->op == Op::kColumn) out.push_back(expr->column);
  for (const auto& arg : expr->args) collect_columns(arg, out);
}

class QueryBinder {
 public:
  QueryBinder(const ast::CreateQuery& tree, const BindContext& context) : tree_(tree), context_(context) {}

  Result<CreateQuery> run() {
    TRY(check_new_name(context_, tree_.name, tree_.if_not_exists || tree_.or_replace));
    TRY(bind_query());
    TRY(check_emit());
    if (!is_view()) TRY(check_stream());
    TRY(bind_every());
    if (tree_.late_to) TRY(bind_late_stream());
    TRY(narrow());
    return finish();
  }

 private:
  bool is_view() const { return tree_.kind == ObjectKind::kView; }

  Status bind_query() {
    TRY_ASSIGN(FlatQuery flat, flatten(tree_.query, context_));
    if (flat.windows.has_many_windows()) TRY(check_windows(*flat.window_from, flat.windows, flat.plan));
    plan_ = std::move(flat.plan);
    closes_windows_ = flat.closes_windows;
    if (plan_.shape != QueryPlan::Shape::kAggregate && !is_view()) plan_.shape = QueryPlan::Shape::kStream;
    return {};
  }

  // A stream takes rows as they come, groups once their window is closed, or the changes of groups.
  Status check_stream() {
    const bool changes = tree_.emit == Emit::kChanges || tree_.emit == Emit::kEvery;
    if (plan_.shape == QueryPlan::Shape::kAggregate) {
      if (plan_.emit_on_close) return {};
      if ((closes_windows_ || plan_.count_key >= 0) && !changes) return final_or_changes();
      writes_changes_ = true;
      return check_changes(tree_, plan_);
    }
    if (!changes) return {};
    return unsupported_at(tree_.emit_span, "EMIT belongs to a query that groups",
                          "take it away: its rows go out as they come");
  }

  Error final_or_changes() const {
    const bool grouped = tree_.query.group_span.length > 0;
    const SourceSpan& span = grouped ? tree_.query.group_span : tree_.query.span;
    if (plan_.count_key >= 0) {
      return error_at(Code::kUnsupported, kNeverFinal, span,
                      "windows of rows in CREATE STREAM … AS need EMIT ON WINDOW CLOSE",
                      "a window's row is written with the last one that it counts");
    }
    return error_at(
        Code::kUnsupported, kNeverFinal, span,
        "windows in CREATE STREAM … AS need EMIT ON WINDOW CLOSE or EMIT CHANGES",
        "ON WINDOW CLOSE writes a window's rows once, when they are final; CHANGES writes them again "
        "whenever they change");
  }

  Status check_emit() {
    if (plan_.emit_on_close && (tree_.emit == Emit::kChanges || tree_.emit == Emit::kEvery)) {
      return unsupported_at(tree_.emit_span,
                            "what this view reads shows a window once it is final, and so does it",
                            "leave EMIT out");
    }
    plan_.emit_on_close |= tree_.emit == Emit::kOnClose;  // or that of the view that it reads
    if (!plan_.emit_on_close || closes_windows_ || plan_.count_key >= 0) return {};
    if (plan_.source->watermark_column < 0) {
      return invalid_at(kNeedsWindow, tree_.emit_span,
                        fmt::format("EMIT ON WINDOW CLOSE needs a watermark, and the stream \"{}\" has none",
                                    plan_.source->name),
                        "declare one: WATERMARK FOR column AS column - INTERVAL '10 minutes'");
    }
    const std::string& column =
        plan_.source->columns[static_cast<size_t>(plan_.source->watermark_column)].name;
    return invalid_at(kNeedsWindow, tree_.emit_span, "EMIT ON WINDOW CLOSE needs a GROUP BY over a window",
                      fmt::format("write FROM TUMBLE({}, {}, INTERVAL '1 hour') GROUP BY window_start",
                                  plan_.source->name, column));
  }

  // A throttle of what subscribers hear; rows without groups are never told again.
  Status bind_every() {
    if (tree_.emit != Emit::kEvery) return {};
    TRY_ASSIGN(plan_.emit_every_us, constant_interval_us(*tree_.every, "EMIT EVERY"));
    if (plan_.emit_every_us <= 0)
      return invalid_at(kBadLiteral, tree_.every->span, "EMIT EVERY takes an interval above zero",
                        "write EMIT EVERY INTERVAL '1 second'");
    if (plan_.shape == QueryPlan::Shape::kAggregate) return {};
    return unsupported_at(tree_.emit_span, "EMIT EVERY needs a GROUP BY: each row of this view is told once",
                          "take it away, or group");
  }

  // Of windows over PROCTIME() no row is late.
  bool has_late_rows() const { return closes_windows_ && !plan_.processing_time(); }

  Status bind_late_stream() {
    if (!has_late_rows()) {
      return invalid_at(kNeedsWindow, tree_.late_to.span,
                        "LATE DATA TO needs a GROUP BY over a window of the watermark's column",
                        "write FROM TUMBLE(stream, column, INTERVAL '1 hour') GROUP BY window_start");
    }
    if (!plan_.arms.empty()) {
      return unsupported_at(tree_.late_to.span, "LATE DATA TO of a UNION ALL is not supported",
                            "its late events go to dead_letters; or make a view of each part");
    }
    TRY_ASSIGN(plan_.late_stream, sql::bind_late_stream(context_, tree_.late_to, *plan_.source));
    return {};
  }

  // Keeps only the columns that the query reads, and counts in them from here on.
  Status narrow() {
    std::vector<int>& used = plan_.read_columns;
    if (!context_.catalog.options().optimize) {
      used.resize(plan_.source->columns.size());
      std::iota(used.begin(), used.end(), 0);
    }
    if (plan_.updating()) {
      used.insert(used.end(), plan_.source->primary_key.begin(), plan_.source->primary_key.end());
      used.push_back(plan_.source->op_column);
    }
    collect_columns(plan_.filter, used);
    for (const auto& key : plan_.group_keys) collect_columns(key.expr, used);
    for (const auto& call : plan_.aggregates) {
      call.each_expr([&](const ExprPtr& expr) { collect_columns(expr, used); });
    }
    const bool grouped = plan_.shape == QueryPlan::Shape::kAggregate;
    for (const auto& output : plan_.outputs) {
      if (!grouped) collect_columns(output.expr, used);
    }
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    ColumnMap map = ColumnMap::to_places(used);
    plan_.filter = map.apply(plan_.filter);
    for (auto& key : plan_.group_keys) key.expr = map.apply(key.expr);
    for (auto& call : plan_.aggregates) {
      call.each_expr([&](ExprPtr& expr) { expr = map.apply(expr); });
    }
    if (!is_view()) bind_output_stream();
    if (grouped) return {};
    if (plan_.updating() && !is_view()) TRY(bind_output_key());
    for (auto& output : plan_.outputs) output.expr = map.apply(output.expr);
    return {};
  }

  // The derived stream keeps key and watermark if their columns are selected as they are. Of windows the watermark's
  // column is the first that is a time by which their rows are in order.
  void bind_output_stream() {
    const StreamDef& source = *plan_.source;
    const bool grouped = plan_.shape == QueryPlan::Shape::kAggregate;
    output_.kind = engine::StreamKind::kDerived;
    output_.partitions = source.partitions;
    for (size_t i = 0; i < plan_.outputs.size(); ++i) {
      const Expr& expr = *plan_.outputs[i].expr;
      output_.columns.push_back({plan_.outputs[i].name, expr.type});
      const bool column = expr.op == Op::kColumn;
      const bool key = column && expr.column == (grouped ? partition_key() : source.key_column);
      const bool time = grouped ? plan_.emit_on_close && plan_.orders_windows(expr)
                                : column && expr.column == source.watermark_column;
      if (key && output_.key_column < 0) output_.key_column = static_cast<int>(i);
      if (time && output_.watermark_column < 0) output_.watermark_column = static_cast<int>(i);
    }
    const bool has_watermark = output_.watermark_column >= 0;
    output_.watermark_told = has_watermark && (grouped || source.watermark_told);
    if (has_watermark && !grouped) output_.disorder_us = source.disorder_us;
    output_.idle_timeout_us = grouped ? 0 : source.idle_timeout_us;
  }

  // The group key by which the groups are spread over the partitions; -1: by all of them, put together.
  int partition_key() const { return plan_.repartition ? -1 : engine::partition_key_of(plan_); }

  // Over an updating stream it is one, too: its primary key has to be in its rows.
  Status bind_output_key() {
    const StreamDef& source = *plan_.source;
    for (const int column : source.primary_key) {
      const auto shows = [&](const NamedExpr& o) {
        return o.expr->op == Op::kColumn && o.expr->column == column;
      };
      const auto found = std::ranges::find_if(plan_.outputs, shows);
      const std::string& name = source.columns[static_cast<size_t>(column)].name;
      if (found == plan_.outputs.end()) {
        return invalid_at(
            kBadPrimaryKey, tree_.query.span,
            fmt::format("column \"{}\" of the primary key of \"{}\" is not selected as it is", name,
                        source.name),
            fmt::format("add {} to the SELECT list: the derived stream has the same key", name));
      }
      output_.primary_key.push_back(static_cast<int>(found - plan_.outputs.begin()));
    }
    return add_op_column(output_, tree_.query.span);
  }

  Result<CreateQuery> finish() {
    for (const auto& option : tree_.options) TRY(is_view() ? view_option(option) : stream_option(option));
    TRY(check_encoding());
    if (writes_changes_) TRY((changelog_ ? bind_changelog : bind_upserts)(tree_, plan_, output_));
    plan_.name = output_.name = tree_.name.text;
    plan_.tenant = output_.tenant = context_.tenant;
    plan_.sql = std::string(context_.text);
    plan_.options = context_.catalog.options();
    if (plan_.repartition) plan_.repartition_topic = repartition_topic();
    CreateQuery out;
    if (!is_view()) {
      plan_.output_stream = std::make_shared<StreamDef>(output_);
      out.output = std::move(output_);
    }
    out.plan = std::move(plan_);
    out.if_not_exists = tree_.if_not_exists;
    out.or_replace = tree_.or_replace;
    return out;
  }

  StreamPtr repartition_topic() const {
    auto topic = std::make_shared<StreamDef>();
    topic->tenant = context_.tenant;
    topic->name = tree_.name.text + "/repartition";  // no stream of a user has a slash
    topic->kind = engine::StreamKind::kRepartition;
    topic->partitions = plan_.source->partitions;
    topic->idle_timeout_us = plan_.source->idle_timeout_us;
    return topic;
  }

  Status start_option(const ast::Option& option) {
    if (option.value == "oldest" || option.value == "now") {
      plan_.start = option.value == "now" ? QueryPlan::Start::kNow : QueryPlan::Start::kOldest;
      return {};
    }
    const auto time = parse_timestamp(option.value);
    if (!time.ok()) {
      return invalid_at(kBadOption, option.value_span, "option \"start\" takes 'oldest', 'now' or a time",
                        "write a time like '2001-01-01T00:00:00Z'");
    }
    plan_.start = QueryPlan::Start::kTime;
    plan_.start_time = AppendTime(time->micros);
    return {};
  }

  // schema, format, … False: the option is about something else.
  Result<bool> encoding_option(const ast::Option& option) {
    if (option.name.text != "format") return schema_option(option, plan_.encoded.schema);
    TRY(option_one_of(option, {"json", "avro", "protobuf"}));
    using engine::RowEncoding;
    for (const RowEncoding encoding : {RowEncoding::kAvro, RowEncoding::kProtobuf})
      if (option.value == to_string(encoding)) plan_.encoded.encoding = encoding;
    return true;
  }

  Status check_encoding() const {
    const auto& [encoding, schema] = plan_.encoded;
    TRY(check_schema_named(tree_.options, schema));
    if ((encoding == engine::RowEncoding::kNone) == schema.subject.empty()) return {};
    if (schema.subject.empty())
      return invalid_at(kBadOption, ast::find_option(tree_.options, "format")->value_span,
                        fmt::format("rows as \"{}\" need a subject for their schema", to_string(encoding)),
                        "add schema = 'SUBJECT'");
    return invalid_at(kBadOption, ast::find_option(tree_.options, "schema")->value_span,
                      "a schema for rows needs a format", "add format = 'avro', or 'protobuf'");
  }

  Status on_error_option(const ast::Option& option) {
    if (option.value != "dead_letter" && option.value != "null") {
      return invalid_at(kBadOption, option.value_span,
                        fmt::format("option \"on_error\" has no value \"{:.60}\"", option.value),
                        "it is 'dead_letter' (the row is left out) or 'null' (the expression is NULL)");
    }
    plan_.on_error = option.value == "null" ? engine::OnError::kNull : engine::OnError::kDeadLetter;
    if (plan_.on_error == engine::OnError::kNull && !plan_.views.empty()) {
      return unsupported_at(option.name.span, "on_error = 'null' of a query over a view is not supported",
                            "it would show rows that the view leaves out: read the view's stream");
    }
    return {};
  }

  Status view_option(const ast::Option& option) {
    const std::string& name = option.name.text;
    if (name == "start") return start_option(option);
    if (name == "on_error") return on_error_option(option);
    if (name == "allowed_lateness") return lateness_option(option);
    if (name == "retention_rows") return retention_rows_option(option);
    TRY_ASSIGN(const bool of_encoding, encoding_option(option));
    if (of_encoding) return {};
    if (name != "retention")
      return unknown_option(option,
                            {"start", "retention", "retention_rows", "allowed_lateness", "on_error", "format",
                             "schema", "schema_version", "schema_id"},
                            "a view");
    TRY_ASSIGN(plan_.view_retention_us, option_duration_us(option));
    if (plan_.view_retention_us == 0 || closes_windows_) return {};
    if (plan_.count_key >= 0)
      return invalid_at(kNeedsWindow, option.name.span, "windows of rows are kept by rows, not by time",
                        "write retention_rows = 1000");
    return needs_window(option, "a view's retention");
  }

  Status retention_rows_option(const ast::Option& option) {
    TRY_ASSIGN(plan_.retention_rows, option_integer(option, 0, engine::kMaxWindowRows));
    if (plan_.retention_rows == 0 || plan_.count_key >= 0) return {};
    return invalid_at(kNeedsWindow, option.name.span,
                      "a view's retention_rows needs a GROUP BY over a window of rows",
                      "write FROM TUMBLE(stream, ROWS 100) GROUP BY window_start");
  }

  Status lateness_option(const ast::Option& option) {
    TRY_ASSIGN(plan_.allowed_lateness_us, option_duration_us(option));
    if (plan_.allowed_lateness_us == 0 || has_late_rows()) return {};
    return needs_window(option, "allowed lateness");
  }

  static Error needs_window(const ast::Option& option, std::string_view what) {
    return invalid_at(kNeedsWindow, option.name.span,
                      fmt::format("{} needs a GROUP BY over a window of the watermark's column", what),
                      "write FROM TUMBLE(stream, column, INTERVAL '1 hour') GROUP BY window_start");
  }

  Status stream_option(const ast::Option& option) {
    const std::string& name = option.name.text;
    if (name == "start") return start_option(option);
    if (name == "on_error") return on_error_option(option);
    if (name == "key" || name == "partitions") {
      return unsupported_at(option.name.span,
                            fmt::format("option \"{}\" of a derived stream follows from its source", name),
                            "take it away");
    }
    if (name == "allowed_lateness") return lateness_option(option);
    if (name == "idle_timeout") {
      if (output_.watermark_told) {
        return unsupported_at(option.name.span,
                              "option \"idle_timeout\" of a stream of closed windows has no meaning",
                              "its query tells its watermark, so that no partition is waited for");
      }
      TRY_ASSIGN(output_.idle_timeout_us, option_duration_us(option));
      return {};
    }
    if (name == "retention") {
      TRY_ASSIGN(output_.retention_us, option_duration_us(option));
      return {};
    }
    if (name == "retention_bytes") {
      TRY_ASSIGN(output_.retention_bytes, option_bytes(option));
      return {};
    }
    if (name == "changelog") return changelog_option(option);
    TRY_ASSIGN(const bool of_encoding, encoding_option(option));
    if (of_encoding) return {};
    return unknown_option(option,
                          {"start", "on_error", "format", "schema", "schema_version", "schema_id",
                           "idle_timeout", "retention", "retention_bytes", "allowed_lateness", "changelog"},
                          "a derived stream");
  }

  Status changelog_option(const ast::Option& option) {
    if (!writes_changes_) {
      return invalid_at(kBadOption, option.name.span,
                        "option \"changelog\" belongs to a query whose groups change",
                        "take it away: its rows are written once");
    }
    changelog_ = option.value == "retract";
    if (changelog_ || option.value == "upsert") return {};
    return invalid_at(kBadOption, option.value_span,
                      fmt::format("option \"changelog\" has no value \"{:.60}\"", option.value),
                      "it is 'upsert' (a primary key) or 'retract' (rows before and after each change)");
  }

  const ast::CreateQuery& tree_;
  const BindContext& context_;
  QueryPlan plan_;
  StreamDef output_;
  bool closes_windows_ = false;  // grouped by a window over the watermark's column or PROCTIME()
  bool writes_changes_ = false;  // of its groups, into a stream …
  bool changelog_ = false;       // … without a primary key
};

}  // namespace

// What would be replaced reads streams with the columns that they had when it was made; so does its other text, where these
// are enough. Where they are not, find_replaced() says what is another.
Result<CreateQuery> bind_create_query(const ast::CreateQuery& tree, const BindContext& context) {
  if (!tree.or_replace || !context.check_names) return QueryBinder(tree, context).run();
  BindContext then = context;
  const Catalog::Entry* entry = context.catalog.find(context.tenant, tree.name.text);
  if (entry != nullptr && entry->query) then.reader = entry->definition.id;
  auto bound = QueryBinder(tree, then).run();
  if (!bound.ok()) bound = QueryBinder(tree, context).run();
  if (bound.ok()) TRY(find_replaced(tree, *bound, context));
  return bound;
}

}  // namespace millrace::sql
