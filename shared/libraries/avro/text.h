// A schema's texts: as it is stored, as its normal form, and its parsing canonical form with the fingerprint.
#pragma once

#include <cstdint>
#include <string>

#include "avro/node.h"

namespace millrace::avro {

enum class Layout : uint8_t {
  kDeclared,    // members in the order that Java's library writes them, properties as they came
  kNormalized,  // properties and aliases sorted, empty docs left out
};

// Compact JSON. Named types whose number is below `own` are mentioned, not defined: those that another text defines.
std::string schema_text(const Node& root, uint32_t own, Layout layout);

// The specification's Parsing Canonical Form: what alone decides how data is read.
std::string canonical_form(const Node& root);
uint64_t fingerprint(const Node& root);  // CRC-64-AVRO of it

}  // namespace millrace::avro
