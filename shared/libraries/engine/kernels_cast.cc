// CAST between the types. Text to a value and back by the forms of event/type.h.
#include <cmath>

#include "engine/kernels.h"
#include "event/text.h"
#include "formats/text_types.h"

namespace millrace::engine {
namespace {

constexpr std::string_view kBadText = "MR-SQL-0106";

// The value of a parse, or the row's failure.
template <typename T>
T value_or_fail(Result<T> parsed, const Node& node, Context& context, size_t row) {
  if (parsed.ok()) return std::move(parsed).value();
  context.fail(row, node.expr->span, kBadText, std::move(parsed).error().message);
  return T{};
}

template <typename R, typename Parse>
void from_text(Parse parse, const Node& node, const Operand& left, const Selection& selection, Column& out,
               Context& context) {
  strict_unary<std::string_view, R>(node.expr->type, left, selection, context.batch.rows, out,
                                    [&](std::string_view text, size_t row) {
                                      if (out.is_null(row)) return R{};
                                      return static_cast<R>(value_or_fail(parse(text), node, context, row));
                                    });
}

void text_to_boolean(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                     Context& context) {
  from_text<uint8_t>(parse_boolean, node, left, s, out, context);
}
void text_to_integer(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                     Context& context) {
  const Type type = node.expr->type;
  const auto parse = [type](std::string_view text) { return parse_integer_text(type, text); };
  from_text<int64_t>(parse, node, left, s, out, context);
}
void text_to_double(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                    Context& context) {
  const Type type = node.expr->type;
  const auto parse = [type](std::string_view text) { return parse_double_text(type, text); };
  from_text<double>(parse, node, left, s, out, context);
}
void text_to_interval(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                      Context& context) {
  from_text<Interval>(parse_interval, node, left, s, out, context);
}

// Prints into one string that keeps its capacity, then into the batch's arena.
template <typename A, typename Print>
void to_text(const Operand& left, const Selection& selection, Column& out, Context& context, Print print) {
  std::string scratch;
  Arena& arena = *context.batch.arena;
  strict_unary<A, std::string_view>(Type::kText, left, selection, context.batch.rows, out,
                                    [&](const A& value, size_t row) -> std::string_view {
                                      if (out.is_null(row)) return {};
                                      scratch.clear();
                                      print(scratch, value);
                                      return arena.keep(scratch);
                                    });
}

// To uuid, bytea, jsonb and arrays.
void text_to_bytes(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                   Column& out, Context& context) {
  Arena& arena = *context.batch.arena;
  const Type type = node.expr->type;
  strict_unary<std::string_view, std::string_view>(
      type, left, selection, context.batch.rows, out,
      [&](std::string_view text, size_t row) -> std::string_view {
        if (out.is_null(row)) return {};
        return arena.keep(value_or_fail(formats::parse_text(type, text), node, context, row));
      });
}
void bytes_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                   Context& context) {
  const Type type = left.column->type;
  to_text<std::string_view>(left, s, out, context, [type](std::string& to, std::string_view value) {
    formats::append_text(to, type, value);
  });
}

void boolean_to_text(const Node&, const Operand& left, const Operand&, const Selection& selection,
                     Column& out, Context& context) {
  strict_unary<uint8_t, std::string_view>(
      Type::kText, left, selection, context.batch.rows, out,
      [](uint8_t value, size_t) -> std::string_view { return value != 0 ? "true" : "false"; });
}
void integer_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                     Context& context) {
  const Type type = left.column->type;
  to_text<int64_t>(left, s, out, context,
                   [type](std::string& to, int64_t value) { append_integer_text(to, type, value); });
}
void double_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                    Context& context) {
  const Type type = left.column->type;
  to_text<double>(left, s, out, context,
                  [type](std::string& to, double value) { append_double_text(to, type, value); });
}
void interval_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                      Context& context) {
  to_text<Interval>(left, s, out, context, append_interval);
}

// From one number to another: f(value, result) answers false where the result's type has no place for it.
template <typename A, typename R, typename F>
void convert(const Node& node, const Operand& left, const Selection& selection, Column& out, Context& context,
             F f) {
  const Type type = node.expr->type;
  strict_unary<A, R>(type, left, selection, context.batch.rows, out, [&](A value, size_t row) {
    R result{};
    if (!f(value, result)) [[unlikely]]
      fail_range(type, node, out, context, row);
    return result;
  });
}

void integer_to_integer(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                        Column& out, Context& context) {
  const IntegerRange range = range_of(node.expr->type);
  convert<int64_t, int64_t>(node, left, selection, out, context, [&](int64_t value, int64_t& result) {
    result = value;
    return range.holds(value);
  });
}
void integer_to_double(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                       Column& out, Context& context) {
  const bool real = node.expr->type == Type::kReal;
  convert<int64_t, double>(node, left, selection, out, context, [&](int64_t value, double& result) {
    result = real ? static_cast<double>(static_cast<float>(value)) : static_cast<double>(value);
    return true;
  });
}
// Halves go to the even neighbour (the processor's rounding mode, which nobody changes).
void double_to_integer(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                       Column& out, Context& context) {
  const IntegerRange range = range_of(node.expr->type);
  convert<double, int64_t>(node, left, selection, out, context, [&](double value, int64_t& result) {
    const double rounded = std::rint(value);
    if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return false;
    result = static_cast<int64_t>(rounded);
    return range.holds(result);
  });
}
void double_to_double(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  const bool real = node.expr->type == Type::kReal;
  convert<double, double>(node, left, selection, out, context, [&](double value, double& result) {
    result = value;
    return !real || to_real(value, result);
  });
}

