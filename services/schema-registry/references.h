// What a schema refers to, and what that refers to in turn, as a format wants it.
#pragma once

#include <string>
#include <vector>

#include "schema-registry/tenant_state.h"

namespace millrace::registry {

struct ReferenceBounds {
  size_t count, bytes;
};

// In dependency order, each name once. 42201: there is no such version; too many, or too large. Soft-deleted ones count for
// what is stored already, not for what is new.
Result<std::vector<schema::NamedSchema>> resolve_references(const TenantState& state,
                                                            const std::string& subject,
                                                            const std::vector<Reference>& references,
                                                            bool stored, ReferenceBounds bounds);

// Of a new schema: each of them is there, and a version below 1 is the latest. 42201
Result<std::vector<Reference>> with_versions(const TenantState& state, const std::string& subject,
                                             std::vector<Reference> references, ReferenceBounds bounds);

}  // namespace millrace::registry
