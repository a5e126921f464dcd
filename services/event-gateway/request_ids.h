// What a request is called, in its answer and in the log: as its client says (X-Request-Id), or a name of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::gateway {

// 1 to 128 printable characters without blanks.
bool is_request_id(std::string_view text);

class RequestIds {
 public:
  RequestIds();
  std::string next();  // differs from every other one, of other starts and nodes, too

 private:
  uint32_t start_;
  uint64_t count_ = 0;
};

}  // namespace millrace::gateway
