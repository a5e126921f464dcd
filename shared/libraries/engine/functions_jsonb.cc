// Functions of jsonb. The operators -> ->> #> #>> @> <@ ? || - are calls of them (sql/bind_jsonb.cc).
#include <algorithm>

#include "engine/call_kernel.h"
#include "event/array.h"
#include "event/row.h"
#include "formats/jsonb.h"
#include "formats/text_types.h"

namespace millrace::engine {
namespace {

using formats::JsonbKind;
using View = std::string_view;

// What a comparison may take: the product of the two sizes.
constexpr size_t kMostContainsSteps = size_t{1} << 30;

constexpr View kind_name(JsonbKind kind) {
  constexpr View kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<size_t>(kind)];
}
View type_of(Jsonb j) {
  return kind_name(formats::jsonb_kind(j.value));
}

Jsonb jsonb_or_null(Row& row, std::optional<View> found) {
  if (!found) row.null();
  return {found.value_or(View())};
}
// A JSON null is NULL as a text.
View text_or_null(Row& row, std::optional<View> found) {
  if (!found || formats::jsonb_kind(*found) == JsonbKind::kNull) return row.null(), View();
  if (formats::jsonb_kind(*found) != JsonbKind::kString) return *found;
  std::string text;
  formats::append_jsonb_text(text, *found);
  return row.keep(text);
}

Jsonb object_field(Row& row, Jsonb j, View name) {
  return jsonb_or_null(row, formats::jsonb_member(j.value, name));
}
View object_field_text(Row& row, Jsonb j, View name) {
  return text_or_null(row, formats::jsonb_member(j.value, name));
}
bool is_scalar(View value) {
  return formats::jsonb_kind(value) < JsonbKind::kArray;
}
// A bare value is an array of one here, as in PostgreSQL.
std::optional<View> element(View value, int64_t index) {
  if (is_scalar(value) && (index == 0 || index == -1)) return value;
  return formats::jsonb_element(value, index);
}
Jsonb array_element(Row& row, Jsonb j, int64_t index) {
  return jsonb_or_null(row, element(j.value, index));
}
View array_element_text(Row& row, Jsonb j, int64_t index) {
  return text_or_null(row, element(j.value, index));
}

template <typename R, R (*kAnswer)(Row&, std::optional<View>)>
void extract_path(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
                  Context& context) {
  const size_t rows = context.batch.rows;
  const bool nulls = strict_nulls(args, selection, rows, out);
  set_type(out, call.type, rows);
  Row row(call, out, context);
  for_rows(selection, rows, [&](size_t i) {
    out.texts[i] = {};
    if (nulls && out.valid[i] == 0) return;
    row.index = i;
    std::optional<View> at = args[0].column->texts[args[0].at(i)];
    for (size_t a = 1; a < args.size() && at; ++a)
      at = formats::jsonb_step(*at, args[a].column->texts[args[a].at(i)]);
    out.texts[i] = TypeFor<R>::store(kAnswer(row, at));
  });
}
template <typename R, R (*kAnswer)(Row&, std::optional<View>)>
Signature path_signature() {
  return {.args = {Type::kJsonb, Type::kText},
          .result = TypeFor<R>::type,
          .kernel = extract_path<R, kAnswer>,
          .variadic = true};
}

int64_t array_length(Row& row, Jsonb j) {
  int64_t count = 0;
  if (formats::jsonb_kind(j.value) != JsonbKind::kArray)
    return row.fail(kBadArgument, "cannot get array length of a non-array"), count;
  formats::visit_jsonb(j.value, [&](View, View) { return ++count, true; });
  return count;
}

bool contains(Row& row, Jsonb outer, Jsonb inner) {
  if (outer.value.size() * inner.value.size() <= kMostContainsSteps)
    return formats::jsonb_contains(outer.value, inner.value);
  row.fail(kBadArgument, "the two values are too large to look for one in the other");
  return false;
}
bool contained(Row& row, Jsonb inner, Jsonb outer) {
  return contains(row, outer, inner);
}
bool exists(Jsonb j, View name) {
  return formats::jsonb_exists(j.value, name);
}

void strip(View value, std::string& out) {
  const JsonbKind kind = formats::jsonb_kind(value);
  if (kind != JsonbKind::kObject && kind != JsonbKind::kArray) {
    out += value;
    return;
  }
  const size_t start = out.size() + 1;
  out += value.front();
  formats::visit_jsonb(value, [&](View name, View inner) {
    if (kind == JsonbKind::kObject && formats::jsonb_kind(inner) == JsonbKind::kNull) return true;
    if (out.size() > start) out += ", ";
    if (kind == JsonbKind::kObject) out.append(name).append(": ");
    strip(inner, out);
    return true;
  });
  out += value.back();
}
Jsonb strip_nulls(Row& row, Jsonb j) {
  std::string out;
  strip(j.value, out);
  return {row.keep(out)};
}

// A text that was put together of canonical parts, in canonical form.
Jsonb made(Row& row, View text) {
  const auto parsed = formats::parse_jsonb(text);
  if (parsed.ok()) return {row.keep(*parsed)};
  row.fail(kBadArgument, parsed.error().message);
  return {};
}
View inside(View container) {
  return container.substr(1, container.size() - 2);
}

Jsonb concat(Row& row, Jsonb a, Jsonb b) {
  const bool objects = formats::jsonb_kind(a.value) == JsonbKind::kObject &&
                       formats::jsonb_kind(b.value) == JsonbKind::kObject;
  std::string out(objects ? "{" : "[");
  for (const View part : {a.value, b.value}) {
    const bool opened = objects || formats::jsonb_kind(part) == JsonbKind::kArray;
    const View more = opened ? inside(part) : part;
    if (out.size() > 1 && !more.empty()) out += ", ";
    out += more;
  }
  out += objects ? '}' : ']';
  return objects ? made(row, out) : Jsonb{row.keep(out)};
}

// Without the members, or elements, that `goes` names.
template <typename Goes>
Jsonb without(Row& row, View container, Goes goes) {
  const bool object = formats::jsonb_kind(container) == JsonbKind::kObject;
  std::string out(1, container.front());
  formats::visit_jsonb(container, [&](View name, View value) {
    if (goes(object ? name : value)) return true;
    if (out.size() > 1) out += ", ";
    if (object) out.append(name).append(": ");
    out += value;
    return true;
  });
  out += container.back();
  return {row.keep(out)};
}
Jsonb delete_named(Row& row, Jsonb j, View name) {
  if (is_scalar(j.value)) return row.fail(kBadArgument, "cannot delete from scalar"), j;
  std::string unwanted;
  formats::append_jsonb_string(unwanted, name);
  return without(row, j.value, [&](View at) { return at == unwanted; });
}
Jsonb delete_element(Row& row, Jsonb j, int64_t index) {
  if (formats::jsonb_kind(j.value) != JsonbKind::kArray) {
    const bool scalar = is_scalar(j.value);
    return row.fail(kBadArgument,
                    scalar ? "cannot delete from scalar" : "cannot delete from object using integer index"),
           j;
  }
  if (index < 0) index += array_length(row, j);
  return without(row, j.value, [&](View) { return index-- == 0; });
}

void append_as_jsonb(std::string& out, const Column& column, size_t at);

void append_array_as_jsonb(std::string& out, Type array, View bytes) {
  Column elements;
  Arena arena;
  elements.type = element_of(array);
  append_elements(bytes, elements, arena);
  out += '[';
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) out += ", ";
    if (elements.is_null(i))
      out += "null";
    else
      append_as_jsonb(out, elements, i);
  }
  out += ']';
}

