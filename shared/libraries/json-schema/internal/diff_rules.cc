#include "json-schema/internal/diff_rules.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace millrace::json_schema {

namespace {

std::string text_of(Pairs& pairs, const Value& value) {
  std::string text = write_json(value, MemberOrder::kByName);
  pairs.spend_on_bytes(text.size());
  return text;
}

bool same(Pairs& pairs, const Value* a, const Value* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return text_of(pairs, *a) == text_of(pairs, *b);
}

bool is_whole(Pairs& pairs, const Form& form) {
  return &pairs.form_of(form, *form.schema) == &form;
}

// What says nothing about data. A part of a schema has none of its own.
void compare_annotations(Pairs& pairs, const Form& writer, const Form& reader) {
  if (!is_whole(pairs, writer) || !is_whole(pairs, reader)) return;
  const auto id = [](const Form& form) {
    const Value* id = form.keyword("$id");
    return id != nullptr ? id : form.keyword("id");
  };
  if (!same(pairs, id(writer), id(reader))) pairs.add(type_of("ID_CHANGED"));
  const auto compare = [&](std::string_view keyword, const DifferenceType* type) {
    if (!same(pairs, writer.schema->value->find(keyword), reader.schema->value->find(keyword)))
      pairs.add(type);
  };
  compare("title", type_of("TITLE_CHANGED"));
  compare("description", type_of("DESCRIPTION_CHANGED"));
  compare("default", type_of("DEFAULT_CHANGED"));
}

void compare_strings(Pairs& pairs, const Form& writer, const Form& reader) {
  compare_limits(pairs, "maxLength", number_of(writer, "maxLength"), number_of(reader, "maxLength"),
                 {type_of("MAX_LENGTH_ADDED"), type_of("MAX_LENGTH_REMOVED"), type_of("MAX_LENGTH_INCREASED"),
                  type_of("MAX_LENGTH_DECREASED")});
  compare_limits(pairs, "minLength", number_of(writer, "minLength"), number_of(reader, "minLength"),
                 {type_of("MIN_LENGTH_ADDED"), type_of("MIN_LENGTH_REMOVED"), type_of("MIN_LENGTH_INCREASED"),
                  type_of("MIN_LENGTH_DECREASED")});
  const Value *before = writer.keyword("pattern"), *after = reader.keyword("pattern");
  if (same(pairs, before, after)) return;
  pairs.add(before == nullptr  ? type_of("PATTERN_ADDED")
            : after == nullptr ? type_of("PATTERN_REMOVED")
                               : type_of("PATTERN_CHANGED"),
            "pattern");
}

// Draft 4 says with a boolean whether a limit is exclusive.
struct Range {
  std::optional<double> limit, exclusive;
};

Range range_of(const Form& form, std::string_view limit, std::string_view exclusive) {
  Range out{number_of(form, limit), number_of(form, exclusive)};
  const Value* flag = form.keyword(exclusive);
  if (flag != nullptr && flag->is(Value::Type::kBoolean) && flag->boolean)
    std::swap(out.limit, out.exclusive);
  return out;
}

bool is_multiple(double a, double of) {
  const double times = a / of;
  return std::abs(times - std::round(times)) < 1e-9 * std::max(1.0, std::abs(times));
}

void compare_multiples(Pairs& pairs, const Form& writer, const Form& reader) {
  const auto before = number_of(writer, "multipleOf"), after = number_of(reader, "multipleOf");
  if (before == after) return;
  pairs.add(!before                        ? type_of("MULTIPLE_OF_ADDED")
            : !after                       ? type_of("MULTIPLE_OF_REMOVED")
            : is_multiple(*after, *before) ? type_of("MULTIPLE_OF_EXPANDED")
            : is_multiple(*before, *after) ? type_of("MULTIPLE_OF_REDUCED")
                                           : type_of("MULTIPLE_OF_CHANGED"),
            "multipleOf");
}

void compare_numbers(Pairs& pairs, const Form& writer, const Form& reader) {
  const Range old_most = range_of(writer, "maximum", "exclusiveMaximum");
  const Range new_most = range_of(reader, "maximum", "exclusiveMaximum");
  const Range old_least = range_of(writer, "minimum", "exclusiveMinimum");
  const Range new_least = range_of(reader, "minimum", "exclusiveMinimum");
  compare_limits(pairs, "maximum", old_most.limit, new_most.limit,
                 {type_of("MAXIMUM_ADDED"), type_of("MAXIMUM_REMOVED"), type_of("MAXIMUM_INCREASED"),
                  type_of("MAXIMUM_DECREASED")});
  compare_limits(pairs, "minimum", old_least.limit, new_least.limit,
                 {type_of("MINIMUM_ADDED"), type_of("MINIMUM_REMOVED"), type_of("MINIMUM_INCREASED"),
                  type_of("MINIMUM_DECREASED")});
  compare_limits(pairs, "exclusiveMaximum", old_most.exclusive, new_most.exclusive,
                 {type_of("EXCLUSIVE_MAXIMUM_ADDED"), type_of("EXCLUSIVE_MAXIMUM_REMOVED"),
                  type_of("EXCLUSIVE_MAXIMUM_INCREASED"), type_of("EXCLUSIVE_MAXIMUM_DECREASED")});
  compare_limits(pairs, "exclusiveMinimum", old_least.exclusive, new_least.exclusive,
                 {type_of("EXCLUSIVE_MINIMUM_ADDED"), type_of("EXCLUSIVE_MINIMUM_REMOVED"),
                  type_of("EXCLUSIVE_MINIMUM_INCREASED"), type_of("EXCLUSIVE_MINIMUM_DECREASED")});
  compare_multiples(pairs, writer, reader);
  if (writer.is_integer != reader.is_integer) {
    pairs.add(writer.is_integer ? type_of("TYPE_EXTENDED") : type_of("TYPE_NARROWED"));
  }
}

std::set<std::string> values_of(Pairs& pairs, const Form& form) {
  std::set<std::string> out;
  for (const Value& value : form.keyword("enum")->items) out.insert(text_of(pairs, value));
  pairs.spend(form.keyword("enum")->items.size());
  return out;
}

void compare_enums(Pairs& pairs, const Form& writer, const Form& reader) {
  const auto before = values_of(pairs, writer), after = values_of(pairs, reader);
  if (before == after) return;
  pairs.add(std::includes(after.begin(), after.end(), before.begin(), before.end())
                ? type_of("ENUM_ARRAY_EXTENDED")
            : std::includes(before.begin(), before.end(), after.begin(), after.end())
                ? type_of("ENUM_ARRAY_NARROWED")
                : type_of("ENUM_ARRAY_CHANGED"),
            "enum");
}

// What must not be: the other way round.
void compare_nots(Pairs& pairs, const Form& writer, const Form& reader) {
  const Form &before = pairs.form_of(writer, *subschema_of(writer, "not")),
             &after = pairs.form_of(reader, *subschema_of(reader, "not"));
  pairs.add(pairs.holds(after, before) ? type_of("NOT_TYPE_NARROWED") : type_of("NOT_TYPE_EXTENDED"), "not");
}

bool is_sum(const Form& form) {
  return form.criterion != Criterion::kAllOf;
}

// A schema against branches: a single one is what it says, one of several is enough.
bool is_a_branch(Pairs& pairs, const Form& writer, const Form& reader) {
  if (reader.branches.size() != 1 && !is_sum(reader)) return false;
  for (const Branch& branch : reader.branches) {
    const Form& form = pairs.form_of(reader, branch);
    if (!pairs.holds(writer, form)) continue;
    pairs.descend(writer, form);
    if (reader.branches.size() > 1) pairs.add(type_of("SUM_TYPE_EXTENDED"));
    return true;
  }
  return false;
}

// Branches against a schema: a single one is what it says; all of several hold, so one is enough.
bool has_a_branch(Pairs& pairs, const Form& writer, const Form& reader) {
  if (writer.branches.size() != 1 && is_sum(writer)) return false;
  for (const Branch& branch : writer.branches) {
    const Form& form = pairs.form_of(writer, branch);
    if (!pairs.holds(form, reader)) continue;
    pairs.descend(form, reader);
    if (writer.branches.size() > 1) pairs.add(type_of("PRODUCT_TYPE_NARROWED"));
    return true;
  }
  return false;
}

}  // namespace

