#include "node/otlp_endpoint.h"

#include <algorithm>

namespace millrace::node {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";

}  // namespace

Result<OtlpEndpoint> parse_otlp_endpoint(std::string_view text) {
  const size_t scheme = text.find("://");
  const size_t path = scheme == std::string_view::npos ? scheme : text.find('/', scheme + 3);
  OtlpEndpoint endpoint;
  TRY_ASSIGN(endpoint.url, net::parse_url(text.substr(0, path)));
  std::string_view prefix = path == std::string_view::npos ? std::string_view() : text.substr(path);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  const bool plain = std::all_of(prefix.begin(), prefix.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!plain || prefix.find_first_of("?#") != std::string_view::npos)
    return error(Code::kInvalid, "MR-TEL-0001", "not a collector's address: its path holds what no path may",
                 "write http://HOST:PORT, like http://127.0.0.1:4318");
  endpoint.target = std::string(prefix) + std::string(kTracesPath);
  return endpoint;
}

}  // namespace millrace::node
