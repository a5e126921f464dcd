// Pages of other sites: which may call, and what browsers are told of it (CORS).
//
// Credentials are never allowed: there are no cookies here, a page sends its token by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::gateway {

// What is wrong with an origin that is to be allowed; empty: nothing. "*", or as browsers send it.
std::string check_cors_origin(const std::string& text);
bool allows_origin(const std::vector<std::string>& allowed, std::string_view origin);
// Header lines of an answer; `origin` is empty where the request has none.
std::string cors_fields(const std::vector<std::string>& allowed, std::string_view origin);
// Beside them, of an answer to OPTIONS. `methods` are the path's.
std::string preflight_fields(std::string_view methods);

}  // namespace millrace::gateway
