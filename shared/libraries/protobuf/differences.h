// How a reader's Protobuf schema differs from a writer's, with the names that registry clients know.
//
// Fields are compared by number, in or out of a oneof; messages and enums by name. A message of another file is compared
// where a field has it as its type: a difference is told once, at the message, and at every field that leads to it.
// Errors: MR-PROTO-0005.
// Bound:  kMaxComparedParts; a difference counts as one, and 64 bytes of its path as one more.
#pragma once

#include "schema/schema.h"

namespace millrace::protobuf {

inline constexpr size_t kMaxComparedParts = 1'000'000;

enum class DifferenceType : uint8_t {
  kPackageChanged,
  kMessageAdded,
  kMessageRemoved,
  kMessageMoved,
  kEnumAdded,
  kEnumRemoved,
  kEnumConstAdded,
  kEnumConstChanged,
  kEnumConstRemoved,
  kFieldAdded,
  kFieldRemoved,
  kFieldNameChanged,
  kFieldKindChanged,
  kFieldScalarKindChanged,
  kFieldNamedTypeChanged,
  kFieldNumericLabelChanged,
  kFieldStringOrBytesLabelChanged,
  kRequiredFieldAdded,
  kRequiredFieldRemoved,
  kOneofAdded,
  kOneofRemoved,
  kOneofFieldAdded,
  kOneofFieldRemoved,
  kOneofFieldMovedToTopLevel,
  kMultipleFieldsMovedToOneof,
  kFieldMovedToExistingOneof,
};
inline constexpr size_t kDifferenceTypes = 26;

struct Difference {
  DifferenceType type;
  std::string path;  // #/Order/lines/3: names of messages, of a oneof, a field's number
};

std::string_view to_string(DifferenceType type);  // FIELD_KIND_CHANGED
bool is_compatible(DifferenceType type);          // the reader reads what was written all the same
std::string message_of(const Difference& difference);

// Both of this format, else CHECK.
Result<std::vector<Difference>> differences(const schema::Schema& reader, const schema::Schema& writer);

}  // namespace millrace::protobuf
