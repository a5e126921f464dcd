// What is in an array: elements, sizes, positions. The operators @> <@ && = ANY and subscripts are calls of these
// (sql/bind_array.cc).
#include <algorithm>

#include "engine/array_kernel.h"
#include "formats/array_text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

int64_t size_of(const ArrayRow& row, size_t arg) {
  return static_cast<int64_t>(array_size(row.text(arg), row.element_type(arg)));
}

// The element of that number, NULL where there is none.
void element_kernel(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
                    Context& context) {
  const size_t rows = context.batch.rows;
  strict_nulls(args, selection, rows, out);
  if (out.valid.empty()) out.valid.assign(rows, 1);
  set_type(out, call.type, rows);
  ArrayRow row(call, args, out, context);
  for_rows(selection, rows, [&](size_t i) {
    if (physical(out.type) == Physical::kText) out.texts[i] = {};
    if (out.valid[i] == 0) return;
    row.index = i;
    ArrayReader reader = row.reader(0);
    View at;
    int64_t left = row.integer(1);
    while (left > 0 && reader.next(at)) --left;
    if (left != 0 || row.integer(1) <= 0) return row.null();
    load_ordered(at, out, i, *context.batch.arena);
  });
}

Integer cardinality(ArrayRow& row) {
  return {size_of(row, 0)};
}
// Of the one dimension; an empty array has none.
Integer length(ArrayRow& row) {
  const int64_t size = row.integer(1) == 1 ? size_of(row, 0) : 0;
  if (size == 0) row.null();
  return {size};
}
Integer lower(ArrayRow& row) {
  length(row);
  return {1};
}
Integer ndims(ArrayRow& row) {
  if (row.text(0).empty()) row.null();
  return {1};
}

// The first place at or behind `from` of an element that is not distinct from the second argument; 0: none.
int64_t find_from(ArrayRow& row, int64_t from) {
  const View wanted = row.element(1);
  ArrayReader reader = row.reader(0);
  int64_t place = 0;
  for (View at; reader.next(at);) {
    if (++place >= from && same_element(at, wanted, row.element_type(0))) return place;
  }
  return 0;
}
Integer position(ArrayRow& row) {
  const int64_t place = row.is_null(0) ? 0 : find_from(row, 1);
  if (place == 0) row.null();
  return {place};
}
Integer position_from(ArrayRow& row) {
  // As in PostgreSQL, a start that is NULL is no error where it is not looked at.
  const bool unused = row.text(0).empty() || (row.is_null(1) && find_from(row, 1) == 0);
  if (row.is_null(2) && !unused)
    return row.fail(kBadArgument, "initial position must not be null"), Integer{};
  const int64_t place = unused ? 0 : find_from(row, row.integer(2));
  if (place == 0) row.null();
  return {place};
}
View positions(ArrayRow& row) {
  if (row.is_null(0)) return row.null(), View();
  const View wanted = row.element(1);
  ArrayMaker places(Type::kInteger);
  ArrayReader reader = row.reader(0);
  int64_t place = 0;
  for (View at; reader.next(at);) {
    ++place;
    if (same_element(at, wanted, row.element_type(0))) places.add(place);
  }
  return made_array(row, places.bytes(), Type::kInteger);
}

// Without NULLs, which are equal to nothing.
std::vector<View> sorted_elements(const ArrayRow& row, size_t arg) {
  std::vector<View> out;
  ArrayReader reader = row.reader(arg);
  for (View at; reader.next(at);) {
    if (!is_ordered_null(at)) out.push_back(compared_bytes(at, row.element_type(arg)));
  }
  std::ranges::sort(out);
  return out;
}
bool holds_all(ArrayRow& row, size_t outer, size_t inner) {
  const std::vector<View> held = sorted_elements(row, outer);
  ArrayReader reader = row.reader(inner);
  for (View at; reader.next(at);) {
    if (is_ordered_null(at) || !std::ranges::binary_search(held, compared_bytes(at, row.element_type(inner))))
      return false;
  }
  return true;
}
bool contains(ArrayRow& row) {
  return holds_all(row, 0, 1);
}
bool contained(ArrayRow& row) {
  return holds_all(row, 1, 0);
}
bool overlap(ArrayRow& row) {
  const std::vector<View> held = sorted_elements(row, 0);
  return std::ranges::any_of(sorted_elements(row, 1),
                             [&](View at) { return std::ranges::binary_search(held, at); });
}

