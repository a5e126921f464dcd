// What POST /v1/sql is asked: a text alone, or in a JSON object with the values of its parameters.
#pragma once

#include "event-gateway/gateway.h"

namespace millrace::gateway {

// {"sql": "… $1 …", "parameters": […]}. A value becomes PostgreSQL's text form: an array one of its arrays, an object
// its JSON text. Errors: MR-API-0035.
Result<SqlText> parse_sql_request(std::string_view json);

}  // namespace millrace::gateway
