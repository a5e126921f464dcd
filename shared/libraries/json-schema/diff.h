// How a reader's JSON Schema differs from a writer's, with the names that registry clients know.
//
// Two schemas are compared by what they are: a string with its limits, an object with its properties, an alternative with
// its branches. Whether a property may come or go depends on the content model: open (anything else may stand in the
// object), partially open (what matches a pattern or a schema), closed (nothing). The branches of oneOf, anyOf and allOf
// are paired so that as many as possible are compatible.
// A pair of schemas is compared once, wherever it is met, and told where it is met first. Pairs that lead to each other are
// held to be compatible until something in them is not (internal/diff_pairs.h).
// Not compared, as in the registries: patternProperties, propertyNames, contains, if, format, required names that are no
// properties.
// Errors: MR-JSCH-0009.
// Bound:  kMostComparedParts; 64 bytes of what is read, or of what is told, count as one more.
#pragma once

#include "json-schema/document.h"

namespace millrace::json_schema {

constexpr size_t kMostComparedParts = 1'000'000;

// Lenient: producers are trusted not to use a name of an open content model before it is declared.
enum class Policy : uint8_t { kStrict, kLenient };

struct Difference {
  std::string_view type;  // PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL
  std::string path;       // #/properties/name
  bool is_compatible;     // the reader takes what was written all the same
  std::string message;    // of one that is not
};

Result<std::vector<Difference>> differences(const Document& reader, const Document& writer,
                                            Policy policy = Policy::kStrict);

// Those that are not compatible.
Result<std::vector<schema::Incompatibility>> diff(const Document& reader, const Document& writer,
                                                  Policy policy = Policy::kStrict);

}  // namespace millrace::json_schema
