// The message indexes: what stands between a framed payload's schema id and the message, to say which message of the
// schema it is. [1, 0] is the first message within the second one of the file. Map entries do not count: no text has them.
//
// Bytes:  a count, then the indexes, all zigzag varints; [0] is the single byte 00.
// Errors: MR-PROTO-0006.
// Bound:  kMaxIndexes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::protobuf {

inline constexpr size_t kMaxIndexes = 32;

struct MessageIndexes {
  std::vector<int32_t> indexes;
  size_t size = 0;  // bytes that were read
};

Result<MessageIndexes> read_message_indexes(std::string_view bytes);
void append_message_indexes(std::string& out, const std::vector<int32_t>& indexes);

}  // namespace millrace::protobuf
