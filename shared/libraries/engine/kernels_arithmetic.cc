// + - * / % and negation of bigint and double precision, with PostgreSQL's errors.
#include <cmath>

#include "engine/kernels.h"

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

namespace {

constexpr std::string_view kDivisionByZero = "MR-SQL-0101";
constexpr std::string_view kBigintRange = "MR-SQL-0102";
constexpr std::string_view kDoubleRange = "MR-SQL-0103";

struct Fail {
  const Node& node;
  const Column& out;
  Context& context;
  // A NULL row computes with whatever stands there: its failures do not count.
  [[gnu::cold]] void operator()(size_t row, std::string_view id) const {
    if (out.is_null(row)) return;
    const char* message = id == kDivisionByZero ? "division by zero"
                          : id == kBigintRange  ? "bigint out of range"
                                                : "value out of range for double precision";
    context.fail(row, node.expr->span, id, message);
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

template <typename Operation>
void int_kernel(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  strict_binary<int64_t, int64_t, int64_t>(Type::kBigint, left, right, selection, context.batch.rows, out,
                                           [&](int64_t a, int64_t b, size_t i) {
                                             int64_t r = 0;
                                             if (Operation::run(a, b, r)) [[unlikely]]
                                               fail(i, kBigintRange);
                                             return r;
                                           });
}

void int_divide(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto divide = [&](int64_t a, int64_t b, size_t i) -> int64_t {
    if (b == 0) return fail(i, kDivisionByZero), 0;
    if (b == -1 && a == INT64_MIN) return fail(i, kBigintRange), 0;
    return a / b;
  };
  strict_binary<int64_t, int64_t, int64_t>(Type::kBigint, left, right, selection, context.batch.rows, out,
                                           divide);
}

void int_modulo(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto modulo = [&](int64_t a, int64_t b, size_t i) -> int64_t {
    if (b == 0) return fail(i, kDivisionByZero), 0;
    return b == -1 ? 0 : a % b;
  };
  strict_binary<int64_t, int64_t, int64_t>(Type::kBigint, left, right, selection, context.batch.rows, out,
                                           modulo);
}

void int_negate(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                Column& out, Context& context) {
  const Fail fail{node, out, context};
  strict_unary<int64_t, int64_t>(Type::kBigint, left, selection, context.batch.rows, out,
                                 [&](int64_t a, size_t i) {
                                   if (a == INT64_MIN) return fail(i, kBigintRange), int64_t{0};
                                   return -a;
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

template <typename Operation>
void double_kernel(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                   Column& out, Context& context) {
  const Fail fail{node, out, context};
  strict_binary<double, double, double>(Type::kDouble, left, right, selection, context.batch.rows, out,
                                        [&](double a, double b, size_t i) {
                                          const double r = Operation::run(a, b);
                                          if (Operation::bad(a, b, r)) [[unlikely]]
                                            fail(i, kDoubleRange);
                                          return r;
                                        });
}

void double_divide(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                   Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto divide = [&](double a, double b, size_t i) -> double {
    if (b == 0 && !std::isnan(a)) return fail(i, kDivisionByZero), 0;
    const double r = b == 0 ? a : a / b;
    if ((std::isinf(r) && !std::isinf(a)) || (r == 0 && a != 0 && !std::isinf(b))) fail(i, kDoubleRange);
    return r;
  };
  strict_binary<double, double, double>(Type::kDouble, left, right, selection, context.batch.rows, out,
                                        divide);
}

void double_modulo(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                   Column& out, Context& context) {
  const Fail fail{node, out, context};
  const auto modulo = [&](double a, double b, size_t i) -> double {
    if (b == 0 && !std::isnan(a)) return fail(i, kDivisionByZero), 0;
    return std::fmod(a, b);
  };
  strict_binary<double, double, double>(Type::kDouble, left, right, selection, context.batch.rows, out,
                                        modulo);
}

void double_negate(const Node&, const Operand& left, const Operand&, const Selection& selection, Column& out,
                   Context& context) {
  strict_unary<double, double>(Type::kDouble, left, selection, context.batch.rows, out,
                               [](double a, size_t) { return -a; });
}

}  // namespace

Kernel arithmetic_kernel(const Expr& expr) {
  if (expr.args.empty()) return nullptr;
  const Type type = expr.args[0]->type;
  if (type != Type::kBigint && type != Type::kDouble) return nullptr;
  const bool whole = type == Type::kBigint;
  switch (expr.op) {
    case Op::kAdd:
      return whole ? int_kernel<AddInt> : double_kernel<AddDouble>;
    case Op::kSubtract:
      return whole ? int_kernel<SubtractInt> : double_kernel<SubtractDouble>;
    case Op::kMultiply:
      return whole ? int_kernel<MultiplyInt> : double_kernel<MultiplyDouble>;
    case Op::kDivide:
      return whole ? int_divide : double_divide;
    case Op::kModulo:
      return whole ? int_modulo : double_modulo;
    case Op::kNegate:
      return whole ? int_negate : double_negate;
    default:
      return nullptr;
  }
}

}  // namespace millrace::engine
