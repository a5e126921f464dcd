// One of several values: greatest and least; the others are forms of their own, for they may leave an argument
// unevaluated or take any type.
#include "engine/call_kernel.h"

namespace millrace::engine {
namespace {

template <typename T, int kSign>
void choose(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
            Context& context) {
  const size_t rows = context.batch.rows;
  set_type(out, call.type, rows);
  out.valid.assign(rows, 1);
  T* result = values<T>(out).data();
  for_rows(selection, rows, [&](size_t i) {
    const Operand* best = nullptr;
    for (const Operand& arg : args) {
      if (arg.is_null(i)) continue;
      if (best == nullptr || compare_values(*arg.column, arg.at(i), *best->column, best->at(i)) * kSign > 0)
        best = &arg;
    }
    out.valid[i] = best != nullptr;
    result[i] = best == nullptr ? T{} : data<T>(*best)[best->at(i)];
  });
}

template <int kSign>
CallKernel chooser(Physical storage) {
  switch (storage) {
    case Physical::kBoolean:
      return choose<uint8_t, kSign>;
    case Physical::kInteger:
      return choose<int64_t, kSign>;
    case Physical::kDouble:
      return choose<double, kSign>;
    case Physical::kText:
      return choose<std::string_view, kSign>;
    default:
      return choose<Interval, kSign>;
  }
}
template <int kSign>
std::vector<Signature> of_every_type() {
  using enum Type;
  std::vector<Signature> out;
  for (const Type type : {kSmallint, kInteger, kBigint, kReal, kDouble, kText, kDate, kTime, kTimestamp,
                          kTimestamptz, kInterval, kBoolean, kBytea, kUuid, kNumeric}) {
    out.push_back({.args = {type},
                   .result = type,
                   .kernel = chooser<kSign>(physical(type)),
                   .variadic = true,
                   .strict = false});
  }
  return out;
}

}  // namespace

FunctionFamily choice_functions() {
  return {
      "Choices",
      {
          {"greatest",
           "The greatest of the arguments that are not NULL",
           of_every_type<1>(),
           {{"greatest(1, 2.5, NULL)", "2.5"}, {"greatest('a', 'b')", "b"}},
           "greatest(any, …) → any"},
          {"least",
           "The least of the arguments that are not NULL",
           of_every_type<-1>(),
           {{"least(3, 1, 2)", "1"}},
           "least(any, …) → any"},
          {"coalesce",
           "The first argument that is not NULL; those behind it are not evaluated",
           {},
           {{"coalesce(NULL, 2, 1 / 0)", "2"}},
           "coalesce(any, …) → any"},
          {"nullif",
           "The first argument, NULL where it is equal to the second",
           {},
           {{"nullif(1, 2)", "1"}, {"nullif(1, 1)", "NULL"}},
           "nullif(any, any) → any"},
          {"ifnull", "coalesce of two arguments", {}, {{"ifnull(NULL, 2)", "2"}}, "ifnull(any, any) → any"},
          {"if",
           "The second argument where the first is true, else the third; the other is not evaluated",
           {},
           {{"if(2 > 1, 'more', 'less')", "more"}, {"if(NULL, 1 / 0, 7)", "7"}},
           "if(boolean, any, any) → any"},
          {"num_nulls",
           "How many of the arguments are NULL",
           {},
           {{"num_nulls(1, NULL, 'a')", "1"}},
           "num_nulls(any, …) → integer"},
          {"num_nonnulls",
           "How many of the arguments are not NULL",
           {},
           {{"num_nonnulls(1, NULL, 'a')", "2"}},
           "num_nonnulls(any, …) → integer"},
          {"try_cast",
           "The cast, NULL where it fails; what fails in the value itself fails",
           {},
           {{"TRY_CAST('42' AS INTEGER)", "42"},
            {"TRY_CAST('4x' AS INTEGER)", "NULL"},
            {"TRY_CAST(123.45 AS NUMERIC(4, 2))", "NULL"},
            {"TRY_CAST(1 / 0 AS TEXT)", "MR-SQL-0101"}},
           "TRY_CAST(any AS type) → type"},
          {"pg_typeof",
           "The type's name, as a text",
           {},
           {{"pg_typeof(1 + 2.5)", "numeric"}, {"pg_typeof(ARRAY['a'])", "text[]"}},
           "pg_typeof(any) → text"},
      }};
}

}  // namespace millrace::engine