void append_row_as_jsonb(std::string& out, Type row, View bytes) {
  std::vector<formats::JsonbMember> members;
  visit_fields(bytes, row, [&](const ColumnDef& field, const Column& value) {
    std::string& member = members.emplace_back(formats::JsonbMember{field.name, ""}).value;
    value.is_null(0) ? void(member = "null") : append_as_jsonb(member, value, 0);
  });
  formats::append_jsonb_object(out, std::move(members));
}

// A value of another type as jsonb.
void append_as_jsonb(std::string& out, const Column& column, size_t at) {
  const Type type = column.type;
  std::string text;
  switch (physical(type)) {
    case Physical::kNone:
      out += "null";
      return;
    case Physical::kBoolean:
      out += column.booleans[at] != 0 ? "true" : "false";
      return;
    case Physical::kInteger:
      append_integer_text(text, type, column.integers[at]);
      if (is_integer(type)) return void(out += text);
      break;
    case Physical::kDouble:
      append_double_text(text, type, column.doubles[at]);
      // NaN and the infinities are strings.
      if (text.find_first_of("Ny") == std::string::npos) return void(formats::append_jsonb_number(out, text));
      break;
    case Physical::kText:
      if (type == Type::kJsonb) return void(out += column.texts[at]);
      if (is_array(type)) return append_array_as_jsonb(out, type, column.texts[at]);
      if (is_row(type)) return append_row_as_jsonb(out, type, column.texts[at]);
      formats::append_text(text, type, column.texts[at]);
      if (type == Type::kNumeric) return void(out += text);
      break;
    case Physical::kInterval:
      append_interval(text, column.intervals[at]);
      break;
  }
  formats::append_jsonb_string(out, text);
}

