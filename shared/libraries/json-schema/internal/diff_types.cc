#include "json-schema/internal/diff_types.h"

namespace millrace::json_schema {

namespace {

// With the path at its mark.
constexpr std::string_view kMessages[] = {
    "",
    "The keyword at path '@' in the reader schema is not present in the writer schema",
    "The value at path '@' in the reader schema is more than its value in the writer schema",
    "The value at path '@' in the reader schema is less than its value in the writer schema",
    "The value at path '@' is different between the reader and writer schema",
    "An array or combined type at path '@' has fewer elements in the reader schema than the writer schema",
    "An array or combined type at path '@' has more elements in the reader schema than the writer schema",
    "A type at path '@' is different between the reader schema and the writer schema",
    "The reader schema has a property or item at path '@' that the writer schema does not declare and, its "
    "content model "
    "being open, does not forbid either",
    "The reader schema has a required property at path '@' that the writer schema does not have",
    "The reader schema has a closed content model and lacks the property or item at path '@' of the writer "
    "schema",
    "The reader schema lacks the property or item at path '@' of the writer schema, and its partially open "
    "content model "
    "does not cover it",
    "The reader schema has a property or item at path '@' that the writer schema lacks and that the writer's "
    "partially open "
    "content model does not cover",
};

}  // namespace

std::string message_of(const DifferenceType& type, std::string_view path) {
  std::string out(kMessages[static_cast<size_t>(type.words)]);
  const size_t mark = out.find('@');
  return mark == std::string::npos ? out : out.replace(mark, 1, path);
}

}  // namespace millrace::json_schema
