#include "event-gateway/request_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace millrace::gateway {

bool is_request_id(std::string_view text) {
  constexpr size_t kMost = 128;
  return !text.empty() && text.size() <= kMost &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

RequestIds::RequestIds() : start_(std::random_device()()) {}

std::string RequestIds::next() {
  return fmt::format("{:08x}-{:08x}", start_, ++count_);
}

}  // namespace millrace::gateway
