// OtlpEndpoint: where a collector of spans listens.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"

namespace millrace::node {

struct OtlpEndpoint {
  net::Url url;
  std::string target;  // its path, /v1/traces included
};

Result<OtlpEndpoint> parse_otlp_endpoint(std::string_view text);  // http://host[:port][/path]

}  // namespace millrace::node
