// A schema that is to become a subject's next version, examined before anybody registers it.
#pragma once

#include <string>
#include <vector>

#include "event-gateway/event_schemas.h"
#include "schema-registry/registry.h"

namespace millrace::node {

// On the registry's thread; its errors, and those of the schema's format. `ids`: of versions of the subject whose columns are asked for; what is not there any more is left out.
Result<gateway::ExaminedSchema> examine_schema(registry::Registry& registry, const std::string& tenant,
                                               const gateway::ProposedSchema& proposed,
                                               const std::vector<int32_t>& ids);

}  // namespace millrace::node
