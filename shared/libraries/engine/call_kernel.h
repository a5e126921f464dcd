// call<F>(): a table row's signature and kernel from a C++ function F over one row's values. Private to
// engine/.
//
//   int64_t sign(int64_t x);                           // cannot fail
//   std::string_view left(Row& row, std::string_view text, int64_t n);  // may fail, answer NULL, make text
//
// The loop over the selection calls F directly, so the compiler can inline it: no call through a pointer a
// row.
#pragma once

#include <array>
#include <cstring>
#include <tuple>
#include <utility>

#include "engine/functions.h"
#include "engine/kernels.h"

namespace millrace::engine {

inline constexpr std::string_view kBadArgument = "MR-SQL-0120";
inline constexpr std::string_view kBadRegex = "MR-SQL-0121";
inline constexpr std::string_view kLongText = "MR-SQL-0108";
inline constexpr std::string_view kDoubleOutOfRange = "MR-SQL-0103";
inline constexpr std::string_view kBigintOutOfRange = "MR-SQL-0102";

// What a row's function may do besides answering. Every answer after fail() or null() is ignored.
class Row {
 public:
  Row(const Expr& call, Column& out, Context& context) : context(context), call_(call), out_(out) {}

  void fail(std::string_view id, std::string message) {
    context.fail(index, call_.span, id, std::move(message));
  }
  void null() {
    if (out_.valid.empty()) out_.valid.assign(context.batch.rows, 1);
    out_.valid[index] = 0;
  }
  // Room for a text of the answer; null, and the row has failed, if it is over `bound`.
  char* room(size_t bytes, size_t bound = kMaxTextBytes);
  std::string_view keep(std::string_view bytes);

  size_t index = 0;
  Context& context;

 private:
  const Expr& call_;
  Column& out_;
};

template <typename T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, bool>)
    return Type::kBoolean;
  else if constexpr (std::is_same_v<T, int64_t>)
    return Type::kBigint;
  else if constexpr (std::is_same_v<T, double>)
    return Type::kDouble;
  else if constexpr (std::is_same_v<T, std::string_view>)
    return Type::kText;
  else if constexpr (std::is_same_v<T, Timestamp>)
    return Type::kTimestamptz;
  else {
    static_assert(std::is_same_v<T, Interval>);
    return Type::kInterval;
  }
}

// How the column keeps a T.
template <typename T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t,
                                  std::conditional_t<std::is_same_v<T, Timestamp>, int64_t, T>>;
template <typename T>
Stored<T> stored(const T& value) {
  if constexpr (std::is_same_v<T, Timestamp>)
    return value.micros;
  else
    return value;
}

template <typename T>
struct Argument {
  explicit Argument(const Operand& operand)
      : values(data<Stored<T>>(operand)), stride(operand.constant ? 0 : 1) {}
  T operator[](size_t row) const {
    if constexpr (std::is_same_v<T, Timestamp>)
      return Timestamp{values[row * stride]};
    else
      return static_cast<T>(values[row * stride]);
  }
  const Stored<T>* values;
  size_t stride;
};

// NULL where an argument is. False: no row is.
bool strict_nulls(std::span<const Operand> args, const Selection& selection, size_t rows, Column& out);

template <auto F, bool kWithRow, typename R, typename... A>
struct CallOf {
  static Signature signature() {
    Signature made;
    made.args = {type_of<A>()...};
    made.result = type_of<R>();
    made.kernel = kernel;
    return made;
  }
  static void kernel(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
                     Context& context) {
    run(call, args, selection, out, context, std::index_sequence_for<A...>());
  }
  template <size_t... I>
  static void run(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
                  Context& context, std::index_sequence<I...>) {
    const size_t rows = context.batch.rows;
    const bool nulls = strict_nulls(args, selection, rows, out);
    set_type(out, type_of<R>(), rows);
    const std::tuple<Argument<A>...> arguments{Argument<A>(args[I])...};
    Stored<R>* result = values<Stored<R>>(out).data();
    Row row(call, out, context);
    for_rows(selection, rows, [&](size_t i) {
      result[i] = {};  // a NULL must not refer to the text of a batch before
      if (nulls && out.valid[i] == 0) return;
      row.index = i;
      if constexpr (kWithRow)
        result[i] = stored<R>(F(row, std::get<I>(arguments)[i]...));
      else
        result[i] = stored<R>(F(std::get<I>(arguments)[i]...));
    });
  }
};

template <auto F, typename R, typename... A>
Signature call_of(R (*)(Row&, A...)) {
  return CallOf<F, true, R, A...>::signature();
}
template <auto F, typename R, typename... A>
Signature call_of(R (*)(A...)) {
  return CallOf<F, false, R, A...>::signature();
}
template <auto F>
Signature call() {
  return call_of<F>(F);
}

}  // namespace millrace::engine
