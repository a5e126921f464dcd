// Reserved fields: names that a subject's schemas must not have, as its metadata lists them: fields that are gone for good, or are to come.
#pragma once

#include <string>
#include <vector>

#include "schema-registry/content.h"

namespace millrace::registry {

inline constexpr std::string_view kReservedProperty = "confluent:reserved";  // "a, b"

// What stands against it, in the words that clients of the API know. `earlier`: the version before; null: there is none.
// `format` is the content's.
Result<std::vector<std::string>> reserved_field_conflicts(const schema::Schema& schema,
                                                          const Content& content, const Content* earlier,
                                                          const schema::SchemaFormat& format);

}  // namespace millrace::registry
