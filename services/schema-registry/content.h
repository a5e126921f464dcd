// Content: what an id stands for: a schema's text and all that was registered with it.
//
// Owns: everything; immutable once it is shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "schema/schema.h"

namespace millrace::registry {

struct Reference {
  std::string name, subject;
  int32_t version = 0;
  bool operator==(const Reference&) const = default;
};

struct Content {
  schema::SchemaType type = schema::SchemaType::kAvro;
  std::string text;
  std::vector<Reference> references;
  std::string metadata, rule_set;  // jsonb objects; empty: none

  bool operator==(const Content&) const = default;
  bool same_schema(const Content& other) const {
    return type == other.type && text == other.text && references == other.references;
  }
};
using ContentPtr = std::shared_ptr<const Content>;

// Follows from the content alone, so that every registry gives the same content the same one.
std::string guid_of(const Content& content);

}  // namespace millrace::registry
