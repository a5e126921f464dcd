// parse_tree: a schema's text, checked, as a tree of types.
//
// Errors: MR-AVRO-0001 to 0008; the message has the JSON pointer, the span line and column. Within a reference: its name.
// Bound:  kMaxJsonBytes a text, kMaxTextBytes with its references, kMaxParts types, fields and symbols,
//         kMaxTypeDepth types in each other, the references' written out where they are met first.
#pragma once

#include <span>
#include <string_view>

#include "avro/node.h"
#include "schema/schema.h"

namespace millrace::avro {

inline constexpr size_t kMaxTextBytes = 8u << 20;
inline constexpr size_t kMaxParts = 100'000;
inline constexpr int kMaxTypeDepth = 150;  // readers and writers recurse

Result<SchemaTree> parse_tree(std::string_view text, std::span<const schema::NamedSchema> references);

}  // namespace millrace::avro
