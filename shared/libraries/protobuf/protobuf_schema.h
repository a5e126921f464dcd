// Protobuf's schemas, proto2 and proto3: a .proto text or, as some clients send it, the base64 of a FileDescriptorProto.
//
// text()       the .proto printed in one layout, without comments; type names as they were written.
// normalized() the same, with imports, options and fields in order and type names in full.
// formatted()  "serialized": base64 of the FileDescriptorProto; "ignore_extensions": without custom options.
// Imports: a reference of that name, or one of the files that every registry client takes for granted: google/protobuf/…,
//          google/type/…, confluent/….
// Errors:  MR-PROTO-0001 … 0004, 0009.
// Bound:   kMaxTextBytes a text, kMaxAllTextBytes with its references, kMaxDepth, kMaxParts, kMaxNameBytes.
#pragma once

#include "schema/schema.h"

namespace millrace::protobuf {

inline constexpr size_t kMaxTextBytes = 1u << 20;
inline constexpr size_t kMaxAllTextBytes = 8u << 20;
inline constexpr int kMaxDepth = 30;  // of brackets in a text: the library's own parser stops shortly after
inline constexpr size_t kMaxParts = 50'000;          // messages, fields, enum values, … of a text
inline constexpr size_t kMaxNameBytes = 1'024;       // whole: a type's stands before each of its parts' names
inline constexpr size_t kMaxReservedRanges = 1'000;  // of one message or enum: each is compared with each

extern const schema::SchemaFormat kFormat;

}  // namespace millrace::protobuf
