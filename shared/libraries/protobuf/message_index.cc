#include "protobuf/message_index.h"

namespace millrace::protobuf {

namespace {

Error malformed(std::string_view what) {
  return error(Code::kInvalid, "MR-PROTO-0006",
               "the payload's message indexes are malformed: " + std::string(what),
               "write them as Protobuf serializers of registry clients do");
}

Result<int32_t> read_zigzag(std::string_view bytes, size_t& at) {
  uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (at == bytes.size()) return malformed("they are cut off");
    const auto byte = static_cast<uint8_t>(bytes[at++]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      if (value > UINT32_MAX) break;
      return static_cast<int32_t>(static_cast<uint32_t>(value) >> 1) ^ -static_cast<int32_t>(value & 1);
    }
  }
  return malformed("a number has more than 32 bits");
}

void append_zigzag(std::string& out, int32_t number) {
  uint32_t rest = (static_cast<uint32_t>(number) << 1) ^ static_cast<uint32_t>(number >> 31);
  for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(rest | 0x80);
  out += static_cast<char>(rest);
}

}  // namespace

Result<MessageIndexes> read_message_indexes(std::string_view bytes) {
  MessageIndexes out;
  TRY_ASSIGN(const int32_t count, read_zigzag(bytes, out.size));
  if (count == 0) {
    out.indexes = {0};
    return out;
  }
  if (count < 0 || static_cast<size_t>(count) > kMaxIndexes)
    return malformed("there are " + std::to_string(count));
  for (int32_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const int32_t index, read_zigzag(bytes, out.size));
    if (index < 0) return malformed("one is negative");
    out.indexes.push_back(index);
  }
  return out;
}

void append_message_indexes(std::string& out, const std::vector<int32_t>& indexes) {
  if (indexes.size() == 1 && indexes[0] == 0) {
    out += '\0';
    return;
  }
  append_zigzag(out, static_cast<int32_t>(indexes.size()));
  for (const int32_t index : indexes) append_zigzag(out, index);
}

}  // namespace millrace::protobuf
