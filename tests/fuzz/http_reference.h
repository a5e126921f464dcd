// What HTTP/1.1 says about the bytes of one accepted request, read again the slow and obvious way: a parser
// that sees another end of a request than its neighbour lets requests be smuggled past it.
#pragma once

#include <string>
#include <string_view>

#include "event-gateway/http_message.h"

namespace millrace::fuzz {

// The head's bytes, from the method to the empty line, against what was made of them (RFC 9112, 2 to 6).
void check_head(std::string_view bytes, const gateway::HttpHead& head);
// The bytes of a chunked body, from the first size to the empty line behind the last, against the content.
void check_chunks(std::string_view bytes, std::string_view content);

}  // namespace millrace::fuzz
