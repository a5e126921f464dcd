// jsonb and arrays of texts: paths and names that the row says. The operators #> #>> ?| ?& are calls of these
// (sql/bind_jsonb.cc).
#include "engine/array_kernel.h"
#include "formats/jsonb.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

// What a look-up of many names may take: the product of the two sizes.
constexpr size_t kMostSteps = size_t{1} << 30;

bool within_bounds(ArrayRow& row) {
  if (row.text(0).size() * row.text(1).size() <= kMostSteps) return true;
  row.fail(kBadArgument, "the value and the names are too large to look for them");
  return false;
}

// The texts of an array, NULLs among them.
Column texts_of(ArrayRow& row) {
  Column out;
  out.type = Type::kText;
  append_elements(row.text(1), out, *row.context.batch.arena);
  return out;
}

// A name that is NULL leads nowhere.
std::optional<View> at_path(ArrayRow& row) {
  if (!within_bounds(row)) return std::nullopt;
  const Column path = texts_of(row);
  std::optional<View> at = row.text(0);
  for (size_t i = 0; i < path.size() && at; ++i)
    at = path.is_null(i) ? std::nullopt : formats::jsonb_step(*at, path.texts[i]);
  return at;
}
View value_at(ArrayRow& row) {
  const auto found = at_path(row);
  if (!found) row.null();
  return found.value_or(View());
}
View text_at(ArrayRow& row) {
  const auto found = at_path(row);
  if (!found || formats::jsonb_kind(*found) == formats::JsonbKind::kNull) return row.null(), View();
  std::string text;
  formats::append_jsonb_text(text, *found);
  return row.keep(text);
}

// Names that are NULL do not count.
template <bool kAll>
bool exists(ArrayRow& row) {
  if (!within_bounds(row)) return false;
  const Column names = texts_of(row);
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names.is_null(i) && formats::jsonb_exists(row.text(0), names.texts[i]) != kAll) return !kAll;
  }
  return kAll;
}

template <auto F>
std::vector<Signature> of_texts(Type result) {
  return {array_call<F>({Type::kJsonb, array_of(Type::kText)}, result)};
}

}  // namespace

FunctionFamily jsonb_array_functions() {
  return {"JSON by arrays",
          {
              {"jsonb_at",
               "The value at the end of a path; written `jsonb #> text[]`",
               of_texts<value_at>(Type::kJsonb),
               {{"JSONB '{\"a\": [1, 2]}' #> ARRAY['a', '1']", "2"}}},
              {"jsonb_at_text",
               "The same as a text; written `jsonb #>> text[]`",
               of_texts<text_at>(Type::kText),
               {{"JSONB '{\"a\": [\"x\"]}' #>> ARRAY['a', '0']", "x"}}},
              {"jsonb_exists_any",
               "Whether there is one of the names; also `jsonb ?| text[]`",
               of_texts<exists<false>>(Type::kBoolean),
               {{"JSONB '{\"a\": 1}' ?| ARRAY['a', 'b']", "true"}}},
              {"jsonb_exists_all",
               "Whether there are all of the names; also `jsonb ?& text[]`",
               of_texts<exists<true>>(Type::kBoolean),
               {{"JSONB '[\"a\", \"b\"]' ?& '{a,b}'", "true"},
                {"JSONB '{\"a\": 1}' ?& ARRAY['a', 'b']", "false"}}},
          }};
}

}  // namespace millrace::engine
