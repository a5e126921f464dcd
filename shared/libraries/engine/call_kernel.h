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
inline constexpr std::string_view kIntegerOutOfRange = "MR-SQL-0102";
inline constexpr std::string_view kTimeOutOfRange = "MR-SQL-0104";

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

// The values of one SQL type that is kept as another type's C++ value, told apart.
template <Type kType, typename T>
struct Tagged {
  T value;
};
using Smallint = Tagged<Type::kSmallint, int64_t>;
using Integer = Tagged<Type::kInteger, int64_t>;
using Real = Tagged<Type::kReal, double>;
using Date = Tagged<Type::kDate, int64_t>;
using TimeOfDay = Tagged<Type::kTime, int64_t>;
using Bytea = Tagged<Type::kBytea, std::string_view>;
using Uuid = Tagged<Type::kUuid, std::string_view>;
using Numeric = Tagged<Type::kNumeric, std::string_view>;
using Jsonb = Tagged<Type::kJsonb, std::string_view>;
using TextArray = Tagged<array_of(Type::kText), std::string_view>;
using LocalTimestamp = Tagged<Type::kTimestamp, int64_t>;

// Which SQL type a C++ type stands for, and how the column keeps it.
template <typename T>
struct TypeFor;
template <Type kType, typename T>
struct Plain {
  static constexpr Type type = kType;
  using Stored = T;
  static T load(const T& stored) { return stored; }
  static T store(const T& value) { return value; }
};
template <>
struct TypeFor<bool> {
  static constexpr Type type = Type::kBoolean;
  using Stored = uint8_t;
  static bool load(uint8_t stored) { return stored != 0; }
  static uint8_t store(bool value) { return value; }
};
template <>
struct TypeFor<int64_t> : Plain<Type::kBigint, int64_t> {};
template <>
struct TypeFor<double> : Plain<Type::kDouble, double> {};
template <>
struct TypeFor<std::string_view> : Plain<Type::kText, std::string_view> {};
template <>
struct TypeFor<Interval> : Plain<Type::kInterval, Interval> {};
template <>
struct TypeFor<Timestamp> {
  static constexpr Type type = Type::kTimestamptz;
  using Stored = int64_t;
  static Timestamp load(int64_t stored) { return {stored}; }
  static int64_t store(Timestamp value) { return value.micros; }
};
template <Type kType, typename T>
struct TypeFor<Tagged<kType, T>> {
  static constexpr Type type = kType;
  using Stored = T;
  static Tagged<kType, T> load(const T& stored) { return {stored}; }
  static T store(const Tagged<kType, T>& tagged) { return tagged.value; }
};
template <typename T>
using Stored = typename TypeFor<T>::Stored;

template <typename T>
struct CallArgument {
  explicit CallArgument(const Operand& operand)
      : values(data<Stored<T>>(operand)), stride(operand.constant ? 0 : 1) {}
  T operator[](size_t row) const { return TypeFor<T>::load(values[row * stride]); }
  const Stored<T>* values;
  size_t stride;
};

// NULL where an argument is. False: no row is.
bool strict_nulls(std::span<const Operand> args, const Selection& selection, size_t rows, Column& out);

template <auto F, bool kWithRow, typename R, typename... A>
struct CallOf {
  static Signature signature() {
    Signature made;
    made.args = {TypeFor<A>::type...};
    made.result = TypeFor<R>::type;
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
    set_type(out, TypeFor<R>::type, rows);
    const std::tuple<CallArgument<A>...> arguments{CallArgument<A>(args[I])...};
    Stored<R>* result = values<Stored<R>>(out).data();
    Row row(call, out, context);
    for_rows(selection, rows, [&](size_t i) {
      result[i] = {};  // a NULL must not refer to the text of a batch before
      if (nulls && out.valid[i] == 0) return;
      row.index = i;
      if constexpr (kWithRow)
        result[i] = TypeFor<R>::store(F(row, std::get<I>(arguments)[i]...));
      else
        result[i] = TypeFor<R>::store(F(std::get<I>(arguments)[i]...));
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
