#include "node/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "event/type.h"

namespace millrace::node {

Result<ListenAddress> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  int port = -1;
  if (colon != std::string::npos) {
    const auto parsed = parse_bigint(std::string_view(text).substr(colon + 1));
    if (parsed.ok() && *parsed >= 0 && *parsed <= 65'535) port = static_cast<int>(*parsed);
  }
  if (port < 0) {
    return error(Code::kInvalid, "MR-NODE-0010", fmt::format("\"{}\" is not an address", text),
                 "write HOST:PORT, as in 127.0.0.1:8080 (port 0 takes a free one)");
  }
  return ListenAddress{text.substr(0, colon), static_cast<uint16_t>(port)};
}

Status check_address(const std::string& text) {
  const auto address = parse_address(text);
  if (!address.ok()) return address.error();
  const std::string& host = address->host;
  in6_addr parsed{};
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  const std::string bare = in_brackets ? host.substr(1, host.size() - 2) : host;
  if (host == "localhost" || ::inet_pton(AF_INET, host.c_str(), &parsed) == 1 ||
      ::inet_pton(AF_INET6, bare.c_str(), &parsed) == 1)
    return {};
  return error(Code::kInvalid, "MR-NODE-0010",
               fmt::format("\"{}\" is not an address: {} is no IP address", text, host),
               "names are not looked up: write an address of this machine, or 0.0.0.0 for all it has");
}

std::string to_call(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::" || host == "[::]") return "[::1]";
  return host;
}

}  // namespace millrace::node
