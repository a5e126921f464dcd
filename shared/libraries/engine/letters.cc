#include "engine/letters.h"

#include "base/bytes.h"

namespace millrace::engine {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string encode(const LetterAction& action) {
  std::string out;
  append_le(out, kVersion);
  append_le(out, static_cast<uint8_t>(action.kind));
  append_varint(out, action.tenant.value);
  append_varint(out, static_cast<uint64_t>(action.letter.value));
  append_bytes(out, action.by);
  if (action.kind == LetterAction::Kind::kDiscard) return out;
  append_bytes(out, action.event.payload);
  if (action.kind == LetterAction::Kind::kEdit) return out;
  append_varint(out, action.query.value);
  append_varint(out, action.event.where.stream.value);
  append_varint(out, action.event.where.partition.value);
  append_varint(out, static_cast<uint64_t>(action.event.offset.value));
  return out;
}

Result<LetterAction> decode_letter_action(std::string_view payload) {
  ByteReader in(payload);
  LetterAction action;
  const auto version = in.le<uint8_t>();
  const auto kind = in.le<uint8_t>();
  action.kind = static_cast<LetterAction::Kind>(kind);
  action.tenant = TenantId(static_cast<uint32_t>(in.varint()));
  action.letter = Offset(static_cast<int64_t>(in.varint()));
  action.by = in.bytes();
  if (kind != static_cast<uint8_t>(LetterAction::Kind::kDiscard)) action.event.payload = in.bytes();
  if (kind == static_cast<uint8_t>(LetterAction::Kind::kRedrive)) {
    action.query = QueryId(static_cast<uint32_t>(in.varint()));
    action.event.where.stream = StreamId(static_cast<uint32_t>(in.varint()));
    action.event.where.partition = PartitionId(static_cast<uint16_t>(in.varint()));
    action.event.offset = Offset(static_cast<int64_t>(in.varint()));
  }
  if (in.done() && version == kVersion && kind >= 1 && kind <= 3) return action;
  return error(Code::kCorrupt, "MR-DLQ-0011", "a record of what was done with a dead letter does not parse",
               "run millrace log verify");
}

}  // namespace millrace::engine
