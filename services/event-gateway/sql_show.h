// The answers of SHOW and EXPLAIN: the catalog and the queries' status as rows. They are part of the API:
// names and types of the columns stay (docs/api/http.md).
#pragma once

#include "event-gateway/gateway.h"

namespace millrace::gateway {

StatementResult show_streams(const sql::Catalog& catalog, TenantId tenant);
StatementResult show_views(const sql::Catalog& catalog, TenantId tenant, engine::ViewReads* views);
StatementResult show_queries(const sql::Catalog& catalog, TenantId tenant, engine::ViewReads* views);
Result<StatementResult> show_columns(const sql::Catalog& catalog, TenantId tenant, const std::string& name);
StatementResult show_functions();  // what the function and the aggregate table say
StatementResult explain_rows(std::string_view text);

}  // namespace millrace::gateway