void compare_forms(Pairs& pairs, const Form& writer, const Form& reader) {
  if (&writer == &reader) return;
  const bool from_branches = writer.kind == Kind::kCombined, to_branches = reader.kind == Kind::kCombined;
  if (to_branches && !from_branches && is_a_branch(pairs, writer, reader)) return;
  if (from_branches && !to_branches && has_a_branch(pairs, writer, reader)) return;
  if (writer.kind != reader.kind) {
    if (writer.kind != Kind::kNothing && reader.kind != Kind::kAnything) pairs.add(type_of("TYPE_CHANGED"));
    return;
  }
  compare_annotations(pairs, writer, reader);
  switch (writer.kind) {
    case Kind::kString:
      return compare_strings(pairs, writer, reader);
    case Kind::kNumber:
      return compare_numbers(pairs, writer, reader);
    case Kind::kEnum:
      return compare_enums(pairs, writer, reader);
    case Kind::kConst:
      if (!same(pairs, writer.keyword("const"), reader.keyword("const")))
        pairs.add(type_of("ENUM_ARRAY_CHANGED"), "const");
      return;
    case Kind::kNot:
      return compare_nots(pairs, writer, reader);
    case Kind::kObject:
      return compare_objects(pairs, writer, reader);
    case Kind::kArray:
      return compare_arrays(pairs, writer, reader);
    case Kind::kCombined:
      return compare_combined(pairs, writer, reader);
    default:
      return;
  }
}

