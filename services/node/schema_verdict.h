// What a node says of a schema that is proposed (POST /v1/schemas/check), at a command line.
#pragma once

#include <string>

#include "net/http_client.h"
#include "node/json_members.h"

namespace millrace::cli {

// Shows it as a table or CSV, a line for each finding, or as it came. MR-CLI-0055: something stands in the way; it is shown.
Status show_schema_verdict(net::HttpClient& server, const Json& asked, const std::string& output);

}  // namespace millrace::cli
