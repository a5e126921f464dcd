#include "protobuf/differences.h"

#include <fmt/format.h>

#include <array>

#include "protobuf/internal/comparison.h"
#include "protobuf/internal/library.h"
#include "protobuf/internal/schema_impl.h"

namespace millrace::protobuf {

namespace {

// `message`: with the path at its mark; empty: the reader reads what was written all the same.
struct Words {
  std::string_view name, message;
};

constexpr std::array<Words, kDifferenceTypes> kWords = {{
    {"PACKAGE_CHANGED",
     "The package at '@' in the reader schema does not match the package in the writer schema"},
    {"MESSAGE_ADDED", ""},
    {"MESSAGE_REMOVED", "The reader schema is missing a MESSAGE type at path '@' in the writer schema"},
    {"MESSAGE_MOVED", ""},
    {"ENUM_ADDED", ""},
    {"ENUM_REMOVED", ""},
    {"ENUM_CONST_ADDED", ""},
    {"ENUM_CONST_CHANGED", ""},
    {"ENUM_CONST_REMOVED", ""},
    {"FIELD_ADDED", ""},
    {"FIELD_REMOVED", ""},
    {"FIELD_NAME_CHANGED", ""},
    {"FIELD_KIND_CHANGED",
     "The type of a field at path '@' in the reader schema does not match the writer schema"},
    {"FIELD_SCALAR_KIND_CHANGED",
     "The kind of a SCALAR field at path '@' in the reader schema does not match its kind in the writer "
     "schema"},
    {"FIELD_NAMED_TYPE_CHANGED",
     "The type of a MESSAGE field at path '@' in the reader schema does not match its type in the writer "
     "schema"},
    {"FIELD_NUMERIC_LABEL_CHANGED",
     "The label for a NUMERIC field at path '@' in the reader schema does not match its label in the writer "
     "schema"},
    {"FIELD_STRING_OR_BYTES_LABEL_CHANGED", ""},
    {"REQUIRED_FIELD_ADDED",
     "A required field at path '@' in the reader schema is missing in the writer schema"},
    {"REQUIRED_FIELD_REMOVED",
     "The reader schema is missing a required field at path '@' in the writer schema"},
    {"ONEOF_ADDED", ""},
    {"ONEOF_REMOVED", ""},
    {"ONEOF_FIELD_ADDED", ""},
    {"ONEOF_FIELD_REMOVED", "The reader schema is missing a oneof field at path '@' in the writer schema"},
    {"ONEOF_FIELD_MOVED_TO_TOP_LEVEL", ""},
    {"MULTIPLE_FIELDS_MOVED_TO_ONEOF",
     "Multiple fields in the oneof at path '@' in the reader schema are outside a oneof in the writer "
     "schema"},
    {"FIELD_MOVED_TO_EXISTING_ONEOF",
     "A field in the oneof at path '@' in the reader schema is outside an existing oneof in the writer "
     "schema"},
}};

const Words& words_of(DifferenceType type) {
  return kWords[static_cast<size_t>(type)];
}

}  // namespace

std::string_view to_string(DifferenceType type) {
  return words_of(type).name;
}

bool is_compatible(DifferenceType type) {
  return words_of(type).message.empty();
}

std::string message_of(const Difference& difference) {
  const std::string_view message = words_of(difference.type).message;
  const size_t mark = message.find('@');
  if (mark == std::string_view::npos) return {};
  return fmt::format("{}{}{}", message.substr(0, mark), difference.path, message.substr(mark + 1));
}

Result<std::vector<Difference>> differences(const schema::Schema& reader, const schema::Schema& writer) {
  const ProtobufSchema &after = as_protobuf(reader), &before = as_protobuf(writer);
  return guarded([&] { return Comparison(after.file(), before.file()).run(); });
}

}  // namespace millrace::protobuf
