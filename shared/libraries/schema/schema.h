// Schema: the text of a schema, parsed and checked, whatever its format. What a registry needs of it.
//
// Owns:    everything; immutable. Shared by whoever uses it, on any thread.
// Errors:  of the format's own area (MR-AVRO-…, MR-JSCH-…, MR-PROTO-…); the place, where the text has one.
// Bound:   each format bounds the size, depth and number of parts of a text, and the work of a comparison.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::schema {

enum class SchemaType : uint8_t { kAvro, kJson, kProtobuf };

std::string_view to_string(SchemaType type);  // as the registry's API: AVRO, JSON, PROTOBUF
std::optional<SchemaType> schema_type_of(std::string_view api_name);  // nothing: not one of them

// A text that another one refers to, by the name it refers to it by.
struct NamedSchema {
  std::string name;
  std::string text;
};

// What stands in the way of reading data with one schema that was written with another.
struct Incompatibility {
  std::string type;     // a stable word of the format's own list: READER_FIELD_MISSING_DEFAULT_VALUE
  std::string path;     // where, as a pointer into the schema: /fields/0/type
  std::string message;  // for people: what, of which schema
};

class Schema {
 public:
  virtual ~Schema() = default;
  virtual SchemaType type() const = 0;

  // What is stored and handed out: two texts that differ in layout alone have the same one.
  virtual const std::string& text() const = 0;
  // The same for two texts that mean the same to a reader (order of members, defaults spelled out, …).
  virtual std::string normalized() const = 0;
  // In a spelling that a client asks for by name ("resolved", "serialized", …); the text for a name that the format does
  // not know.
  virtual Result<std::string> formatted(std::string_view format) const = 0;

  // Whether a reader with this schema reads what `writer` wrote; nothing: it does. The same type of schema, else CHECK.
  // Code::kExhausted: the comparison took more work than its bound.
  virtual Result<std::vector<Incompatibility>> what_hinders_reading(const Schema& writer) const = 0;
  // The same, where writers are trusted not to write what the format leaves open before it is declared. A format that leaves
  // nothing open: the same as above.
  virtual Result<std::vector<Incompatibility>> what_hinders_trusting(const Schema& writer) const {
    return what_hinders_reading(writer);
  }
};

using SchemaPtr = std::shared_ptr<const Schema>;

// A format: how its texts are parsed. `references` in dependency order, each before whoever refers to it.
struct SchemaFormat {
  SchemaType type;
  Result<SchemaPtr> (*parse)(std::string_view text, std::span<const NamedSchema> references);
  // At the top of what such a schema describes. Null: it has none.
  Result<std::vector<std::string>> (*field_names)(const Schema& schema) = nullptr;
};

}  // namespace millrace::schema
