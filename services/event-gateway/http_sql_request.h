// What POST /v1/sql is asked: a text alone, or in a JSON object with the values of its parameters.
#pragma once

#include "event-gateway/gateway.h"

namespace millrace::gateway {

// {"sql": "… $1 …", "parameters": […]}. A value becomes PostgreSQL's text form: an array one of its arrays, an object
// its JSON text. Errors: MR-API-0035.
Result<SqlText> parse_sql_request(std::string_view json);

// A few bytes each that become a thousand digits.
bool has_many_exponents(std::string_view json);

// The parameter `timeout_ms`: a whole number from 1 to that of a day. Errors: MR-API-0040.
Result<std::chrono::milliseconds> parse_timeout_ms(std::string_view text);

}  // namespace millrace::gateway
