// What makes arrays: of values, of other arrays, of texts. ARRAY[…], || and slices are calls of these
// (sql/bind_array.cc).
#include "engine/array_kernel.h"
#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

View of_values(ArrayRow& row) {
  std::string out;
  for (size_t i = 0; i < row.size(); ++i) out += row.element(i);
  return made_array(row, out, row.type(0));
}

View append(ArrayRow& row) {
  std::string out(row.text(0));
  return made_array(row, out.append(row.element(1)), row.element_type(0));
}
View prepend(ArrayRow& row) {
  std::string out(row.element(0));
  return made_array(row, out.append(row.text(1)), row.element_type(1));
}
View cat(ArrayRow& row) {
  if (row.is_null(0) && row.is_null(1)) return row.null(), View();
  std::string out(row.text(0));
  return made_array(row, out.append(row.text(1)), row.element_type(0));
}

// Each element that is not distinct from the second argument becomes `with`.
View replaced(ArrayRow& row, View with) {
  if (row.is_null(0)) return row.null(), View();
  const View old = row.element(1);
  std::string out;
  ArrayReader reader = row.reader(0);
  for (View at; reader.next(at) && out.size() <= kMaxTextBytes;)
    out += same_element(at, old, row.element_type(0)) ? with : at;
  return made_array(row, out, row.element_type(0));
}
View remove(ArrayRow& row) {
  return replaced(row, {});
}
View replace(ArrayRow& row) {
  return replaced(row, row.element(2));
}

View between(const ArrayRow& row, int64_t from, int64_t to) {
  ArrayReader reader = row.reader(0);
  const char* begin = nullptr;
  const char* end = nullptr;
  int64_t place = 0;
  for (View at; place < to && reader.next(at);) {
    if (++place < from) continue;
    if (begin == nullptr) begin = at.data();
    end = at.data() + at.size();
  }
  return {begin, static_cast<size_t>(end - begin)};
}
View slice(ArrayRow& row) {
  return row.keep(between(row, row.integer(1), row.integer(2)));
}
View trim(ArrayRow& row) {
  const auto size = static_cast<int64_t>(array_size(row.text(0), row.element_type(0)));
  if (row.integer(1) >= 0 && row.integer(1) <= size) return row.keep(between(row, 1, size - row.integer(1)));
  row.fail(kBadArgument, "number of elements to trim must be between 0 and " + std::to_string(size));
  return {};
}

// Calls f(part) for each part of a text; without a separator, for each character.
template <typename F>
void for_parts(View text, const View* separator, F f) {
  if (text.empty()) return;
  if (separator == nullptr) {
    for (size_t at = 0; at < text.size();) {
      const View c = character_at(text, at);
      f(c);
      at += c.size();
    }
    return;
  }
  for (size_t end; !separator->empty() && (end = text.find(*separator)) != View::npos;
       text.remove_prefix(end + separator->size())) {
    f(text.substr(0, end));
  }
  f(text);
}
View split(ArrayRow& row, const View* null_text) {
  if (row.is_null(0)) return row.null(), View();
  const View separator = row.is_null(1) ? View() : row.text(1);
  ArrayMaker parts(Type::kText);
  for_parts(row.text(0), row.is_null(1) ? nullptr : &separator, [&](View part) {
    if (parts.bytes().size() > kMaxTextBytes) return;
    const bool null = null_text != nullptr && part == *null_text;
    parts.add(null ? Scalar() : Scalar(std::string(part)));
  });
  return made_array(row, parts.bytes(), Type::kText);
}
View split_text(ArrayRow& row) {
  return split(row, nullptr);
}
View split_with_nulls(ArrayRow& row) {
  const View null_text = row.is_null(2) ? View() : row.text(2);
  return split(row, row.is_null(2) ? nullptr : &null_text);
}

// So many elements as PostgreSQL's list of dimensions says, of which there is one, or none for an empty array.
View fill(ArrayRow& row) {
  const auto fail = [&](std::string why) { return row.fail(kBadArgument, std::move(why)), View(); };
  if (row.is_null(1)) return fail("dimension array or low bound array cannot be null");
  Column dimensions;
  dimensions.type = Type::kInteger;
  append_elements(row.text(1), dimensions, *row.context.batch.arena);
  if (dimensions.integers.empty()) return {};
  if (dimensions.integers.size() > 1) return fail("an array has one dimension");
  if (dimensions.is_null(0)) return fail("dimension values cannot be null");
  const int64_t size = dimensions.integers[0];
  if (size < 0) return fail("array size exceeds the maximum allowed");
  const View element = row.element(0);
  std::string out;
  for (int64_t i = 0; i < size && i <= int64_t{kMaxArrayElements} && out.size() <= kMaxTextBytes; ++i)
    out += element;
  return made_array(row, out, row.type(0));
}