void integer_to_boolean(const Node&, const Operand& left, const Operand&, const Selection& selection,
                        Column& out, Context& context) {
  strict_unary<int64_t, uint8_t>(Type::kBoolean, left, selection, context.batch.rows, out,
                                 [](int64_t value, size_t) -> uint8_t { return value != 0; });
}
void boolean_to_integer(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                        Column& out, Context& context) {
  strict_unary<uint8_t, int64_t>(node.expr->type, left, selection, context.batch.rows, out,
                                 [](uint8_t value, size_t) -> int64_t { return value != 0; });
}

// Between dates, times and timestamps; a local clock is UTC's.
template <int64_t (*kFunction)(int64_t)>
void of_time(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
             Context& context) {
  strict_unary<int64_t, int64_t>(node.expr->type, left, selection, context.batch.rows, out,
                                 [](int64_t value, size_t) { return kFunction(value); });
}
// Unsigned: a NULL's value may be anything.
int64_t start_of_day(int64_t days) {
  return static_cast<int64_t>(static_cast<uint64_t>(days) * kMicrosPerDay);
}
int64_t day_of(int64_t timestamp) {
  return day_and_time(timestamp).days;
}
int64_t time_of(int64_t timestamp) {
  return day_and_time(timestamp).micros;
}
void time_to_interval(const Node&, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  strict_unary<int64_t, Interval>(Type::kInterval, left, selection, context.batch.rows, out,
                                  [](int64_t micros, size_t) {
                                    return Interval{0, 0, micros};
                                  });
}
void interval_to_time(const Node&, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  strict_unary<Interval, int64_t>(Type::kTime, left, selection, context.batch.rows, out,
                                  [](const Interval& i, size_t) { return time_of(i.micros); });
}

// The same values under another type's name.
template <typename T>
void same(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
          Context& context) {
  strict_unary<T, T>(node.expr->type, left, selection, context.batch.rows, out,
                     [](const T& value, size_t) { return value; });
}
Kernel same_kernel(Type type) {
  switch (physical(type)) {
    case Physical::kNone:
      return nullptr;
    case Physical::kBoolean:
      return same<uint8_t>;
    case Physical::kInteger:
      return same<int64_t>;
    case Physical::kDouble:
      return same<double>;
    case Physical::kText:
      return same<std::string_view>;
    case Physical::kInterval:
      return same<Interval>;
  }
  return nullptr;
}

Kernel from_text_kernel(Type to) {
  switch (physical(to)) {
    case Physical::kBoolean:
      return text_to_boolean;
    case Physical::kInteger:
      return text_to_integer;
    case Physical::kDouble:
      return text_to_double;
    case Physical::kInterval:
      return text_to_interval;
    case Physical::kText:
      return text_to_bytes;
    default:
      return nullptr;
  }
}
Kernel to_text_kernel(Type from) {
  switch (physical(from)) {
    case Physical::kBoolean:
      return boolean_to_text;
    case Physical::kInteger:
      return integer_to_text;
    case Physical::kDouble:
      return double_to_text;
    case Physical::kInterval:
      return interval_to_text;
    case Physical::kText:
      return formats::is_kept_as_text(from) ? same<std::string_view> : bytes_to_text;
    default:
      return nullptr;
  }
}

Kernel number_kernel(Type from, Type to) {
  if (from == Type::kNumeric || to == Type::kNumeric) return numeric_cast_kernel(from, to);
  if (is_integer(from)) return is_integer(to) ? integer_to_integer : integer_to_double;
  return is_integer(to) ? double_to_integer : double_to_double;
}

Kernel time_cast_kernel(Type from, Type to) {
  if (is_timestamp(from) && is_timestamp(to)) return same<int64_t>;
  if (from == Type::kDate && is_timestamp(to)) return of_time<start_of_day>;
  if (is_timestamp(from) && to == Type::kDate) return of_time<day_of>;
  if (is_timestamp(from) && to == Type::kTime) return of_time<time_of>;
  if (from == Type::kTime && to == Type::kInterval) return time_to_interval;
  return from == Type::kInterval && to == Type::kTime ? interval_to_time : nullptr;
}

}  // namespace

void null_kernel(const Node& node, const Operand&, const Operand&, const Selection&, Column& out,
                 Context& context) {
  set_type(out, node.expr->type, context.batch.rows);
  if (physical(out.type) == Physical::kText)
    out.texts.assign(context.batch.rows, {});  // none of a batch before
  out.valid.assign(context.batch.rows, 0);
}

Kernel cast_kernel(const Expr& expr) {
  if (expr.op != Op::kCast) return nullptr;
  const Type from = expr.args[0]->type;
  const Type to = expr.type;
  if (from == Type::kNull) return null_kernel;
  if (from == to || (is_row(from) && is_row(to))) return same_kernel(to);
  if (from == Type::kText) return from_text_kernel(to);
  if (to == Type::kText) return to_text_kernel(from);
  if (is_array(from) && is_array(to)) return array_cast_kernel();
  if (from == Type::kJsonb) return jsonb_cast_kernel(to);
  if (is_number(from) && is_number(to)) return number_kernel(from, to);
  if (is_integer(from) && to == Type::kBoolean) return integer_to_boolean;
  if (from == Type::kBoolean && is_integer(to)) return boolean_to_integer;
  return time_cast_kernel(from, to);
}

}  // namespace millrace::engine
