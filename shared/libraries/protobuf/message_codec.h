// MessageCodec: payloads of one message of a schema, to JSON and back, by Protobuf's JSON mapping: 64-bit integers are
// strings, bytes base64, fields have the names of the .proto. Fields without presence are written with their default.
//
// Errors:  MR-PROTO-0006 (no such message), 0007 (payload), 0008 (JSON).
// Bound:   kMaxMessageBytes either way; kMaxMessageDepth, also through Any; kMaxMessageWeight of what a payload unfolds to.
// Threads: any; shared.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/schema.h"

namespace millrace::protobuf {

inline constexpr size_t kMaxMessageBytes = 1u << 20;
inline constexpr int kMaxMessageDepth = 64;
inline constexpr size_t kMaxMessageWeight = 32u << 20;

class MessageCodec {
 public:
  // `schema` is of this format, else CHECK.
  static Result<MessageCodec> of(schema::SchemaPtr schema, std::span<const int32_t> indexes);
  // By its full name: shop.Order.Line
  static Result<MessageCodec> of(schema::SchemaPtr schema, std::string_view full_name);
  ~MessageCodec();
  MessageCodec(MessageCodec&&) noexcept;
  MessageCodec& operator=(MessageCodec&&) noexcept;

  const std::string& full_name() const;
  const std::vector<int32_t>& indexes() const;

  Result<std::string> to_json(std::string_view message) const;
  // The same with integers of 64 bits as numbers, appended to `out`; where it fails, what was made until then. `most`: bytes of
  // JSON, which one value may pass.
  Status append_plain_json(std::string& out, std::string_view message, size_t most) const;
  Result<std::string> from_json(std::string_view json) const;

 private:
  struct Impl;
  explicit MessageCodec(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::protobuf
