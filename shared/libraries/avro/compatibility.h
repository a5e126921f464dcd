// compare: what hinders a reader with one schema from reading what was written with another.
//
// Why:   registries promise the answer of Java's SchemaCompatibility; types, places and messages are its own, to the byte.
// Bound: kMaxComparisons pairs of types and findings, eight of a pair's fields, symbols or aliases counting as one more, as do
//        64 findings that a pair hands on and 64 bytes of a finding's texts (MR-AVRO-0009); kMaxIncompatibilities told.
//        Each pair is compared once, without recursion.
#pragma once

#include <vector>

#include "avro/node.h"
#include "schema/schema.h"

namespace millrace::avro {

inline constexpr size_t kMaxComparisons = 250'000;
inline constexpr size_t kMaxIncompatibilities = 1'000;

Result<std::vector<schema::Incompatibility>> compare(const Node& reader, const Node& writer);

}  // namespace millrace::avro
