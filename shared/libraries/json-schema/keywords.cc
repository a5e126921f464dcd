#include "json-schema/keywords.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "json-schema/internal/number.h"

namespace millrace::json_schema {

namespace {

using enum Draft;
using Type = Value::Type;

constexpr std::array kDrafts = {
    std::pair{std::string_view("http://json-schema.org/draft-04/schema"), k4},
    std::pair{std::string_view("http://json-schema.org/draft-06/schema"), k6},
    std::pair{std::string_view("http://json-schema.org/draft-07/schema"), k7},
    std::pair{std::string_view("https://json-schema.org/draft/2019-09/schema"), k2019},
    std::pair{std::string_view("https://json-schema.org/draft/2020-12/schema"), k2020},
};

constexpr std::array kVocabularies = {
    std::pair{std::string_view("core"), kCore},
    std::pair{std::string_view("applicator"), kApplicator},
    std::pair{std::string_view("unevaluated"), kUnevaluated},
    std::pair{std::string_view("validation"), kValidation},
    std::pair{std::string_view("meta-data"), kAnnotation},
    std::pair{std::string_view("content"), kAnnotation},
    std::pair{std::string_view("format"), kAnnotation},
    std::pair{std::string_view("format-annotation"), kAnnotation},
    std::pair{std::string_view("format-assertion"), kFormatAssertion},
};

// A keyword whose shape changed has a row for each.
constexpr Keyword kKeywords[] = {
    {"$anchor", Shape::kString, k2019, k2020, kCore},
    {"$defs", Shape::kSchemaMap, k4, k2020, kCore},
    {"$dynamicAnchor", Shape::kString, k2020, k2020, kCore},
    {"$dynamicRef", Shape::kString, k2020, k2020, kCore},
    {"$id", Shape::kString, k6, k2020, kCore},
    {"$recursiveAnchor", Shape::kBoolean, k2019, k2019, kCore},
    {"$recursiveRef", Shape::kString, k2019, k2019, kCore},
    {"$ref", Shape::kString, k4, k2020, kCore},
    {"$schema", Shape::kString, k4, k2020, kCore},
    {"$vocabulary", Shape::kObject, k2019, k2020, kCore},
    {"additionalItems", Shape::kSchema, k4, k2019, kApplicator},
    {"additionalProperties", Shape::kSchema, k4, k2020, kApplicator},
    {"allOf", Shape::kSchemas, k4, k2020, kApplicator},
    {"anyOf", Shape::kSchemas, k4, k2020, kApplicator},
    {"const", Shape::kAny, k6, k2020, kValidation},
    {"contains", Shape::kSchema, k6, k2020, kApplicator},
    {"definitions", Shape::kSchemaMap, k4, k2020, kCore},
    {"dependencies", Shape::kDependencies, k4, k2020, kApplicator},
    {"dependentRequired", Shape::kStringLists, k2019, k2020, kValidation},
    {"dependentSchemas", Shape::kSchemaMap, k2019, k2020, kApplicator},
    {"else", Shape::kSchema, k7, k2020, kApplicator},
    {"enum", Shape::kList, k4, k2020, kValidation},
    {"exclusiveMaximum", Shape::kBoolean, k4, k4, kValidation},
    {"exclusiveMaximum", Shape::kNumber, k6, k2020, kValidation},
    {"exclusiveMinimum", Shape::kBoolean, k4, k4, kValidation},
    {"exclusiveMinimum", Shape::kNumber, k6, k2020, kValidation},
    {"format", Shape::kString, k4, k2020, Vocabulary(kAnnotation | kFormatAssertion)},
    {"id", Shape::kString, k4, k4, kCore},
    {"if", Shape::kSchema, k7, k2020, kApplicator},
    {"items", Shape::kItems, k4, k2019, kApplicator},
    {"items", Shape::kSchema, k2020, k2020, kApplicator},
    {"maxContains", Shape::kCount, k2019, k2020, kValidation},
    {"maxItems", Shape::kCount, k4, k2020, kValidation},
    {"maxLength", Shape::kCount, k4, k2020, kValidation},
    {"maxProperties", Shape::kCount, k4, k2020, kValidation},
    {"maximum", Shape::kNumber, k4, k2020, kValidation},
    {"minContains", Shape::kCount, k2019, k2020, kValidation},
    {"minItems", Shape::kCount, k4, k2020, kValidation},
    {"minLength", Shape::kCount, k4, k2020, kValidation},
    {"minProperties", Shape::kCount, k4, k2020, kValidation},
    {"minimum", Shape::kNumber, k4, k2020, kValidation},
    {"multipleOf", Shape::kDivisor, k4, k2020, kValidation},
    {"not", Shape::kSchema, k4, k2020, kApplicator},
    {"oneOf", Shape::kSchemas, k4, k2020, kApplicator},
    {"pattern", Shape::kString, k4, k2020, kValidation},
    {"patternProperties", Shape::kSchemaMap, k4, k2020, kApplicator},
    {"prefixItems", Shape::kSchemas, k2020, k2020, kApplicator},
    {"properties", Shape::kSchemaMap, k4, k2020, kApplicator},
    {"propertyNames", Shape::kSchema, k6, k2020, kApplicator},
    {"required", Shape::kStrings, k4, k2020, kValidation},
    {"then", Shape::kSchema, k7, k2020, kApplicator},
    {"type", Shape::kType, k4, k2020, kValidation},
    {"unevaluatedItems", Shape::kSchema, k2019, k2020, kUnevaluated},
    {"unevaluatedProperties", Shape::kSchema, k2019, k2020, kUnevaluated},
    {"uniqueItems", Shape::kBoolean, k4, k2020, kValidation},
};

bool is_schema(const Value& value) {
  return value.is(Type::kObject) || value.is(Type::kBoolean);
}

bool are_schemas(const Value& value) {
  return value.is(Type::kArray) && std::all_of(value.items.begin(), value.items.end(), is_schema);
}

bool are_strings(const Value& value) {
  return value.is(Type::kArray) && std::all_of(value.items.begin(), value.items.end(),
                                               [](const Value& item) { return item.is(Type::kString); });
}

template <typename Predicate>
bool is_object_of(const Value& value, Predicate predicate) {
  return value.is(Type::kObject) &&
         std::all_of(value.members.begin(), value.members.end(),
                     [&](const Member& member) { return predicate(member.value); });
}

bool is_type_name(const Value& value) {
  static constexpr std::string_view kNames[] = {"array",  "boolean", "integer", "null",
                                                "number", "object",  "string"};
  return value.is(Type::kString) &&
         std::find(std::begin(kNames), std::end(kNames), value.text) != std::end(kNames);
}

// As internal/number.h counts exactly: rounded, a number would be told to be a multiple that is none.
bool is_divisor(const Value& value) {
  if (!value.is(Type::kNumber) || value.text.starts_with('-')) return false;
  const auto decimal = decimal_of(value.text);
  return decimal && decimal->digits > 0;
}

// 2.0 and 2e1 are whole numbers as well.
bool is_count(const Value& value) {
  if (!value.is(Type::kNumber)) return false;
  if (value.text.find_first_not_of("0123456789") == std::string::npos) return true;
  const double number = std::strtod(value.text.c_str(), nullptr);
  return number >= 0 && number == static_cast<double>(static_cast<uint64_t>(std::min(number, 1e18)));
}

bool fits(Shape shape, const Value& value) {
  switch (shape) {
    case Shape::kAny:
      return true;
    case Shape::kBoolean:
      return value.is(Type::kBoolean);
    case Shape::kNumber:
      return value.is(Type::kNumber);
    case Shape::kDivisor:
      return is_divisor(value);
    case Shape::kCount:
      return is_count(value);
    case Shape::kString:
      return value.is(Type::kString);
    case Shape::kStrings:
      return are_strings(value);
    case Shape::kStringLists:
      return is_object_of(value, are_strings);
    case Shape::kList:
      return value.is(Type::kArray);
    case Shape::kType:
      return is_type_name(value) ||
             (value.is(Type::kArray) && std::all_of(value.items.begin(), value.items.end(), is_type_name));
    case Shape::kObject:
      return value.is(Type::kObject);
    case Shape::kSchema:
      return is_schema(value);
    case Shape::kSchemas:
      return are_schemas(value);
    case Shape::kSchemaMap:
      return is_object_of(value, is_schema);
    case Shape::kItems:
      return is_schema(value) || are_schemas(value);
    case Shape::kDependencies:
      return is_object_of(value, [](const Value& one) { return is_schema(one) || are_strings(one); });
  }
  return true;
}

constexpr std::string_view kDemands[] = {
    "anything",
    "true or false",
    "a number",
    "a number above 0, of at most 19 digits",
    "a whole number, not negative",
    "a string",
    "an array of strings",
    "an object of arrays of strings",
    "an array",
    "\"array\", \"boolean\", \"integer\", \"null\", \"number\", \"object\" or \"string\", or an array of "
    "these",
    "an object",
    "a schema: an object, true or false",
    "an array of schemas",
    "an object whose members are schemas",
    "a schema or an array of schemas",
    "an object whose members are schemas or arrays of strings",
};

}  // namespace

std::string_view to_string(Draft draft) {
  static constexpr std::string_view kNames[] = {"draft 4", "draft 6", "draft 7", "draft 2019-09",
                                                "draft 2020-12"};
  return kNames[static_cast<size_t>(draft)];
}

std::optional<Draft> draft_of_metaschema(std::string_view uri) {
  if (!uri.empty() && uri.back() == '#') uri.remove_suffix(1);
  for (const auto& [name, draft] : kDrafts) {
    if (name == uri) return draft;
  }
  return std::nullopt;
}

std::optional<Vocabulary> vocabulary_of(std::string_view uri) {
  for (const std::string_view place :
       {"https://json-schema.org/draft/2019-09/vocab/", "https://json-schema.org/draft/2020-12/vocab/"}) {
    if (uri.substr(0, place.size()) != place) continue;
    for (const auto& [name, vocabulary] : kVocabularies) {
      if (name == uri.substr(place.size())) return vocabulary;
    }
  }
  return std::nullopt;
}

const Keyword* find_keyword(std::string_view name, Draft draft) {
  auto row =
      std::lower_bound(std::begin(kKeywords), std::end(kKeywords), name,
                       [](const Keyword& keyword, std::string_view wanted) { return keyword.name < wanted; });
  for (; row != std::end(kKeywords) && row->name == name; ++row) {
    if (row->from <= draft && draft <= row->to) return row;
  }
  return nullptr;
}

std::string_view what_it_must_be(Shape shape, const Value& value) {
  return fits(shape, value) ? std::string_view() : kDemands[static_cast<size_t>(shape)];
}

}  // namespace millrace::json_schema