std::optional<double> number_of(const Form& form, std::string_view keyword) {
  const Value* value = form.keyword(keyword);
  if (value == nullptr || !value->is(Value::Type::kNumber)) return std::nullopt;
  return std::strtod(value->text.c_str(), nullptr);
}

void compare_limits(Pairs& pairs, const std::string& keyword, std::optional<double> writer,
                    std::optional<double> reader, const LimitTypes& types) {
  if (writer == reader) return;
  pairs.add(!writer             ? types.added
            : !reader           ? types.removed
            : *writer < *reader ? types.increased
                                : types.decreased,
            keyword);
}

const Subschema* subschema_of(const Form& form, std::string_view keyword) {
  const Value* value = form.keyword(keyword);
  return value == nullptr ? nullptr : form.document->find(*value);
}

ContentModel content_model(const Form& form, std::string_view additional, std::string_view unevaluated) {
  const Subschema* rest = subschema_of(form, additional);
  if (rest == nullptr) rest = subschema_of(form, unevaluated);
  if (rest == nullptr) return {true, nullptr};
  if (rest->value->is(Value::Type::kBoolean)) return {rest->value->boolean, nullptr};
  return {false, rest};
}

void compare_models(Pairs& pairs, const Form& writer, const ContentModel& before, const Form& reader,
                    const ContentModel& after, const std::string& keyword, const RestTypes& types) {
  const bool old_takes = before.is_open || before.rest != nullptr,
             new_takes = after.is_open || after.rest != nullptr;
  if (old_takes != new_takes) return pairs.add(new_takes ? types.added : types.removed, keyword);
  if (before.rest != nullptr && after.rest != nullptr) {
    return pairs.descend(pairs.form_of(writer, *before.rest), pairs.form_of(reader, *after.rest), keyword);
  }
  if (before.rest == nullptr && after.rest != nullptr) pairs.add(types.narrowed, keyword);
  if (before.rest != nullptr && after.rest == nullptr) pairs.add(types.extended, keyword);
}

void compare_unevaluated(Pairs& pairs, const Form& writer, const Form& reader, const std::string& keyword,
                         const RestTypes& types) {
  const Subschema *before = subschema_of(writer, keyword), *after = subschema_of(reader, keyword);
  const Form* old_form = before == nullptr ? nullptr : &pairs.form_of(writer, *before);
  const Form* new_form = after == nullptr ? nullptr : &pairs.form_of(reader, *after);
  const auto is = [](const Form* form, Kind kind) { return form != nullptr && form->kind == kind; };
  if (is(old_form, Kind::kNothing) != is(new_form, Kind::kNothing)) {
    return pairs.add(is(old_form, Kind::kNothing) ? types.added : types.removed, keyword);
  }
  const auto takes_all = [&](const Form* form) { return form == nullptr || form->kind == Kind::kAnything; };
  if (takes_all(old_form) && takes_all(new_form)) return;
  if (takes_all(old_form)) return pairs.add(types.narrowed, keyword);
  if (takes_all(new_form)) return pairs.add(types.extended, keyword);
  pairs.descend(*old_form, *new_form, keyword);
}

}  // namespace millrace::json_schema
