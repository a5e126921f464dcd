// A certificate that its own key has signed: what tests and benchmarks speak TLS with. Not for servers that others reach.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::net {

struct SelfSigned {
  std::string certificate, key;  // PEM; EC P-256
};

// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Valid from `from_s` to `until_s`, seconds from now.
SelfSigned make_self_signed(const std::string& names, int64_t from_s = -3'600, int64_t until_s = 86'400);

}  // namespace millrace::net
