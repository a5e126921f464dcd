// Events that come as values of serializers: bytes with the schema that wrote them in front (schema/framing.h).
//
// Container: several are one behind the other, each behind its length, 4 bytes, big-endian.
// Errors:    MR-EVT-0010 a container that cannot be taken apart; MR-ING-0011 over kMaxWriters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/framing.h"

namespace millrace::gateway {

inline constexpr size_t kMaxWriters = 20;  // a request

void append_value(std::string& container, std::string_view value);
// Without copying. No more than `most` and one are looked for.
Result<std::vector<std::string_view>> split_values(std::string_view body, size_t most);

// Whom the values name, each once. One without a framing names nobody.
Result<std::vector<schema::WriterSchema>> writers_of(const std::vector<std::string_view>& values);

}  // namespace millrace::gateway