bool compares(View op, Type type) {
  constexpr View kOrder[] = {"<", "<=", ">", ">="};
  const bool orders = has_order(type) && std::ranges::find(kOrder, op) != std::end(kOrder);
  return orders || op == "=" || op == "<>" || op == "!=";
}
bool holds(View op, int order) {
  if (op == "=") return order == 0;
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  return op == ">=" ? order >= 0 : order != 0;
}

// One element decides, or none; an unknown one leaves it open, as a NULL does that is compared with any.
template <bool kAll>
bool compare_each(ArrayRow& row) {
  if (row.is_null(0) || row.is_null(2)) return row.null(), false;
  const Type type = row.element_type(2);
  if (!compares(row.text(0), type))
    return row.fail(kBadArgument, "elements are not compared by \"" + std::string(row.text(0)) + "\""), false;
  const View value = row.element(1);
  ArrayReader reader = row.reader(2);
  bool unknown = false;
  for (View at; reader.next(at);) {
    if (is_ordered_null(value) || is_ordered_null(at)) {
      unknown = true;
    } else if (holds(row.text(0), compared_bytes(value, type).compare(compared_bytes(at, type))) != kAll) {
      return !kAll;
    }
  }
  if (unknown) row.null();
  return kAll;
}

void append_joined(std::string& out, const ArrayRow& row, const View* null_text) {
  Column elements;
  Arena arena;
  elements.type = row.element_type(0);
  append_elements(row.text(0), elements, arena);
  bool first = true;
  for (size_t i = 0; i < elements.size() && out.size() <= kMaxTextBytes; ++i) {
    if (elements.is_null(i) && null_text == nullptr) continue;
    if (!std::exchange(first, false)) out += row.text(1);
    if (elements.is_null(i))
      out += *null_text;
    else
      formats::append_output(out, elements, i);
  }
}
View to_text(ArrayRow& row) {
  std::string out;
  append_joined(out, row, nullptr);
  return row.keep(out);
}
View to_text_with_nulls(ArrayRow& row) {
  if (row.is_null(0) || row.is_null(1)) return row.null(), View();
  const View null_text = row.is_null(2) ? View() : row.text(2);
  std::string out;
  append_joined(out, row, row.is_null(2) ? nullptr : &null_text);
  return row.keep(out);
}

template <bool kAll>
std::vector<Signature> quantifier() {
  return of_every_element([](Type element, Type array) {
    return array_call<compare_each<kAll>, false>({Type::kText, element, array}, Type::kBoolean);
  });
}
template <auto F>
std::vector<Signature> of_two_arrays() {
  return of_every_element([](Type, Type array) { return array_call<F>({array, array}, Type::kBoolean); });
}
template <auto F>
std::vector<Signature> of_dimension() {
  return of_every_element([](Type, Type array) {
    return array_call<F>({array, Type::kInteger}, Type::kInteger);
  });
}
template <auto F>
std::vector<Signature> of_array() {
  return of_every_element([](Type, Type array) { return array_call<F>({array}, Type::kInteger); });
}

