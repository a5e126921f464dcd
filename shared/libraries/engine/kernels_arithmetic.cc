// + - * / % and negation of numbers (and days and times that are kept as integers), with PostgreSQL's errors.
#include <cmath>

#include "engine/kernels.h"
#include "event/text.h"

namespace millrace::engine {

void strict_nulls(const Operand& left, const Operand* right, const Selection& selection, size_t rows,
                  Column& out) {
  const bool left_has = !left.column->valid.empty();
  const bool right_has = right != nullptr && !right->column->valid.empty();
  if (!left_has && !right_has) {
    out.valid.clear();
    return;
  }
  // `out` may be the left operand: what its bytes say is read before, or at the same index as, it is written.
  const bool left_is_out = left.column == &out;
  if (!left_is_out || !left_has) out.valid.assign(rows, 1);
  uint8_t* valid = out.valid.data();
  if (left_has && !left_is_out) {
    for_rows(selection, rows, [&](size_t i) { valid[i] = left.column->valid[left.at(i)]; });
  }
  if (right_has) for_rows(selection, rows, [&](size_t i) { valid[i] &= right->column->valid[right->at(i)]; });
}

void fail_range(Type type, const Node& node, const Column& out, Context& context, size_t row) {
  if (out.is_null(row)) return;
  std::string_view id = is_number(type) ? "MR-SQL-0102" : "MR-SQL-0104";
  std::string message = is_timestamp(type) ? "timestamp" : std::string(to_string(type));
  message += " out of range";
  if (physical(type) == Physical::kDouble) {
    id = "MR-SQL-0103";
    message = "value out of range for " + std::string(to_string(type));
  }
  context.fail(row, node.expr->span, id, std::move(message));
}

namespace {

struct Fail {
  const Node& node;
  const Column& out;
  Context& context;
  [[gnu::cold]] void range(size_t row) const { fail_range(node.expr->type, node, out, context, row); }
  [[gnu::cold]] void division_by_zero(size_t row) const {
    if (!out.is_null(row)) context.fail(row, node.expr->span, "MR-SQL-0101", "division by zero");
  }
};

struct AddInt {
  static bool run(int64_t a, int64_t b, int64_t& r) { return __builtin_add_overflow(a, b, &r); }
};
struct SubtractInt {
  static bool run(int64_t a, int64_t b, int64_t& r) { return __builtin_sub_overflow(a, b, &r); }
};
struct MultiplyInt {
  static bool run(int64_t a, int64_t b, int64_t& r) { return __builtin_mul_overflow(a, b, &r); }
};

// kNarrow: of a type with a range of its own, inside of bigint's.
template <typename Operation, bool kNarrow>
void int_kernel(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  const Type type = node.expr->type;
  const IntegerRange range = range_of(type);
  strict_binary<int64_t, int64_t, int64_t>(type, left, right, selection, context.batch.rows, out,
                                           [&](int64_t a, int64_t b, size_t i) {
                                             int64_t r = 0;
                                             bool bad = Operation::run(a, b, r);
                                             if constexpr (kNarrow) bad |= !range.holds(r);
                                             if (bad) [[unlikely]]
                                               fail.range(i);
                                             return r;
                                           });
}
template <typename Operation>
Kernel int_kernel_of(Type type) {
  return type == Type::kBigint ? int_kernel<Operation, false> : int_kernel<Operation, true>;
}

// The one quotient that has no place is that of the least value and -1.
void int_divide(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  const int64_t least = range_of(node.expr->type).least;
  const auto divide = [&](int64_t a, int64_t b, size_t i) -> int64_t {
    if (b == 0) return fail.division_by_zero(i), 0;
    if (b == -1 && a == least) return fail.range(i), 0;
    // A NULL's value may be beyond the type's range.
    return b == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(a)) : a / b;
  };
  strict_binary<int64_t, int64_t, int64_t>(node.expr->type, left, right, selection, context.batch.rows, out,
                                           divide);
}

void int_modulo(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto modulo = [&](int64_t a, int64_t b, size_t i) -> int64_t {
    if (b == 0) return fail.division_by_zero(i), 0;
    return b == -1 ? 0 : a % b;
  };
  strict_binary<int64_t, int64_t, int64_t>(node.expr->type, left, right, selection, context.batch.rows, out,
                                           modulo);
}

void int_negate(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  const int64_t least = range_of(node.expr->type).least;
  strict_unary<int64_t, int64_t>(node.expr->type, left, selection, context.batch.rows, out,
                                 [&](int64_t a, size_t i) {
                                   if (a == least) return fail.range(i), int64_t{0};
                                   return static_cast<int64_t>(0 - static_cast<uint64_t>(a));
                                 });
}

// Infinity from finite operands is an overflow, zero from non-zero ones an underflow: errors, as in
// PostgreSQL.
struct AddDouble {
  static double run(double a, double b) { return a + b; }
  static bool bad(double a, double b, double r) { return std::isinf(r) && !std::isinf(a) && !std::isinf(b); }
};
struct SubtractDouble {
  static double run(double a, double b) { return a - b; }
  static bool bad(double a, double b, double r) { return AddDouble::bad(a, b, r); }
};
struct MultiplyDouble {
  static double run(double a, double b) { return a * b; }
  static bool bad(double a, double b, double r) {
    return AddDouble::bad(a, b, r) || (r == 0 && a != 0 && b != 0);
  }
};

// kReal: the result is rounded to a float.
template <typename Operation, bool kReal>
void double_kernel(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                   Column& out, Context& context) {
  const Fail fail{node, out, context};
  strict_binary<double, double, double>(node.expr->type, left, right, selection, context.batch.rows, out,
                                        [&](double a, double b, size_t i) {
                                          double r = Operation::run(a, b);
                                          bool bad = Operation::bad(a, b, r);
                                          if constexpr (kReal) bad |= !to_real(r, r);
                                          if (bad) [[unlikely]]
                                            fail.range(i);
                                          return r;
                                        });
}
template <typename Operation>
Kernel double_kernel_of(Type type) {
  return type == Type::kReal ? double_kernel<Operation, true> : double_kernel<Operation, false>;
}

template <bool kReal>
void double_divide(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                   Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto divide = [&](double a, double b, size_t i) -> double {
    if (b == 0 && !std::isnan(a)) return fail.division_by_zero(i), 0;
    double r = b == 0 ? a : a / b;
    bool bad = (std::isinf(r) && !std::isinf(a)) || (r == 0 && a != 0 && !std::isinf(b));
    if constexpr (kReal) bad |= !to_real(r, r);
    if (bad) fail.range(i);
    return r;
  };
  strict_binary<double, double, double>(node.expr->type, left, right, selection, context.batch.rows, out,
                                        divide);
}

void double_modulo(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                   Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto modulo = [&](double a, double b, size_t i) -> double {
    if (b == 0 && !std::isnan(a)) return fail.division_by_zero(i), 0;
    return std::fmod(a, b);
  };
  strict_binary<double, double, double>(Type::kDouble, left, right, selection, context.batch.rows, out,
                                        modulo);
}

void double_negate(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                   Column& out, Context& context) {
  strict_unary<double, double>(node.expr->type, left, selection, context.batch.rows, out,
                               [](double a, size_t) { return -a; });
}

}  // namespace

Kernel arithmetic_kernel(const Expr& expr) {
  if (expr.args.empty()) return nullptr;
  if (expr.type == Type::kNumeric) return numeric_kernel(expr.op);
  const Physical storage = physical(expr.args[0]->type);
  if (storage != Physical::kInteger && storage != Physical::kDouble) return nullptr;
  const bool whole = storage == Physical::kInteger;
  const Type type = expr.type;
  switch (expr.op) {
    case Op::kAdd:
      return whole ? int_kernel_of<AddInt>(type) : double_kernel_of<AddDouble>(type);
    case Op::kSubtract:
      return whole ? int_kernel_of<SubtractInt>(type) : double_kernel_of<SubtractDouble>(type);
    case Op::kMultiply:
      return whole ? int_kernel_of<MultiplyInt>(type) : double_kernel_of<MultiplyDouble>(type);
    case Op::kDivide:
      return whole ? int_divide : type == Type::kReal ? double_divide<true> : double_divide<false>;
    case Op::kModulo:
      return whole ? int_modulo : double_modulo;
    case Op::kNegate:
      return whole ? int_negate : double_negate;
    default:
      return nullptr;
  }
}

}  // namespace millrace::engine
