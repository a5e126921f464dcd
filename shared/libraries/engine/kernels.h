// What the kernels are written with: loops over a selection, constant operands, NULL bytes. Private to
// engine/.
#pragma once

#include <type_traits>

#include "engine/program.h"

namespace millrace::engine {

// The dense case has a loop of its own that the compiler can unroll and vectorise.
template <typename F>
inline void for_rows(const Selection& selection, size_t rows, F&& f) {
  if (selection.size() == rows) {
    for (size_t i = 0; i < rows; ++i) f(i);
  } else {
    for (const uint32_t i : selection) f(static_cast<size_t>(i));
  }
}

// Calls f(at_left, at_right) with index functions that are free where the operand is constant.
struct Each {
  size_t operator()(size_t row) const { return row; }
};
struct First {
  size_t operator()(size_t) const { return 0; }
};
template <typename F>
inline void with_indexes(const Operand& left, const Operand& right, F&& f) {
  if (left.constant) {
    right.constant ? f(First{}, First{}) : f(First{}, Each{});
  } else {
    right.constant ? f(Each{}, First{}) : f(Each{}, Each{});
  }
}

// Makes `out` a column of `type` with `rows` values, without touching the values of other types: the left
// operand may live there.
inline void set_type(Column& out, Type type, size_t rows) {
  out.type = type;
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      out.booleans.resize(rows);
      break;
    case Physical::kInteger:
      out.integers.resize(rows);
      break;
    case Physical::kDouble:
      out.doubles.resize(rows);
      break;
    case Physical::kText:
      out.texts.resize(rows);
      break;
    case Physical::kInterval:
      out.intervals.resize(rows);
      break;
  }
}

// NULL if an operand is: the rule of almost every operator.
void strict_nulls(const Operand& left, const Operand* right, const Selection& selection, size_t rows,
                  Column& out);

// The row's result has no place in `type`. A NULL row computes with whatever stands there: its failures do not
// count.
void fail_range(Type type, const Node& node, const Column& out, Context& context, size_t row);

// The vector of a column that holds values of C++ type T. int64_t stands for every type kept as an integer.
template <typename T>
auto& values(Column& c) {
  if constexpr (std::is_same_v<T, int64_t>)
    return c.integers;
  else if constexpr (std::is_same_v<T, double>)
    return c.doubles;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return c.booleans;
  else if constexpr (std::is_same_v<T, std::string_view>)
    return c.texts;
  else
    return c.intervals;
}
template <typename T>
const T* data(const Operand& operand) {
  return values<T>(const_cast<Column&>(*operand.column)).data();
}

// out[i] = f(left[i], right[i], i) for a strict operator.
template <typename A, typename B, typename R, typename F>
inline void strict_binary(Type type, const Operand& left, const Operand& right, const Selection& selection,
                          size_t rows, Column& out, F&& f) {
  strict_nulls(left, &right, selection, rows, out);
  set_type(out, type, rows);
  const A* a = data<A>(left);
  const B* b = data<B>(right);
  R* r = values<R>(out).data();
  with_indexes(left, right, [&](auto at_left, auto at_right) {
    for_rows(selection, rows, [&](size_t i) { r[i] = f(a[at_left(i)], b[at_right(i)], i); });
  });
}
template <typename A, typename R, typename F>
inline void strict_unary(Type type, const Operand& arg, const Selection& selection, size_t rows, Column& out,
                         F&& f) {
  strict_nulls(arg, nullptr, selection, rows, out);
  set_type(out, type, rows);
  const A* a = data<A>(arg);
  R* r = values<R>(out).data();
  for_rows(selection, rows, [&](size_t i) { r[i] = f(a[arg.at(i)], i); });
}

}  // namespace millrace::engine