std::vector<Signature> both(std::vector<Signature> a, const std::vector<Signature>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

FunctionFamily array_functions() {
  return {
      "Arrays",
      {
          {"array_element",
           "The element of that number, from 1; NULL if there is none; written `array[n]`",
           of_every_element([](Type element, Type array) {
             return Signature{.args = {array, Type::kBigint}, .result = element, .kernel = element_kernel};
           }),
           {{"(ARRAY['a', 'b'])[2]", "b"}, {"(ARRAY[1, 2])[3]", "NULL"}},
           "array_element(any[], bigint) → any"},
          {"cardinality",
           "The number of elements",
           of_array<cardinality>(),
           {{"cardinality(ARRAY[1, NULL])", "2"}, {"cardinality('{}'::int[])", "0"}},
           "cardinality(any[]) → integer"},
          {"array_length",
           "The number of elements in a dimension, which is 1; NULL if there are none",
           of_dimension<length>(),
           {{"array_length(ARRAY[1, 2], 1)", "2"}, {"array_length('{}'::int[], 1)", "NULL"}},
           "array_length(any[], integer) → integer"},
          {"array_lower",
           "The first subscript, 1; NULL if there are no elements",
           of_dimension<lower>(),
           {{"array_lower(ARRAY[5, 6], 1)", "1"}},
           "array_lower(any[], integer) → integer"},
          {"array_upper",
           "The last subscript; NULL if there are no elements",
           of_dimension<length>(),
           {{"array_upper(ARRAY[5, 6], 1)", "2"}},
           "array_upper(any[], integer) → integer"},
          {"array_ndims",
           "The number of dimensions, 1; NULL if there are no elements",
           of_array<ndims>(),
           {{"array_ndims(ARRAY[5, 6])", "1"}},
           "array_ndims(any[]) → integer"},
          {"array_position",
           "The subscript of the first such element, at or behind the third argument; NULL if there is none",
           both(of_every_element([](Type element, Type array) {
                  return array_call<position, false>({array, element}, Type::kInteger);
                }),
                of_every_element([](Type element, Type array) {
                  return array_call<position_from, false>({array, element, Type::kInteger}, Type::kInteger);
                })),
           {{"array_position(ARRAY['a', 'b', 'a'], 'a')", "1"},
            {"array_position(ARRAY['a', 'b', 'a'], 'a', 2)", "3"}},
           "array_position(any[], any[, integer]) → integer"},
          {"array_positions",
           "The subscripts of all such elements",
           of_every_element([](Type element, Type array) {
             return array_call<positions, false>({array, element}, array_of(Type::kInteger));
           }),
           {{"array_positions(ARRAY[1, NULL, 1], 1)", "{1,3}"}},
           "array_positions(any[], any) → integer[]"},
          {"arraycontains",
           "Whether the first array has all elements of the second; written `array @> array`",
           of_two_arrays<contains>(),
           {{"ARRAY[1, 2, 3] @> ARRAY[3, 1]", "true"}, {"ARRAY[NULL]::int[] @> ARRAY[NULL]::int[]", "false"}},
           "arraycontains(any[], any[]) → boolean"},
          {"arraycontained",
           "Whether the second array has all elements of the first; written `array <@ array`",
           of_two_arrays<contained>(),
           {{"ARRAY[1] <@ ARRAY[1, 2]", "true"}},
           "arraycontained(any[], any[]) → boolean"},
          {"arrayoverlap",
           "Whether the arrays have an element in common; written `array && array`",
           of_two_arrays<overlap>(),
           {{"ARRAY[1, 2] && ARRAY[2, 3]", "true"}},
           "arrayoverlap(any[], any[]) → boolean"},
          {"array_any",
           "Whether a comparison holds for an element; written `x = ANY (array)`, `SOME`",
           quantifier<false>(),
           {{"2 = ANY (ARRAY[1, 2])", "true"},
            {"2 = ANY (ARRAY[1, NULL])", "NULL"},
            {"2 > ANY ('{}')", "false"}},
           "array_any(operator, any, any[]) → boolean"},
          {"array_all",
           "Whether a comparison holds for all elements; written `x <> ALL (array)`",
           quantifier<true>(),
           {{"3 <> ALL (ARRAY[1, 2])", "true"}, {"1 < ALL (ARRAY[1, 2])", "false"}},
           "array_all(operator, any, any[]) → boolean"},
          {"array_to_string",
           "The elements' texts with the second argument between them; NULLs as the third, or left out",
           both(
               of_every_element([](Type, Type array) {
                 return array_call<to_text>({array, Type::kText}, Type::kText);
               }),
               of_every_element([](Type, Type array) {
                 return array_call<to_text_with_nulls, false>({array, Type::kText, Type::kText}, Type::kText);
               })),
           {{"array_to_string(ARRAY[1, NULL, 3], ', ')", "1, 3"},
            {"array_to_string(ARRAY[1, NULL, 3], ',', '*')", "1,*,3"}},
           "array_to_string(any[], text[, text]) → text"},
      }};
}

}  // namespace millrace::engine
