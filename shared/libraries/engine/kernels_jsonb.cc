// CAST of jsonb to numbers and boolean.
#include "engine/kernels.h"
#include "event/decimal.h"
#include "event/text.h"
#include "formats/jsonb.h"

namespace millrace::engine {
namespace {

using formats::JsonbKind;
constexpr std::string_view kBadText = "MR-SQL-0106";

// The value's text, if it is of the kind that the type can be made of; else the row has failed.
template <JsonbKind kWanted>
bool is_of_kind(const Node& node, std::string_view value, Context& context, size_t row) {
  constexpr std::string_view kNames[] = {"null", "boolean", "numeric", "string", "array", "object"};
  const JsonbKind kind = formats::jsonb_kind(value);
  if (kind == kWanted) return true;
  context.fail(row, node.expr->span, kBadText,
               "cannot cast jsonb " + std::string(kNames[static_cast<size_t>(kind)]) + " to type " +
                   std::string(to_string(node.expr->type)));
  return false;
}

// Halves go away from zero, as of PostgreSQL's numeric.
bool to_whole(std::string_view number, int64_t& value) {
  const size_t point = number.find('.');
  const auto whole = parse_bigint(number.substr(0, point));
  value = whole.ok() ? *whole : 0;
  if (!whole.ok() || point == std::string_view::npos || number[point + 1] < '5') return whole.ok();
  return !__builtin_add_overflow(value, number.starts_with('-') ? -1 : 1, &value);
}

void jsonb_to_integer(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  const IntegerRange range = range_of(node.expr->type);
  strict_unary<std::string_view, int64_t>(
      node.expr->type, left, selection, context.batch.rows, out, [&](std::string_view value, size_t row) {
        int64_t result = 0;
        if (out.is_null(row) || !is_of_kind<JsonbKind::kNumber>(node, value, context, row)) return result;
        if (!to_whole(value, result) || !range.holds(result))
          fail_range(node.expr->type, node, out, context, row);
        return result;
      });
}

void jsonb_to_double(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                     Column& out, Context& context) {
  strict_unary<std::string_view, double>(
      node.expr->type, left, selection, context.batch.rows, out, [&](std::string_view value, size_t row) {
        if (out.is_null(row) || !is_of_kind<JsonbKind::kNumber>(node, value, context, row)) return 0.0;
        const auto parsed = parse_double_text(node.expr->type, value);
        if (!parsed.ok()) fail_range(node.expr->type, node, out, context, row);
        return parsed.ok() ? *parsed : 0.0;
      });
}

void jsonb_to_numeric(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  strict_unary<std::string_view, std::string_view>(
      Type::kNumeric, left, selection, context.batch.rows, out,
      [&](std::string_view value, size_t row) -> std::string_view {
        if (out.is_null(row) || !is_of_kind<JsonbKind::kNumber>(node, value, context, row)) return {};
        const auto number = read_decimal(value);
        if (!number) return fail_range(Type::kNumeric, node, out, context, row), std::string_view();
        return context.batch.arena->keep(decimal_bytes(*number));
      });
}

void jsonb_to_boolean(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                      Column& out, Context& context) {
  strict_unary<std::string_view, uint8_t>(
      Type::kBoolean, left, selection, context.batch.rows, out, [&](std::string_view value, size_t row) {
        const bool boolean = !out.is_null(row) && is_of_kind<JsonbKind::kBoolean>(node, value, context, row);
        return static_cast<uint8_t>(boolean && value == "true");
      });
}

}  // namespace

Kernel jsonb_cast_kernel(Type to) {
  if (to == Type::kNumeric) return jsonb_to_numeric;
  if (is_integer(to)) return jsonb_to_integer;
  if (is_number(to)) return jsonb_to_double;
  return to == Type::kBoolean ? jsonb_to_boolean : nullptr;
}

}  // namespace millrace::engine