std::vector<Signature> constructor() {
  return of_every_element([](Type element, Type array) {
    Signature made = array_call<of_values, false>({element}, array);
    made.variadic = true;
    return made;
  });
}

}  // namespace

FunctionFamily array_making_functions() {
  return {"Making arrays",
          {
              {"array",
               "The array of the values, brought to one type",
               constructor(),
               {{"ARRAY[1, NULL, 2 + 1]", "{1,NULL,3}"}, {"ARRAY['a b', 'c']", "{\"a b\",c}"}},
               "ARRAY[any, …] → any[]"},
              {"array_fill",
               "An array of so many times one value, which may be NULL; the second argument is PostgreSQL's "
               "list of "
               "dimensions, of which there is one",
               of_every_element([](Type element, Type array) {
                 return array_call<fill, false>({element, array_of(Type::kInteger)}, array);
               }),
               {{"array_fill(7, ARRAY[3])", "{7,7,7}"}, {"array_fill(7, ARRAY[2, 2])", "MR-SQL-0120"}},
               "array_fill(any, integer[]) → any[]"},
              {"array_append",
               "With a value behind; also `array || any`",
               of_every_element([](Type element, Type array) {
                 return array_call<append, false>({array, element}, array);
               }),
               {{"array_append(ARRAY[1, 2], 3)", "{1,2,3}"}, {"ARRAY[1] || 2", "{1,2}"}},
               "array_append(any[], any) → any[]"},
              {"array_prepend",
               "With a value before; also `any || array`",
               of_every_element([](Type element, Type array) {
                 return array_call<prepend, false>({element, array}, array);
               }),
               {{"array_prepend(1, ARRAY[2, 3])", "{1,2,3}"}},
               "array_prepend(any, any[]) → any[]"},
              {"array_cat",
               "The first array's elements, then the second's; a NULL array has none; also `array || array`",
               of_every_element([](Type, Type array) {
                 return array_call<cat, false>({array, array}, array);
               }),
               {{"array_cat(ARRAY[1], ARRAY[2, 3])", "{1,2,3}"}, {"ARRAY[1] || NULL", "{1}"}},
               "array_cat(any[], any[]) → any[]"},
              {"array_remove",
               "Without the elements of that value",
               of_every_element([](Type element, Type array) {
                 return array_call<remove, false>({array, element}, array);
               }),
               {{"array_remove(ARRAY[1, 2, 1], 1)", "{2}"}},
               "array_remove(any[], any) → any[]"},
              {"array_replace",
               "With another value in place of the elements of one",
               of_every_element([](Type element, Type array) {
                 return array_call<replace, false>({array, element, element}, array);
               }),
               {{"array_replace(ARRAY[1, 2, 1], 1, 3)", "{3,2,3}"}},
               "array_replace(any[], any, any) → any[]"},
              {"array_slice",
               "The elements from one number to another; written `array[m:n]`, `array[m:]`, `array[:n]`",
               of_every_element([](Type, Type array) {
                 return array_call<slice>({array, Type::kBigint, Type::kBigint}, array);
               }),
               {{"(ARRAY[1, 2, 3])[2:3]", "{2,3}"},
                {"(ARRAY[1, 2, 3])[:2]", "{1,2}"},
                {"(ARRAY[1, 2])[3:]", "{}"}},
               "array_slice(any[], bigint, bigint) → any[]"},
              {"trim_array",
               "Without so many elements at the end",
               of_every_element([](Type, Type array) {
                 return array_call<trim>({array, Type::kInteger}, array);
               }),
               {{"trim_array(ARRAY[1, 2, 3], 2)", "{1}"}, {"trim_array(ARRAY[1], 2)", "MR-SQL-0120"}},
               "trim_array(any[], integer) → any[]"},
              {"string_to_array",
               "The parts of a text between separators (NULL: its characters); parts that are the third "
               "argument are NULL",
               {array_call<split_text, false>({Type::kText, Type::kText}, array_of(Type::kText)),
                array_call<split_with_nulls, false>({Type::kText, Type::kText, Type::kText},
                                                    array_of(Type::kText))},
               {{"string_to_array('a,b,,c', ',')", "{a,b,\"\",c}"},
                {"string_to_array('a,b,,c', ',', '')", "{a,b,NULL,c}"},
                {"string_to_array('abc', NULL)", "{a,b,c}"}}},
          }};
}

}  // namespace millrace::engine
