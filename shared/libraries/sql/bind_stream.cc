// CREATE STREAM with declared columns.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <unordered_set>

#include "formats/cloud_event.h"
#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"
#include "sql/options.h"
#include "sql/parser.h"

namespace millrace::sql {

using engine::StreamDef;

namespace {

const std::vector<std::string> kStreamOptions{
    "format",         "key",         "partitions", "idle_timeout",   "retention", "retention_bytes",
    "timestamp_unit", "deduplicate", "schema",     "schema_version", "schema_id", "on_invalid"};
constexpr int64_t kMaxDeduplicateUs = 3'600'000'000;

int column_index(const Schema& columns, const std::string& name) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Error unknown_stream_column(const Schema& columns, const std::string& name, const SourceSpan& span,
                            std::string_view id) {
  std::vector<std::string> names;
  for (const auto& c : columns) names.push_back(c.name);
  std::string hint = did_you_mean(name, names);
  return invalid_at(id, span, fmt::format("column \"{}\" does not exist", name),
                    hint.empty() ? "the columns are " + list_names(names) : hint);
}

// No event could fill two columns of one path, nor one where the other has an object.
Status check_paths(const ast::CreateStream& tree, const Schema& columns) {
  const auto path = [&](size_t i) { return columns[i].members(); };
  std::vector<size_t> order(columns.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Behind a path stand those that it begins, so neighbours are enough.
  std::ranges::stable_sort(
      order, [&](size_t a, size_t b) { return std::ranges::lexicographical_compare(path(a), path(b)); });
  for (size_t i = 1; i < order.size(); ++i) {
    const size_t outer = order[i - 1];
    const size_t inner = order[i];
    if (path(outer).size() > path(inner).size() ||
        !std::ranges::equal(path(outer), path(inner).first(path(outer).size()))) {
      continue;
    }
    const bool same = path(outer).size() == path(inner).size();
    const ast::ColumnDecl& place = tree.columns[tree.columns[inner].path.empty() ? outer : inner];
    return invalid_at(kBadPath, place.path.empty() ? place.name.span : place.path_span,
                      fmt::format("column \"{}\" stands {} column \"{}\"", columns[inner].name,
                                  same ? "in the same place as" : "inside of", columns[outer].name),
                      same ? "take one of them away; a query can read a column twice"
                           : "a value is either an object or a column: take one of them away");
  }
  return {};
}

Status bind_columns(const ast::CreateStream& tree, StreamDef& out) {
  std::unordered_set<std::string> seen;
  for (const auto& column : tree.columns) {
    if (!seen.insert(column.name.text).second) {
      return invalid_at(kDuplicateColumn, column.name.span,
                        fmt::format("column \"{}\" is declared twice", column.name.text),
                        "rename one of them");
    }
    TRY(check_time_precision(column.type));
    if (column.required) out.required.push_back(static_cast<int>(out.columns.size()));
    ColumnDef& made = out.columns.emplace_back(ColumnDef{column.name.text, column.type.type});
    made.length = column.type.length;
    made.scale = column.type.scale;
    const bool own_name = column.path.size() == 1 && column.path[0] == column.name.text;
    if (!own_name) made.path = column.path;
  }
  if (!out.columns.empty()) return check_paths(tree, out.columns);
  return invalid_at(kSyntaxError, tree.name.span, "a stream needs at least one column",
                    "declare the columns to read");
}

// WATERMARK FOR c AS c, or AS c - INTERVAL '…'.
Status bind_watermark(const ast::Watermark& tree, StreamDef& out) {
  out.watermark_column = column_index(out.columns, tree.column.text);
  if (out.watermark_column < 0) {
    return unknown_stream_column(out.columns, tree.column.text, tree.column.span, kBadWatermark);
  }
  if (!is_timestamp(out.columns[static_cast<size_t>(out.watermark_column)].type)) {
    return invalid_at(kBadWatermark, tree.column.span, "a watermark needs a column of type timestamptz",
                      fmt::format("declare it as {} TIMESTAMPTZ", tree.column.text));
  }
  const ast::Expr& value = *tree.value;
  const bool plain = value.kind == ast::ExprKind::kColumn;
  const bool less = value.kind == ast::ExprKind::kBinary && value.text == "-" &&
                    value.args[0]->kind == ast::ExprKind::kColumn;
  const ast::Expr* column = plain ? &value : (less ? value.args[0].get() : nullptr);
  if (column == nullptr || column->text != tree.column.text || column->qualifier) {
    return invalid_at(
        kBadWatermark, value.span, "a watermark is its column, or its column less an interval",
        fmt::format("write WATERMARK FOR {0} AS {0} - INTERVAL '10 minutes'", tree.column.text));
  }
  if (plain) return {};
  TRY_ASSIGN(out.disorder_us, constant_interval_us(*value.args[1], "a watermark's disorder"));
  if (out.disorder_us >= 0) return {};
  return invalid_at(kBadWatermark, value.args[1]->span, "a watermark's disorder cannot be negative",
                    "it says how far out of order events may come");
}

Status check_key_type(const ColumnDef& column, const SourceSpan& span) {
  if (!is_array(column.type) && !is_row(column.type)) return {};
  return unsupported_at(span, fmt::format("a key of type {} is not supported", to_string(column.type)),
                        "an event's key is one value: choose another column");
}

Status bind_key(const ast::Option& option, StreamDef& out) {
  TRY_ASSIGN(const std::string name, option_text(option));
  out.key_column = column_index(out.columns, name);
  if (out.key_column >= 0)
    return check_key_type(out.columns[static_cast<size_t>(out.key_column)], option.value_span);
  return unknown_stream_column(out.columns, name, option.value_span, kUnknownColumn);
}

// Of every timestamp column: what a number there counts.
Status bind_timestamp_unit(const ast::Option& option, StreamDef& out) {
  using enum TimestampUnit;
  for (const TimestampUnit unit : {kSeconds, kMilliseconds, kMicroseconds, kNanoseconds}) {
    if (option.value != to_string(unit)) continue;
    for (ColumnDef& column : out.columns) column.unit = unit;
    return {};
  }
  return invalid_at(kBadOption, option.value_span,
                    fmt::format("option \"timestamp_unit\" has no value \"{:.60}\"", option.value),
                    "the units are 's', 'ms', 'us' and 'ns'");
}

Status bind_deduplicate(const ast::Option& option, StreamDef& out) {
  TRY_ASSIGN(out.deduplicate_us, option_duration_us(option));
  if (out.deduplicate_us > 0 && out.deduplicate_us <= kMaxDeduplicateUs) return {};
  return invalid_at(kBadOption, option.value_span, "option \"deduplicate\" takes a duration up to an hour",
                    "for example deduplicate = '10 minutes'");
}

Status check_schema(const ast::CreateStream& tree, const StreamDef& stream) {
  TRY(check_schema_named(tree.options, stream.schema));
  if (stream.schema.subject.empty() || !stream.cloud_events) return {};
  return unsupported_at(tree.option("schema")->name.span,
                        "a schema for the data of CloudEvents is not supported",
                        "take format = 'cloudevents' away");
}

// An event says by one more member what it does to its key's row. Rows of a key share a partition: one of its
// columns decides which, the first if no option names another.
Status bind_primary_key(const ast::CreateStream& tree, StreamDef& out) {
  for (const ast::Name& name : tree.primary_key) {
    const int column = column_index(out.columns, name.text);
    if (column < 0) return unknown_stream_column(out.columns, name.text, name.span, kUnknownColumn);
    if (std::ranges::find(out.primary_key, column) != out.primary_key.end())
      return invalid_at(kBadPrimaryKey, name.span,
                        fmt::format("column \"{}\" is in the primary key twice", name.text), "name it once");
    TRY(check_key_type(out.columns[static_cast<size_t>(column)], name.span));
    out.primary_key.push_back(column);
  }
  if (out.key_column < 0) out.key_column = out.primary_key.front();
  if (std::ranges::find(out.primary_key, out.key_column) == out.primary_key.end()) {
    return invalid_at(kBadPrimaryKey, tree.option("key")->value_span,
                      "the option \"key\" names a column that is not of the primary key",
                      "take it away: the rows of a key have to stay in one partition");
  }
  for (const auto& column : tree.columns) {
    if (column.path.empty() || column.path.front() != engine::kOpColumn) continue;
    return invalid_at(kBadPrimaryKey, column.path_span,
                      "the member \"_op\" of an event says what it does to its key's row",
                      "read another member, or leave the primary key out");
  }
  return add_op_column(out, tree.name.span);
}

Status check_deduplicate(const ast::CreateStream& tree, const StreamDef& stream) {
  if (stream.deduplicate_us == 0 || stream.cloud_events) return {};
  return invalid_at(kBadOption, tree.option("deduplicate")->name.span,
                    "option \"deduplicate\" needs events with a source and an id",
                    "add format = 'cloudevents', or send requests with an Idempotency-Key");
}

Error bad_history(const ast::Option& option) {
  return invalid_at(kBadOption, option.value_span,
                    fmt::format("option \"{}\" takes numbers of columns and of definitions", kColumnHistory),
                    "ALTER STREAM … ADD COLUMN writes it");
}

// '3:17, 4:20': for definitions up to 17 three columns, for those up to 20 four.
Status bind_column_history(const ast::Option& option, const BindContext& context, CreateStream& out) {
  if (context.check_names) {
    return invalid_at(kBadOption, option.name.span,
                      fmt::format("option \"{}\" is what ALTER STREAM … ADD COLUMN keeps", kColumnHistory),
                      "take it away: a new stream has all of its columns from its beginning");
  }
  Schema& columns = out.stream.columns;
  std::string_view rest = option.value;
  while (!rest.empty()) {
    EarlierColumns one;
    const char* const end = rest.data() + rest.size();
    const auto count = std::from_chars(rest.data(), end, one.columns);
    if (count.ec != std::errc() || count.ptr == end || *count.ptr != ':') return bad_history(option);
    const auto until = std::from_chars(count.ptr + 1, end, one.until.value);
    const size_t before = out.earlier.empty() ? 0 : out.earlier.back().columns;
    const DefinitionId until_before = out.earlier.empty() ? DefinitionId() : out.earlier.back().until;
    if (until.ec != std::errc() || one.columns <= before || one.columns >= columns.size() ||
        one.until <= until_before) {
      return bad_history(option);
    }
    out.earlier.push_back(one);
    rest.remove_prefix(static_cast<size_t>(until.ptr - rest.data()));
    if (rest.starts_with(", ") && rest.size() > 2)
      rest.remove_prefix(2);
    else if (!rest.empty())
      return bad_history(option);
  }
  if (out.earlier.empty()) return bad_history(option);
  for (size_t i = out.earlier.front().columns; i < columns.size(); ++i) columns[i].added = true;
  return {};
}

// Written paths begin at the event's data; so do names, but for those of attributes.
Status place_in_cloud_events(const ast::CreateStream& tree, Schema& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    ColumnDef& column = columns[i];
    const bool written = i < tree.columns.size() && !tree.columns[i].path.empty();
    if (!written) {
      column.path = formats::cloud_event_path(column.name);
      continue;
    }
    const auto members = column.members();
    if (members.size() == kMaxPathMembers)
      return invalid_at(kBadPath, tree.columns[i].path_span,
                        fmt::format("the path has more than {} members", kMaxPathMembers - 1),
                        "an event's data is one level deep already");
    std::vector<std::string> path{"data"};
    path.insert(path.end(), members.begin(), members.end());
    column.path = std::move(path);
  }
  return check_paths(tree, columns);
}

}  // namespace

std::string to_text(const std::vector<EarlierColumns>& earlier) {
  std::string out;
  for (const auto& one : earlier)
    out += fmt::format("{}{}:{}", out.empty() ? "" : ", ", one.columns, one.until.value);
  return out;
}

Status bind_stream_option(const ast::Option& option, StreamDef& out) {
  const std::string& name = option.name.text;
  if (name == "format") {
    out.cloud_events = option.value == "cloudevents";
    return option_one_of(option, {"json", "cloudevents"});
  }
  if (name == "on_invalid") {
    out.keeps_invalid = option.value == "dead_letter";
    return option_one_of(option, {"reject", "dead_letter"});
  }
  if (name == "deduplicate") return bind_deduplicate(option, out);
  if (name == "timestamp_unit") return bind_timestamp_unit(option, out);
  if (name == "key") return bind_key(option, out);
  if (name == "partitions") {
    TRY_ASSIGN(const int64_t partitions, option_integer(option, 1, kMaxPartitions));
    out.partitions = static_cast<uint16_t>(partitions);
    return {};
  }
  if (name == "idle_timeout") {
    TRY_ASSIGN(out.idle_timeout_us, option_duration_us(option));
    return {};
  }
  if (name == "retention") {
    TRY_ASSIGN(out.retention_us, option_duration_us(option));
    return {};
  }
  if (name == "retention_bytes") {
    TRY_ASSIGN(out.retention_bytes, option_bytes(option));
    return {};
  }
  TRY_ASSIGN(const bool of_schema, schema_option(option, out.schema));
  return of_schema ? Status() : unknown_option(option, kStreamOptions, "a stream");
}

Status add_op_column(StreamDef& stream, const SourceSpan& span) {
  const std::string name(engine::kOpColumn);
  if (column_index(stream.columns, name) >= 0)
    return invalid_at(kBadPrimaryKey, span, "a stream with a primary key has a column \"_op\" of its own",
                      "rename the other one");
  stream.op_column = static_cast<int>(stream.columns.size());
  stream.columns.push_back(ColumnDef{name, Type::kText});
  return {};
}

Result<CreateStream> bind_create_stream(const ast::CreateStream& tree, const BindContext& context) {
  TRY(check_new_name(context, tree.name, tree.if_not_exists));
  CreateStream out;
  out.if_not_exists = tree.if_not_exists;
  out.stream.name = tree.name.text;
  out.stream.tenant = context.tenant;
  out.stream.kind = engine::StreamKind::kDeclared;
  // Left to the schema: it is bound again with them (schema_text.h).
  if (tree.columns.empty() && tree.option("schema") != nullptr) {
    for (const char* name : {"schema", "schema_version", "schema_id"}) {
      if (const ast::Option* option = tree.option(name)) TRY(bind_stream_option(*option, out.stream));
    }
    return out;
  }
  TRY(bind_columns(tree, out.stream));
  if (tree.watermark) TRY(bind_watermark(*tree.watermark, out.stream));
  for (const auto& option : tree.options) {
    if (option.name.text == kColumnHistory)
      TRY(bind_column_history(option, context, out));
    else
      TRY(bind_stream_option(option, out.stream));
  }
  TRY(check_deduplicate(tree, out.stream));
  TRY(check_schema(tree, out.stream));
  if (!tree.primary_key.empty()) TRY(bind_primary_key(tree, out.stream));
  if (out.stream.cloud_events) TRY(place_in_cloud_events(tree, out.stream.columns));
  return out;
}

}  // namespace millrace::sql
