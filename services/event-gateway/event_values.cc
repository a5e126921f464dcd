#include "event-gateway/event_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"

namespace millrace::gateway {

void append_value(std::string& container, std::string_view value) {
  append_be(container, static_cast<uint32_t>(value.size()));
  container.append(value);
}

Result<std::vector<std::string_view>> split_values(std::string_view body, size_t most) {
  constexpr size_t kLength = sizeof(uint32_t);
  std::vector<std::string_view> values;
  for (size_t at = 0; at < body.size() && values.size() <= most;) {
    const size_t left = body.size() - at;
    const size_t length = left < kLength ? 0 : load_be<uint32_t>(body.data() + at);
    if (left < kLength || length > left - kLength) {
      return error(Code::kInvalid, "MR-EVT-0010",
                   fmt::format("the value at byte {} of the body is cut off: {}", at,
                               left < kLength ? "its length has 4 bytes"
                                              : fmt::format("its length is {}, {} bytes are left", length,
                                                            left - kLength)),
                   "before each value send its length, 4 bytes, big-endian; one value alone is "
                   "application/octet-stream");
    }
    values.push_back(body.substr(at + kLength, length));
    at += kLength + length;
  }
  return values;
}

Result<std::vector<schema::WriterSchema>> writers_of(const std::vector<std::string_view>& values) {
  std::set<schema::WriterSchema> seen;
  const schema::WriterSchema* last = nullptr;  // most values are of the one before
  for (const auto value : values) {
    const auto framed = schema::parse_framing(value);
    if (!framed.ok() || (last != nullptr && *last == framed->schema)) continue;
    last = &*seen.insert(framed->schema).first;
    if (seen.size() > kMaxWriters) {
      return error(Code::kInvalid, "MR-ING-0011",
                   fmt::format("the values of a request name more than {} schemas", kMaxWriters),
                   "send them in several requests");
    }
  }
  return std::vector(seen.begin(), seen.end());
}

}  // namespace millrace::gateway
