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

}  // namespace millrace::node
