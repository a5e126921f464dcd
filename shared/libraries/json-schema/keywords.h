// The drafts of JSON Schema and what each keyword of theirs must be.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "json-schema/json_value.h"

namespace millrace::json_schema {

enum class Draft : uint8_t { k4, k6, k7, k2019, k2020 };

std::string_view to_string(Draft draft);                     // "draft 7", "draft 2020-12"
std::optional<Draft> draft_of_metaschema(std::string_view);  // by its URI, with or without an empty fragment

// The groups of keywords that a metaschema of 2019-09 or 2020-12 may choose from; before them all are on.
enum Vocabulary : uint8_t {
  kCore = 1,
  kApplicator = 2,
  kUnevaluated = 4,
  kValidation = 8,
  kAnnotation = 16,
  kFormatAssertion = 32,
  kEveryVocabulary = kCore | kApplicator | kUnevaluated | kValidation | kAnnotation,
};
// Of its URI in `$vocabulary`; nothing: a foreign one.
std::optional<Vocabulary> vocabulary_of(std::string_view uri);

// What stands behind a keyword.
enum class Shape : uint8_t {
  kAny,
  kBoolean,
  kNumber,
  kDivisor,  // a number above 0 whose digits are few enough
  kCount,    // a whole number, not negative
  kString,
  kStrings,      // an array of strings
  kStringLists,  // an object of those
  kList,         // an array
  kType,         // the name of a type, or an array of them
  kObject,
  kSchema,
  kSchemas,       // an array of schemas
  kSchemaMap,     // an object of schemas
  kItems,         // a schema or an array of them
  kDependencies,  // an object of schemas and arrays of strings
};

struct Keyword {
  std::string_view name;
  Shape shape;
  Draft from;
  Draft to;
  Vocabulary vocabulary;
};
const Keyword* find_keyword(std::string_view name, Draft draft);  // null: none of the draft's

// What is wrong with a keyword's value, as in "`required` must be …"; empty: nothing.
std::string_view what_it_must_be(Shape shape, const Value& value);

}  // namespace millrace::json_schema
