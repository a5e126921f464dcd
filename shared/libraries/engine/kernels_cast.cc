// CAST between the types. Text to a value and back by the forms of event/type.h.
#include <charconv>
#include <cmath>

#include "engine/kernels.h"

namespace millrace::engine {
namespace {

constexpr std::string_view kBigintRange = "MR-SQL-0102";
constexpr std::string_view kBadText = "MR-SQL-0106";

// The value of a parse, or the row's failure.
template <typename T>
T value_or_fail(Result<T> parsed, const Node& node, Context& context, size_t row) {
  if (parsed.ok()) return std::move(parsed).value();
  context.fail(row, node.expr->span, kBadText, std::move(parsed).error().message);
  return T{};
}

template <typename Parsed, typename R, typename Parse>
void from_text(Type type, Parse parse, const Node& node, const Operand& left, const Selection& selection,
               Column& out, Context& context) {
  strict_unary<std::string_view, R>(
      type, left, selection, context.batch.rows, out, [&](std::string_view text, size_t row) {
        if (out.is_null(row)) return R{};
        const Parsed value = value_or_fail<Parsed>(parse(text), node, context, row);
        if constexpr (std::is_same_v<Parsed, Timestamp>)
          return value.micros;
        else
          return static_cast<R>(value);
      });
}

void text_to_boolean(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                     Context& context) {
  from_text<bool, uint8_t>(Type::kBoolean, parse_boolean, node, left, s, out, context);
}
void text_to_bigint(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                    Context& context) {
  from_text<int64_t, int64_t>(Type::kBigint, parse_bigint, node, left, s, out, context);
}
void text_to_double(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                    Context& context) {
  from_text<double, double>(Type::kDouble, parse_double, node, left, s, out, context);
}
void text_to_timestamp(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                       Context& context) {
  from_text<Timestamp, int64_t>(Type::kTimestamptz, parse_timestamp, node, left, s, out, context);
}
void text_to_interval(const Node& node, const Operand& left, const Operand&, const Selection& s, Column& out,
                      Context& context) {
  from_text<Interval, Interval>(Type::kInterval, parse_interval, node, left, s, out, context);
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

void boolean_to_text(const Node&, const Operand& left, const Operand&, const Selection& selection,
                     Column& out, Context& context) {
  strict_unary<uint8_t, std::string_view>(
      Type::kText, left, selection, context.batch.rows, out,
      [](uint8_t value, size_t) -> std::string_view { return value != 0 ? "true" : "false"; });
}
void bigint_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                    Context& context) {
  to_text<int64_t>(left, s, out, context, [](std::string& to, int64_t value) {
    char buffer[24];
    to.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  });
}
void double_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                    Context& context) {
  to_text<double>(left, s, out, context, append_double);
}
void timestamp_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                       Context& context) {
  to_text<int64_t>(left, s, out, context,
                   [](std::string& to, int64_t v) { append_timestamp(to, Timestamp{v}); });
}
void interval_to_text(const Node&, const Operand& left, const Operand&, const Selection& s, Column& out,
                      Context& context) {
  to_text<Interval>(left, s, out, context, append_interval);
}

void bigint_to_double(const Node&, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  strict_unary<int64_t, double>(Type::kDouble, left, selection, context.batch.rows, out,
                                [](int64_t value, size_t) { return static_cast<double>(value); });
}
// Halves go to the even neighbour (the processor's rounding mode, which nobody changes).
void double_to_bigint(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  strict_unary<double, int64_t>(Type::kBigint, left, selection, context.batch.rows, out,
                                [&](double value, size_t row) {
                                  const double rounded = std::rint(value);
                                  if (rounded >= -0x1p63 && rounded < 0x1p63)
                                    return static_cast<int64_t>(rounded);
                                  if (!out.is_null(row))
                                    context.fail(row, node.expr->span, kBigintRange, "bigint out of range");
                                  return int64_t{0};
                                });
}
void bigint_to_boolean(const Node&, const Operand& left, const Operand&, const Selection& selection,
                       Column& out, Context& context) {
  strict_unary<int64_t, uint8_t>(Type::kBoolean, left, selection, context.batch.rows, out,
                                 [](int64_t value, size_t) -> uint8_t { return value != 0; });
}
void boolean_to_bigint(const Node&, const Operand& left, const Operand&, const Selection& selection,
                       Column& out, Context& context) {
  strict_unary<uint8_t, int64_t>(Type::kBigint, left, selection, context.batch.rows, out,
                                 [](uint8_t value, size_t) -> int64_t { return value != 0; });
}

// A cast to the same type.
template <typename T>
void same(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
          Context& context) {
  strict_unary<T, T>(node.expr->type, left, selection, context.batch.rows, out,
                     [](const T& value, size_t) { return value; });
}
Kernel same_kernel(Type type) {
  switch (type) {
    case Type::kNull:
      return nullptr;
    case Type::kBoolean:
      return same<uint8_t>;
    case Type::kBigint:
    case Type::kTimestamptz:
      return same<int64_t>;
    case Type::kDouble:
      return same<double>;
    case Type::kText:
      return same<std::string_view>;
    case Type::kInterval:
      return same<Interval>;
  }
  return nullptr;
}

Kernel from_text_kernel(Type to) {
  switch (to) {
    case Type::kBoolean:
      return text_to_boolean;
    case Type::kBigint:
      return text_to_bigint;
    case Type::kDouble:
      return text_to_double;
    case Type::kTimestamptz:
      return text_to_timestamp;
    case Type::kInterval:
      return text_to_interval;
    default:
      return nullptr;
  }
}
Kernel to_text_kernel(Type from) {
  switch (from) {
    case Type::kBoolean:
      return boolean_to_text;
    case Type::kBigint:
      return bigint_to_text;
    case Type::kDouble:
      return double_to_text;
    case Type::kTimestamptz:
      return timestamp_to_text;
    case Type::kInterval:
      return interval_to_text;
    default:
      return nullptr;
  }
}

}  // namespace

void null_kernel(const Node& node, const Operand&, const Operand&, const Selection&, Column& out,
                 Context& context) {
  set_type(out, node.expr->type, context.batch.rows);
  if (out.type == Type::kText) out.texts.assign(context.batch.rows, {});  // none of a batch before
  out.valid.assign(context.batch.rows, 0);
}

Kernel cast_kernel(const Expr& expr) {
  if (expr.op != Op::kCast) return nullptr;
  const Type from = expr.args[0]->type;
  const Type to = expr.type;
  if (from == Type::kNull) return null_kernel;
  if (from == to) return same_kernel(to);
  if (from == Type::kText) return from_text_kernel(to);
  if (to == Type::kText) return to_text_kernel(from);
  if (from == Type::kBigint && to == Type::kDouble) return bigint_to_double;
  if (from == Type::kDouble && to == Type::kBigint) return double_to_bigint;
  if (from == Type::kBigint && to == Type::kBoolean) return bigint_to_boolean;
  if (from == Type::kBoolean && to == Type::kBigint) return boolean_to_bigint;
  return nullptr;
}

}  // namespace millrace::engine
