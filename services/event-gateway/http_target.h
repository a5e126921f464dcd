// A request's target, taken apart and percent-decoded. Strict: what could be read in two ways is refused.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace::gateway {

struct HttpTarget {
  std::string authority;              // of an absolute-form target; it stands for Host then
  std::vector<std::string> segments;  // decoded: "/v1/a%20b" is {"v1", "a b"}
  std::vector<std::pair<std::string, std::string>> query;

  const std::string* parameter(std::string_view name) const;
};

// Errors: MR-API-0013. `%` without two hex digits, control characters, bytes that are no UTF-8 (overlong
// forms too),
// "." and ".." segments, a fragment, a parameter given twice.
Result<HttpTarget> parse_target(std::string_view text);
// The same, but a parameter may come again.
Result<HttpTarget> parse_repeating_target(std::string_view text);
Result<std::string> percent_decode(std::string_view text);

void append_percent_encoded(std::string& out,
                            std::string_view text);  // all but RFC 3986's unreserved characters
int hex_value(char c);                               // -1: no digit

// "host:port" without the port; an IPv6 address keeps no brackets. False: not an authority.
bool split_authority(std::string_view authority, std::string_view& host, std::string_view& port);

}  // namespace millrace::gateway
