// An access token as /v1/tokens shows it: all but its secrets.
#pragma once

#include "event-gateway/token_record.h"
#include "formats/json_text.h"

namespace millrace::gateway {

void append_members(formats::JsonText& out, const Token& token);

}  // namespace millrace::gateway
