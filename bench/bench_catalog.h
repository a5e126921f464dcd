// The definitions of a bench as a server would have them: one tenant, one stream, its queries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/catalog.h"

namespace millrace::bench {

inline constexpr sql::DefinitionId kTenantDefinition{1}, kStreamDefinition{2};
// Of the i-th query.
sql::DefinitionId query_id(size_t i);

// CREATE STREAM's text, then the queries'.
Result<sql::CatalogPtr> catalog_of(std::string_view stream, const std::vector<std::string>& queries);

}  // namespace millrace::bench
