#include "engine/row_kernel.h"

#include "engine/call_kernel.h"
#include "event/row.h"

namespace millrace::engine {
namespace {

void make(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
          Context& context) {
  const size_t rows = context.batch.rows;
  out.valid.clear();
  set_type(out, call.type, rows);
  Row row(call, out, context);
  std::string bytes;
  for_rows(selection, rows, [&](size_t i) {
    row.index = i;
    bytes.clear();
    for (const Operand& arg : args) append_ordered(bytes, *arg.column, arg.at(i));
    out.texts[i] = row.keep(bytes);
  });
}

void read(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
          Context& context) {
  const size_t rows = context.batch.rows;
  const Column& row = *args[0].column;
  const Schema& fields = fields_of(call.args[0]->type);
  const auto place = static_cast<size_t>(args[1].column->integers[0]);
  set_type(out, call.type, rows);
  out.valid.assign(rows, 1);
  for_rows(selection, rows, [&](size_t i) {
    if (args[0].is_null(i)) {
      out.valid[i] = 0;
      if (physical(out.type) == Physical::kText) out.texts[i] = {};
      return;
    }
    const std::string_view field = field_bytes(row.texts[args[0].at(i)], fields, place);
    load_ordered(field, out, i, *context.batch.arena);
  });
}

template <bool kNull>
void test(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
          Context& context) {
  const size_t rows = context.batch.rows;
  const Schema& fields = fields_of(call.args[0]->type);
  set_type(out, Type::kBoolean, rows);
  out.valid.clear();
  for_rows(selection, rows, [&](size_t i) {
    out.booleans[i] =
        args[0].is_null(i) ? kNull : all_fields(args[0].column->texts[args[0].at(i)], fields, kNull);
  });
}

Signature named(std::string_view name, CallKernel kernel) {
  return {.args = {}, .kernel = kernel, .strict = false, .name = name};
}

}  // namespace

const Signature& row_constructor() {
  static const Signature signature = named("row", make);
  return signature;
}
const Signature& row_field() {
  static const Signature signature = named("row_field", read);
  return signature;
}
const Signature& row_is_null() {
  static const Signature signature = named("row_is_null", test<true>);
  return signature;
}
const Signature& row_is_not_null() {
  static const Signature signature = named("row_is_not_null", test<false>);
  return signature;
}

}  // namespace millrace::engine