void to_jsonb(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
              Context& context) {
  const size_t rows = context.batch.rows;
  const bool nulls = strict_nulls(args, selection, rows, out);
  set_type(out, call.type, rows);
  Row row(call, out, context);
  std::string text;
  for_rows(selection, rows, [&](size_t i) {
    out.texts[i] = {};
    if (nulls && out.valid[i] == 0) return;
    row.index = i;
    text.clear();
    append_as_jsonb(text, *args[0].column, args[0].at(i));
    out.texts[i] = row.keep(text);
  });
}
std::vector<Signature> of_every_type() {
  using enum Type;
  std::vector<Signature> out;
  for (const Type type : {kBoolean, kSmallint, kInteger, kBigint, kReal, kDouble, kText, kDate, kTime,
                          kTimestamp, kTimestamptz, kInterval, kBytea, kUuid, kJsonb, kNumeric, kRecord}) {
    for (const Type arg : {type, array_of(type)})
      out.push_back({.args = {arg}, .result = kJsonb, .kernel = to_jsonb});
  }
  return out;
}

// The arguments are jsonb already; a NULL is a JSON null.
View value_of(const Operand& arg, size_t i) {
  return arg.is_null(i) ? View("null") : arg.column->texts[arg.at(i)];
}

bool append_name(std::string& out, const Operand& arg, size_t i, Row& row) {
  std::string name;
  if (arg.is_null(i)) return row.fail(kBadArgument, "a member's name must not be NULL"), false;
  const View value = value_of(arg, i);
  if (!is_scalar(value)) return row.fail(kBadArgument, "a member's name must be a scalar"), false;
  formats::append_jsonb_text(name, value);
  formats::append_jsonb_string(out, name);
  return true;
}

template <bool kObject>
void build(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
           Context& context) {
  const size_t rows = context.batch.rows;
  out.valid.clear();
  set_type(out, call.type, rows);
  Row row(call, out, context);
  std::string text;
  for_rows(selection, rows, [&](size_t i) {
    row.index = i;
    out.texts[i] = {};
    text = kObject ? "{" : "[";
    for (size_t a = 0; a < args.size(); ++a) {
      const bool value = !kObject || a % 2 == 1;
      if (a > 0) text += kObject && value ? ": " : ", ";
      if (value)
        text += value_of(args[a], i);
      else if (!append_name(text, args[a], i, row))
        return;
    }
    text += kObject ? '}' : ']';
    out.texts[i] = made(row, text).value;
  });
}
template <bool kObject>
std::vector<Signature> builder() {
  return {{.args = {}, .result = Type::kJsonb, .kernel = build<kObject>, .strict = false},
          {.args = {Type::kJsonb},
           .result = Type::kJsonb,
           .kernel = build<kObject>,
           .variadic = true,
           .strict = false}};
}

}  // namespace

