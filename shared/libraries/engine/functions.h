// The function table: what SQL can call. A function is one row: name, signatures, one sentence, examples.
//
// Why:        the binder's overload resolution, its hints, docs/sql/functions.md, the tests and the comparison
//             with PostgreSQL all come from here, so none of them can forget a function.
// Signatures: a kernel says its own argument types (call_kernel.h deduces them from a C++ function), so a row
//             cannot promise what its kernel does not take.
// NULL:       a signature is strict unless its kernel says otherwise: one NULL argument makes the answer NULL.
// To add one: a C++ function over one row's values, and a line in its family's rows (functions_*.cc).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/program.h"

namespace millrace::engine {

// Fills `out` for the selected rows; it is never an argument's own column.
using CallKernel = void (*)(const Expr& call, std::span<const Operand> args, const Selection& selection,
                            Column& out, Context& context);

struct Signature {
  std::vector<Type> args;
  Type result = Type::kNull;
  CallKernel kernel = nullptr;
  bool variadic = false;  // the last argument may be repeated
  bool strict = true;
  std::string_view name = {};  // the function's; set by the table
};

struct Example {
  std::string_view sql;
  std::string_view value;  // as text; "NULL"; or the id of the error
};

struct Function {
  std::string_view name;
  std::string_view meaning;           // one sentence for the reference, without its full stop
  std::vector<Signature> signatures;  // none: a form that the binder knows (coalesce, nullif)
  std::vector<Example> examples;
  std::string_view form = {};  // how it is written where that is not name(type, …)
  int pattern = -1;            // the argument that is a regular expression: checked when it is constant
};

struct FunctionFamily {
  std::string_view title;
  std::vector<Function> functions;
};

const std::vector<FunctionFamily>& function_table();
const Function* find_function(std::string_view name);
std::string to_string(const Signature& signature);  // "left(text, bigint) → text"

// The families (functions_*.cc).
FunctionFamily text_functions();
FunctionFamily text_part_functions();
FunctionFamily digest_functions();
FunctionFamily pattern_functions();
FunctionFamily quote_functions();
FunctionFamily number_functions();
FunctionFamily whole_functions();
FunctionFamily bit_functions();
FunctionFamily angle_functions();
FunctionFamily time_functions();
FunctionFamily time_making_functions();
FunctionFamily time_unit_functions();
FunctionFamily zone_functions();
FunctionFamily format_functions();
FunctionFamily bytes_functions();
FunctionFamily url_functions();
FunctionFamily jsonb_functions();
FunctionFamily jsonb_array_functions();
FunctionFamily jsonb_change_functions();
FunctionFamily json_path_functions();
FunctionFamily array_functions();
FunctionFamily array_making_functions();
FunctionFamily choice_functions();
Signature substring_by_pattern();         // stands with the patterns
Signature unicode_text();                 // stands with the texts
std::vector<Signature> time_precision();  // stand with the times

}  // namespace millrace::engine
