// What the functions of arrays are written with: a row's arguments as an array keeps them. Private to engine/.
//
// A function is `R f(ArrayRow&)`, one for every type of element: most compare and copy elements' bytes. The table has a
// signature for each type, so that overload resolution, tests and the comparison with PostgreSQL see them all.
#pragma once

#include "engine/call_kernel.h"
#include "event/array.h"

namespace millrace::engine {

class ArrayRow : public Row {
 public:
  ArrayRow(const Expr& call, std::span<const Operand> args, Column& out, Context& context)
      : Row(call, out, context), args_(args), elements_(args.size()) {}

  size_t size() const { return args_.size(); }
  bool is_null(size_t arg) const { return args_[arg].is_null(index); }
  Type type(size_t arg) const { return args_[arg].column->type; }
  // A text, or an array's bytes; of NULL none.
  std::string_view text(size_t arg) const {
    return is_null(arg) ? std::string_view() : column(arg).texts[at(arg)];
  }
  bool boolean(size_t arg) const { return column(arg).booleans[at(arg)] != 0; }
  int64_t integer(size_t arg) const { return column(arg).integers[at(arg)]; }
  Type element_type(size_t arg) const { return element_of(type(arg)); }
  ArrayReader reader(size_t arg) const { return {text(arg), element_type(arg)}; }
  // An argument as an element would be kept.
  std::string_view element(size_t arg);

 private:
  const Column& column(size_t arg) const { return *args_[arg].column; }
  size_t at(size_t arg) const { return args_[arg].at(index); }

  std::span<const Operand> args_;
  std::vector<std::string> elements_;
};

// An answer within its bounds; else the row has failed.
std::string_view made_array(Row& row, std::string_view bytes, Type element);

inline bool same_element(std::string_view a, std::string_view b, Type element) {
  return compared_bytes(a, element) == compared_bytes(b, element);
}

template <auto F, bool kStrict, typename R>
void array_kernel(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
                  Context& context) {
  const size_t rows = context.batch.rows;
  out.valid.clear();
  const bool nulls = kStrict && strict_nulls(args, selection, rows, out);
  set_type(out, call.type, rows);
  Stored<R>* result = values<Stored<R>>(out).data();
  ArrayRow row(call, args, out, context);
  for_rows(selection, rows, [&](size_t i) {
    result[i] = {};
    if (nulls && out.valid[i] == 0) return;
    row.index = i;
    result[i] = TypeFor<R>::store(F(row));
  });
}
template <auto F, bool kStrict, typename R>
CallKernel kernel_of(R (*)(ArrayRow&)) {
  return array_kernel<F, kStrict, R>;
}

// A signature for each type of element: make(element, array) says the arguments and the result.
std::vector<Signature> of_every_element(Signature (*make)(Type element, Type array));
template <auto F, bool kStrict = true>
Signature array_call(std::vector<Type> args, Type result) {
  return {.args = std::move(args), .result = result, .kernel = kernel_of<F, kStrict>(F), .strict = kStrict};
}

}  // namespace millrace::engine
