// The API described in OpenAPI 3.1, made of the routes' table.
#pragma once

#include <string>

namespace millrace::gateway {

// The same text at every call.
const std::string& openapi_document();

}  // namespace millrace::gateway