FunctionFamily jsonb_functions() {
  return {
      "JSON",
      {
          {"jsonb_object_field",
           "The member of that name; NULL if there is none; also `jsonb -> name`, `jsonb[name]`",
           {call<object_field>()},
           {{"JSONB '{\"a\": [1, 2]}' -> 'a'", "[1, 2]"}, {"(JSONB '{\"a\": {\"b\": 1}}')['a']['b']", "1"}}},
          {"jsonb_object_field_text",
           "The same as a text; also `jsonb ->> name`",
           {call<object_field_text>()},
           {{"JSONB '{\"a\": \"b\"}' ->> 'a'", "b"}, {"JSONB '{\"a\": null}' ->> 'a'", "NULL"}}},
          {"jsonb_array_element",
           "The element of that number, from 0, from the end if negative; also `jsonb -> n`, `jsonb[n]`",
           {call<array_element>()},
           {{"JSONB '[1, [2]]' -> 1", "[2]"}, {"JSONB '[1, 2]' -> -1", "2"}}},
          {"jsonb_array_element_text",
           "The same as a text; also `jsonb ->> n`",
           {call<array_element_text>()},
           {{"JSONB '[\"x\"]' ->> 0", "x"}}},
          {"jsonb_extract_path",
           "The value at the end of a path of names and numbers; also `jsonb #> '{a,0}'`",
           {path_signature<Jsonb, jsonb_or_null>()},
           {{"jsonb_extract_path('{\"a\": [1, {\"b\": 2}]}', 'a', '1')", "{\"b\": 2}"},
            {"JSONB '{\"a\": [1, 2]}' #> '{a,0}'", "1"}}},
          {"jsonb_extract_path_text",
           "The same as a text; also `jsonb #>> '{a,0}'`",
           {path_signature<View, text_or_null>()},
           {{"JSONB '{\"a\": [\"x\"]}' #>> '{a,0}'", "x"}}},
          {"jsonb_contains",
           "Whether the first value holds the second, member by member; also `jsonb @> jsonb`",
           {call<contains>()},
           {{"JSONB '{\"a\": 1, \"b\": 2}' @> '{\"b\": 2}'", "true"},
            {"JSONB '[1, 2, 3]' @> '[3, 1]'", "true"}}},
          {"jsonb_contained",
           "Whether the second value holds the first; also `jsonb <@ jsonb`",
           {call<contained>()},
           {{"JSONB '1' <@ '[1, 2]'", "true"}}},
          {"jsonb_exists",
           "Whether there is a member of that name, or such a string in the array; also `jsonb ? name`",
           {call<exists>()},
           {{"JSONB '{\"a\": null}' ? 'a'", "true"}, {"JSONB '[\"b\"]' ? 'a'", "false"}}},
          {"jsonb_typeof",
           "What the value is: `object`, `array`, `string`, `number`, `boolean` or `null`",
           {call<type_of>()},
           {{"jsonb_typeof('-1.5')", "number"}}},
          {"jsonb_array_length",
           "The number of elements",
           {call<array_length>()},
           {{"jsonb_array_length('[1, [2, 3]]')", "2"}, {"jsonb_array_length('{}')", "MR-SQL-0120"}}},
          {"jsonb_strip_nulls",
           "Without the members that are null, however deep",
           {call<strip_nulls>()},
           {{"jsonb_strip_nulls('{\"a\": null, \"b\": [null]}')", "{\"b\": [null]}"}}},
          {"jsonb_concat",
           "Two objects as one, where the second's members count, or two arrays as one; also `jsonb || "
           "jsonb`",
           {call<concat>()},
           {{"JSONB '{\"a\": 1}' || '{\"a\": 2, \"b\": 3}'", "{\"a\": 2, \"b\": 3}"},
            {"JSONB '[1]' || '2'", "[1, 2]"}}},
          {"jsonb_delete",
           "Without the member of that name, the strings that are it, or the element of that number; also "
           "`jsonb - name`",
           {call<delete_named>(), call<delete_element>()},
           {{"JSONB '{\"a\": 1, \"b\": 2}' - 'a'", "{\"b\": 2}"}, {"JSONB '[1, 2]' - 0", "[2]"}}},
          {"to_jsonb",
           "The value as jsonb: numbers, booleans and jsonb themselves, arrays as arrays, rows as "
           "objects, all else as a string",
           of_every_type(),
           {{"to_jsonb('a \"b\"'::text)", "\"a \\\"b\\\"\""}, {"to_jsonb(1.5)", "1.5"}},
           "to_jsonb(any) → jsonb"},
          {"jsonb_build_object",
           "The object of names and values in turn; NULL is a JSON null",
           builder<true>(),
           {{"jsonb_build_object('a', 1, 'bc', NULL)", "{\"a\": 1, \"bc\": null}"}},
           "jsonb_build_object(any, …) → jsonb"},
          {"jsonb_build_array",
           "The array of the values; NULL is a JSON null",
           builder<false>(),
           {{"jsonb_build_array(1, 'a', NULL)", "[1, \"a\", null]"}},
           "jsonb_build_array(any, …) → jsonb"},
      }};
}

}  // namespace millrace::engine
