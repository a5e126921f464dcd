// Where the HTTP listener stands, as --http gives it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace millrace::node {

struct ListenAddress {
  std::string host;
  uint16_t port = 0;  // 0: a free one
};

// "HOST:PORT". kInvalid MR-NODE-0010.
Result<ListenAddress> parse_address(const std::string& text);
// Also whether a listener can have it: its host is an IP address, or localhost. MR-NODE-0010.
Status check_address(const std::string& text);
// The host by which a program on the machine calls a listener: that of 0.0.0.0 is 127.0.0.1.
std::string to_call(const std::string& host);

}  // namespace millrace::node
