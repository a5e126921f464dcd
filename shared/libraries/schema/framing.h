// Framing: what stands before a serialized value to say which schema wrote it, as Confluent's clients write it.
//
//   00 and 4 bytes, big-endian    the schema's id
//   01 and 16 bytes               its GUID
// The same stands in a record's header instead, if the client is set so: kKeySchemaHeader, kValueSchemaHeader; the value is
// then the payload alone. Behind it a format may have something of its own (Protobuf: the message's indexes).
//
// Errors: MR-FRAME-0001 no framing, MR-FRAME-0002 it is cut off, MR-FRAME-0003 no GUID.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace millrace::schema {

inline constexpr std::string_view kKeySchemaHeader = "__key_schema_id";
inline constexpr std::string_view kValueSchemaHeader = "__value_schema_id";

using SchemaId = int32_t;  // 1, 2, 3 …
struct SchemaGuid {
  std::array<char, 16> bytes{};
  friend auto operator<=>(const SchemaGuid&, const SchemaGuid&) = default;
};

std::string to_string(const SchemaGuid& guid);  // 8-4-4-4-12 hexadecimal digits, lower case
Result<SchemaGuid> parse_guid(std::string_view text);

using WriterSchema = std::variant<SchemaId, SchemaGuid>;
std::string to_string(const WriterSchema& writer);

struct Framed {
  WriterSchema schema;
  std::string_view payload;  // what is behind it
};

// Of a value, or of a header's value.
Result<Framed> parse_framing(std::string_view bytes);
void append_framing(std::string& out, const WriterSchema& schema);

}  // namespace millrace::schema
