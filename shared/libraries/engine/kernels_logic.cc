// NOT, IS [NOT] NULL / TRUE / FALSE, NULLIF.
#include "engine/kernels.h"

namespace millrace::engine {
namespace {

void not_op(const Node&, const Operand& left, const Operand&, const Selection& selection, Column& out,
            Context& context) {
  strict_unary<uint8_t, uint8_t>(Type::kBoolean, left, selection, context.batch.rows, out,
                                 [](uint8_t a, size_t) -> uint8_t { return a == 0; });
}

template <bool kNegated>
void is_null_op(const Node&, const Operand& left, const Operand&, const Selection& selection, Column& out,
                Context& context) {
  out.booleans.resize(context.batch.rows);
  for_rows(selection, context.batch.rows, [&](size_t i) { out.booleans[i] = left.is_null(i) != kNegated; });
  out.type = Type::kBoolean;
  out.valid.clear();
}

// IS TRUE and IS FALSE are never NULL themselves.
template <bool kValue, bool kNegated>
void is_value_op(const Node&, const Operand& left, const Operand&, const Selection& selection, Column& out,
                 Context& context) {
  out.booleans.resize(context.batch.rows);
  for_rows(selection, context.batch.rows, [&](size_t i) {
    const bool is = !left.is_null(i) && (left.column->booleans[left.at(i)] != 0) == kValue;
    out.booleans[i] = is != kNegated;
  });
  out.type = Type::kBoolean;
  out.valid.clear();
}

// The left value, NULL where the right one is equal to it.
template <typename T>
void null_if_op(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const size_t rows = context.batch.rows;
  const bool in_place = left.column == &out;
  if (!in_place) out.valid.assign(rows, 1);
  if (in_place && out.valid.empty()) out.valid.assign(rows, 1);
  set_type(out, node.expr->type, rows);
  const T* a = data<T>(left);
  T* r = values<T>(out).data();
  for_rows(selection, rows, [&](size_t i) {
    const bool null = left.is_null(i);
    const bool equal = !null && !right.is_null(i) &&
                       compare_values(*left.column, left.at(i), *right.column, right.at(i)) == 0;
    r[i] = null ? T{} : a[left.at(i)];  // never the text of a batch before
    out.valid[i] = !null && !equal;
  });
}

Kernel null_if_kernel(Type type) {
  switch (physical(type)) {
    case Physical::kNone:
    case Physical::kBoolean:
      return null_if_op<uint8_t>;
    case Physical::kInteger:
      return null_if_op<int64_t>;
    case Physical::kDouble:
      return null_if_op<double>;
    case Physical::kText:
      return null_if_op<std::string_view>;
    case Physical::kInterval:
      return null_if_op<Interval>;
  }
  return nullptr;
}

}  // namespace

Kernel logic_kernel(const Expr& expr) {
  switch (expr.op) {
    case Op::kNot:
      return not_op;
    case Op::kIsNull:
      return is_null_op<false>;
    case Op::kIsNotNull:
      return is_null_op<true>;
    case Op::kIsTrue:
      return is_value_op<true, false>;
    case Op::kIsNotTrue:
      return is_value_op<true, true>;
    case Op::kIsFalse:
      return is_value_op<false, false>;
    case Op::kIsNotFalse:
      return is_value_op<false, true>;
    case Op::kNullIf:
      return null_if_kernel(expr.args[0]->type);
    default:
      return nullptr;
  }
}

}  // namespace millrace::engine
