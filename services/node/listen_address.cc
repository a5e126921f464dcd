#include "node/listen_address.h"

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

}  // namespace millrace::node
