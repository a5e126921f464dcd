// The body of POST /v1/tokens: {"tenant":…?,"name":…?,"scopes":[…],"all_tenants":…?,"expires_in_seconds":…?}
#pragma once

#include <string_view>

#include "event-gateway/caller.h"
#include "event-gateway/token_record.h"

namespace millrace::gateway {

// The token without id and secret. MR-AUTH-0004, MR-AUTH-0005; MR-AUTH-0010: another tenant's, and `caller` may not.
Result<Token> parse_token_request(std::string_view json, const CallerPtr& caller, int64_t now_us);

}  // namespace millrace::gateway
