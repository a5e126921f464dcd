// Arithmetic of numeric, and its casts from and to the other numbers.
#include "engine/kernels.h"
#include "event/decimal.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using Binary = std::optional<Decimal> (*)(const Decimal& a, const Decimal& b);

std::optional<Decimal> subtracted(const Decimal& a, const Decimal& b) {
  return subtract(a, b);
}

// The answer's bytes; the row fails where there is none.
View kept(const std::optional<Decimal>& answer, const Node& node, const Column& out, Context& context,
          size_t row) {
  if (answer) return context.batch.arena->keep(decimal_bytes(*answer));
  fail_range(Type::kNumeric, node, out, context, row);
  return {};
}

template <Binary kOperation, bool kDivides>
void binary(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
            Column& out, Context& context) {
  strict_binary<View, View, View>(Type::kNumeric, left, right, selection, context.batch.rows, out,
                                  [&](View a, View b, size_t row) -> View {
                                    if (out.is_null(row)) return {};
                                    const Decimal divisor = decimal_from(b);
                                    if (kDivides && divisor.digits.empty()) {
                                      context.fail(row, node.expr->span, "MR-SQL-0101", "division by zero");
                                      return {};
                                    }
                                    return kept(kOperation(decimal_from(a), divisor), node, out, context,
                                                row);
                                  });
}

void negate(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
            Context& context) {
  strict_unary<View, View>(
      Type::kNumeric, left, selection, context.batch.rows, out, [&](View a, size_t row) -> View {
        return out.is_null(row) ? View() : kept(negated(decimal_from(a)), node, out, context, row);
      });
}

void from_integer(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                  Column& out, Context& context) {
  strict_unary<int64_t, View>(Type::kNumeric, left, selection, context.batch.rows, out,
                              [&](int64_t value, size_t row) -> View {
                                if (out.is_null(row)) return {};
                                return kept(decimal_of(value), node, out, context, row);
                              });
}
void from_double(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                 Column& out, Context& context) {
  const bool real = left.column->type == Type::kReal;
  strict_unary<double, View>(Type::kNumeric, left, selection, context.batch.rows, out,
                             [&](double value, size_t row) -> View {
                               if (out.is_null(row)) return {};
                               return kept(decimal_of(value, real), node, out, context, row);
                             });
}

void to_integer(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                Column& out, Context& context) {
  const IntegerRange range = range_of(node.expr->type);
  strict_unary<View, int64_t>(node.expr->type, left, selection, context.batch.rows, out,
                              [&](View bytes, size_t row) -> int64_t {
                                if (out.is_null(row)) return 0;
                                const auto value = bigint_of(decimal_from(bytes));
                                if (!value || !range.holds(*value))
                                  return fail_range(node.expr->type, node, out, context, row), 0;
                                return *value;
                              });
}
void to_double(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
               Context& context) {
  strict_unary<View, double>(node.expr->type, left, selection, context.batch.rows, out,
                             [&](View bytes, size_t row) -> double {
                               if (out.is_null(row)) return 0;
                               std::string text;
                               append_decimal(text, decimal_from(bytes));
                               const auto value = parse_double_text(node.expr->type, text);
                               if (!value.ok())
                                 return fail_range(node.expr->type, node, out, context, row), 0;
                               return *value;
                             });
}

}  // namespace

Kernel numeric_kernel(Op op) {
  switch (op) {
    case Op::kAdd:
      return binary<add, false>;
    case Op::kSubtract:
      return binary<subtracted, false>;
    case Op::kMultiply:
      return binary<multiply, false>;
    case Op::kDivide:
      return binary<divide, true>;
    case Op::kModulo:
      return binary<remainder, true>;
    case Op::kNegate:
      return negate;
    default:
      return nullptr;
  }
}

Kernel numeric_cast_kernel(Type from, Type to) {
  if (from == Type::kNumeric) return is_integer(to) ? to_integer : to_double;
  return is_integer(from) ? from_integer : from_double;
}

}  // namespace millrace::engine
