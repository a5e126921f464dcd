// Arithmetic of numeric, and its casts from and to the other numbers.
#include "engine/kernels.h"
#include "event/decimal.h"
#include "event/small_decimal.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using Binary = std::optional<Decimal> (*)(const Decimal& a, const Decimal& b);
using Small = View (*)(SmallDecimal a, SmallDecimal b,
                       DecimalBuffer& buffer);  // empty: the other one does it

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

// One operand: numeric or whole numbers, each read as it is kept.
class Side {
 public:
  explicit Side(const Operand& operand) : operand_(operand), whole_(is_integer(operand.column->type)) {
    if (operand.constant && !operand.is_null(0)) constant_ = read(0);
  }
  std::optional<SmallDecimal> small(size_t row) const { return operand_.constant ? constant_ : read(row); }
  Decimal decimal(size_t row) const {
    const size_t at = operand_.at(row);
    return whole_ ? decimal_of(operand_.column->integers[at]) : decimal_from(operand_.column->texts[at]);
  }

 private:
  std::optional<SmallDecimal> read(size_t at) const {
    if (whole_) return SmallDecimal{operand_.column->integers[at], 0};
    return small_decimal(operand_.column->texts[at]);
  }

  const Operand& operand_;
  const bool whole_;
  std::optional<SmallDecimal> constant_;
};

// A remainder is none of short numbers' operations.
View no_small(SmallDecimal, SmallDecimal, DecimalBuffer&) {
  return {};
}

template <Binary kOperation, Small kSmall, bool kDivides = false>
void binary(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
            Column& out, Context& context) {
  const size_t rows = context.batch.rows;
  strict_nulls(left, &right, selection, rows, out);
  const Side a(left);
  const Side b(right);
  out.texts.resize(rows);
  for_rows(selection, rows, [&](size_t row) {
    if (out.is_null(row)) return void(out.texts[row] = {});
    DecimalBuffer buffer;
    const auto x = a.small(row);
    const auto y = b.small(row);
    if (kDivides && y && y->value == 0) {  // zero is short
      out.texts[row] = {};
      return context.fail(row, node.expr->span, "MR-SQL-0101", "division by zero");
    }
    const View small = x && y ? kSmall(*x, *y, buffer) : View();
    out.texts[row] = !small.empty()
                         ? context.batch.arena->keep(small)
                         : kept(kOperation(a.decimal(row), b.decimal(row)), node, out, context, row);
  });
  out.type = Type::kNumeric;
}

void negate(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
            Context& context) {
  strict_unary<View, View>(
      Type::kNumeric, left, selection, context.batch.rows, out, [&](View a, size_t row) -> View {
        return out.is_null(row) ? View() : kept(negated(decimal_from(a)), node, out, context, row);
      });
}

void from_integer(const Node&, const Operand& left, const Operand&, const Selection& selection, Column& out,
                  Context& context) {
  strict_unary<int64_t, View>(Type::kNumeric, left, selection, context.batch.rows, out,
                              [&](int64_t value, size_t row) -> View {
                                if (out.is_null(row)) return {};
                                DecimalBuffer buffer;
                                return context.batch.arena->keep(write_decimal(value, 0, buffer));
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
  const bool real = node.expr->type == Type::kReal;  // would be rounded twice
  strict_unary<View, double>(node.expr->type, left, selection, context.batch.rows, out,
                             [&](View bytes, size_t row) -> double {
                               if (out.is_null(row)) return 0;
                               const auto small = small_decimal(bytes);
                               const auto exact = small ? double_of(*small) : std::nullopt;
                               if (exact && !real) return *exact;
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
      return binary<add, add>;
    case Op::kSubtract:
      return binary<subtracted, subtract>;
    case Op::kMultiply:
      return binary<multiply, multiply>;
    case Op::kDivide:
      return binary<divide, divide, true>;
    case Op::kModulo:
      return binary<remainder, no_small, true>;
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
