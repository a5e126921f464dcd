// = <> < <= > >= and IS [NOT] DISTINCT FROM over every type.
#include <cmath>

#include "engine/kernels.h"
#include "event/text.h"

namespace millrace::engine {

int compare_doubles(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  return static_cast<int>(std::isnan(a)) -
         static_cast<int>(std::isnan(b));  // NaN is above all, equal to itself
}

namespace {

template <typename T>
int compare3(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return compare_doubles(a, b);
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return a.compare(b);
  } else if constexpr (std::is_same_v<T, Interval>) {
    const __int128 x = total_micros(a);
    const __int128 y = total_micros(b);
    return x < y ? -1 : x > y;
  } else {
    return a < b ? -1 : a > b;
  }
}

template <typename T>
struct Equal {
  static bool run(const T& a, const T& b) {
    if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, int64_t>)
      return a == b;
    else
      return compare3<T>(a, b) == 0;
  }
};
template <typename T>
struct Less {
  static bool run(const T& a, const T& b) {
    if constexpr (std::is_same_v<T, double>)
      return a < b || (std::isnan(b) && !std::isnan(a));
    else
      return compare3<T>(a, b) < 0;
  }
};

// Six operators from two comparisons: a > b is b < a, a >= b is NOT a < b.
template <typename T, template <typename> typename Compare, bool kNegated>
void compare_op(const Node&, const Operand& left, const Operand& right, const Selection& selection,
                Column& out, Context& context) {
  strict_binary<T, T, uint8_t>(
      Type::kBoolean, left, right, selection, context.batch.rows, out,
      [](const T& a, const T& b, size_t) -> uint8_t { return Compare<T>::run(a, b) != kNegated; });
}
template <typename T>
struct Greater {
  static bool run(const T& a, const T& b) { return Less<T>::run(b, a); }
};

template <typename T, bool kNot>
void distinct_op(const Node&, const Operand& left, const Operand& right, const Selection& selection,
                 Column& out, Context& context) {
  const size_t rows = context.batch.rows;
  const T* a = data<T>(left);
  const T* b = data<T>(right);
  out.booleans.resize(rows);
  for_rows(selection, rows, [&](size_t i) {
    const bool left_null = left.is_null(i);
    const bool right_null = right.is_null(i);
    const bool same =
        left_null || right_null ? left_null == right_null : Equal<T>::run(a[left.at(i)], b[right.at(i)]);
    out.booleans[i] = same == kNot;
  });
  out.type = Type::kBoolean;
  out.valid.clear();
}

template <typename T>
Kernel typed_kernel(Op op) {
  switch (op) {
    case Op::kEqual:
      return compare_op<T, Equal, false>;
    case Op::kNotEqual:
      return compare_op<T, Equal, true>;
    case Op::kLess:
      return compare_op<T, Less, false>;
    case Op::kGreaterEqual:
      return compare_op<T, Less, true>;
    case Op::kGreater:
      return compare_op<T, Greater, false>;
    case Op::kLessEqual:
      return compare_op<T, Greater, true>;
    case Op::kIsDistinct:
      return distinct_op<T, false>;
    case Op::kIsNotDistinct:
      return distinct_op<T, true>;
    default:
      return nullptr;
  }
}

}  // namespace

int compare_values(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  switch (physical(a.type)) {
    case Physical::kNone:
      return 0;
    case Physical::kBoolean:
      return compare3(a.booleans[row_a], b.booleans[row_b]);
    case Physical::kInteger:
      return compare3(a.integers[row_a], b.integers[row_b]);
    case Physical::kDouble:
      return compare3(a.doubles[row_a], b.doubles[row_b]);
    case Physical::kText:
      return compare3(a.texts[row_a], b.texts[row_b]);
    case Physical::kInterval:
      return compare3(a.intervals[row_a], b.intervals[row_b]);
  }
  return 0;
}

Kernel compare_kernel(const Expr& expr) {
  if (expr.args.size() != 2) return nullptr;
  // Only IS DISTINCT comes here with a bare NULL; it never looks at a NULL's value.
  const Type type = expr.args[0]->type == Type::kNull ? expr.args[1]->type : expr.args[0]->type;
  switch (physical(type)) {
    case Physical::kNone:
    case Physical::kBoolean:
      return typed_kernel<uint8_t>(expr.op);
    case Physical::kInteger:
      return typed_kernel<int64_t>(expr.op);
    case Physical::kDouble:
      return typed_kernel<double>(expr.op);
    case Physical::kText:
      return typed_kernel<std::string_view>(expr.op);
    case Physical::kInterval:
      return typed_kernel<Interval>(expr.op);
  }
  return nullptr;
}

}  // namespace millrace::engine
