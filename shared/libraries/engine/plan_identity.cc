// What a plan is to a step record: the bytes of everything that decides its answers.
#include "base/bytes.h"
#include "base/hash.h"
#include "engine/aggregates.h"
#include "engine/plan.h"

namespace millrace::engine {
namespace {

void append_scalar(std::string& out, const Scalar& value) {
  append_le<uint8_t>(out, static_cast<uint8_t>(value.index()));
  if (const auto* b = std::get_if<bool>(&value)) append_le<uint8_t>(out, *b ? 1 : 0);
  if (const auto* i = std::get_if<int64_t>(&value)) append_le(out, *i);
  if (const auto* d = std::get_if<double>(&value)) append_le(out, std::bit_cast<uint64_t>(*d));
  if (const auto* s = std::get_if<std::string>(&value)) append_bytes(out, *s);
  if (const auto* t = std::get_if<Timestamp>(&value)) append_le(out, t->micros);
  if (const auto* v = std::get_if<Interval>(&value)) {
    append_le(out, v->months);
    append_le(out, v->days);
    append_le(out, v->micros);
  }
}

// A row type's number is another in each process; its name is not.
void append_type(std::string& out, Type type) {
  constexpr uint8_t kRow = 0x3F;
  if (!is_row(element_of(type))) return append_le<uint8_t>(out, static_cast<uint8_t>(type));
  append_le<uint8_t>(out, kRow);
  append_bytes(out, to_string(type));
}

// Unlike the SQL-like text, this keeps every type and bit; spans are left out, since they decide no answer.
void append_expr(std::string& out, const Expr* expr) {
  if (expr == nullptr) return append_le<uint8_t>(out, 0xFF);
  append_le<uint8_t>(out, static_cast<uint8_t>(expr->op));
  append_type(out, expr->type);
  append_le<int32_t>(out, expr->column);
  append_scalar(out, expr->literal);
  append_le(out, expr->window_us);
  append_le(out, expr->window_offset_us);
  if (expr->op == Op::kCall) append_bytes(out, expr->function->name);  // its types are the arguments'
  append_varint(out, expr->args.size());
  for (const auto& arg : expr->args) append_expr(out, arg.get());
  if (expr->tries) append_bytes(out, "tries");  // only where it does, so that others keep their identity
}

void append_named(std::string& out, const std::vector<NamedExpr>& exprs) {
  append_varint(out, exprs.size());
  for (const auto& e : exprs) {
    append_bytes(out, e.name);
    append_expr(out, e.expr.get());
  }
}

void append_order(std::string& out, const std::vector<SortKey>& keys) {
  append_varint(out, keys.size());
  for (const SortKey& key : keys) {
    append_le<uint8_t>(out, static_cast<uint8_t>((key.descending ? 1 : 0) | (key.nulls_first ? 2 : 0)));
    append_expr(out, key.expr.get());
  }
}

void append_path(std::string& out, const std::vector<std::string>& path) {
  append_varint(out, path.size());
  for (const auto& member : path) append_bytes(out, member);
}

void append_stream(std::string& out, const StreamPtr& stream) {
  if (!stream) return append_le<uint8_t>(out, 0);
  append_le<uint8_t>(out, 1);
  append_le(out, stream->id.value);
  append_le(out, stream->partitions);
  append_le<int32_t>(out, stream->key_column);
  append_le<int32_t>(out, stream->watermark_column);
  append_le(out, stream->disorder_us);
  append_le(out, stream->idle_timeout_us);
  append_varint(out, stream->columns.size());
  for (const auto& column : stream->columns) {
    append_bytes(out, column.name);
    // A type has four bits: 0 is numeric, for no column is of the unknown type. A column without a path or a length, as
    // all once were, has no bit for it: identities do not change. An array's element has a length with a bit that no
    // other has, and a row.
    constexpr uint64_t kOfArray = uint64_t{1} << 63;
    constexpr uint64_t kOfRow = uint64_t{1} << 62;
    const bool row = is_row(element_of(column.type));
    const uint64_t length = column.length | static_cast<uint64_t>(column.scale) << 32 |
                            (is_array(column.type) ? kOfArray : 0) | (row ? kOfRow : 0);
    append_le<uint8_t>(out, static_cast<uint8_t>((static_cast<unsigned>(column.type) & 15) |
                                                 static_cast<unsigned>(column.unit) << 4 |
                                                 static_cast<unsigned>(length != 0) << 6 |
                                                 static_cast<unsigned>(!column.path.empty()) << 7));
    if (length != 0) append_varint(out, length);
    if (row) append_bytes(out, to_string(column.type));
    if (!column.path.empty()) append_path(out, column.path);
  }
  // Only where there is one, likewise.
  for (const int column : stream->primary_key) append_le<int32_t>(out, column);
}

void append_part(std::string& out, std::string_view name, int64_t value) {
  append_bytes(out, name);
  append_le(out, value);
}

}  // namespace

std::string identity_of(const Expr& expr) {
  std::string out;
  append_expr(out, &expr);
  return out;
}

uint64_t QueryPlan::identity() const {
  std::string out;
  append_le(out, id.value);
  append_le(out, tenant.value);
  append_bytes(out, name);
  append_le<uint8_t>(out, static_cast<uint8_t>(shape));
  append_stream(out, source);
  append_varint(out, read_columns.size());
  for (const int column : read_columns) append_le<int32_t>(out, column);
  append_expr(out, filter.get());
  append_named(out, group_keys);
  append_le<int32_t>(out, window_key);
  append_le(out, window.size_us);
  append_varint(out, aggregates.size());
  for (const auto& call : aggregates) {
    append_le<uint8_t>(out,
                       static_cast<uint8_t>(static_cast<unsigned>(call.kind) | (call.distinct ? 0x80 : 0)));
    append_type(out, call.type);
    append_expr(out, call.argument.get());
    if (is_ordered(call.kind)) append_order(out, call.order_by);
    if (call.parameter) append_expr(out, call.parameter.get());
    if (call.descending) append_bytes(out, "descending");
  }
  append_le<uint8_t>(out, static_cast<uint8_t>((emit_on_close ? 1 : 0) | (repartition ? 2 : 0)));
  append_le(out, view_retention_us);
  append_stream(out, repartition_topic);
  if (!shows_groups()) append_named(out, outputs);
  append_stream(out, output_stream);
  append_le<uint8_t>(out, static_cast<uint8_t>(start));
  append_le(out, start_time.value);
  // Only where they are, so that plans without them keep their identity.
  if (window.made_of_panes()) {
    append_le<uint8_t>(out, static_cast<uint8_t>(window.kind));
    append_le<int32_t>(out, window_end_key);
    append_le(out, window.step_us);
    append_le(out, window.offset_us);
  }
  if (having && !shows_groups()) append_expr(out, having.get());
  // Likewise, each by its name.
  if (on_error == OnError::kNull) append_bytes(out, "on_error");
  if (emit_every_us > 0) append_part(out, "emit_every", emit_every_us);
  if (allowed_lateness_us > 0) append_part(out, "allowed_lateness", allowed_lateness_us);
  if (late_stream) append_part(out, "late_stream", late_stream->id.value);
  if (count_window.any()) {
    append_part(out, "count_window", count_window.size);
    append_le(out, count_window.slide);
    append_le(out, retention_rows);
  }
  for (const int64_t set : grouping_sets) append_part(out, "grouping_set", set);
  for (const UnionArm& arm : arms) {
    append_part(out, "union_all", arm.first_partition);
    append_stream(out, arm.source);
    append_expr(out, arm.filter.get());
    for (const auto& output : arm.outputs) append_expr(out, output.get());
  }
  return stable_hash(out);
}

uint64_t QueryPlan::shown_identity() const {
  std::string out;
  append_named(out, outputs);
  append_expr(out, having.get());
  return stable_hash(out);
}

}  // namespace millrace::engine
