#include "avro/resolve_names.h"

#include <algorithm>

namespace millrace::avro {

bool same_name(const Node& reader, const Node& writer) {
  return reader.simple_name() == writer.simple_name() ||
         std::find(reader.aliases.begin(), reader.aliases.end(), writer.name) != reader.aliases.end();
}

bool promotes(Kind writer, Kind reader) {
  switch (reader) {
    case Kind::kLong:
      return writer == Kind::kInt;
    case Kind::kFloat:
      return writer == Kind::kInt || writer == Kind::kLong;
    case Kind::kDouble:
      return writer == Kind::kInt || writer == Kind::kLong || writer == Kind::kFloat;
    case Kind::kBytes:
      return writer == Kind::kString;
    case Kind::kString:
      return writer == Kind::kBytes;
    default:
      return false;
  }
}

FieldIndex::FieldIndex(const Node& writer) {
  for (const Field& field : writer.fields) fields_.emplace(field.name, &field);
}

const Field* FieldIndex::find(const Field& reader) const {
  if (const auto found = fields_.find(reader.name); found != fields_.end()) return found->second;
  for (const std::string& alias : reader.aliases)
    if (const auto found = fields_.find(alias); found != fields_.end()) return found->second;
  return nullptr;
}

}  // namespace millrace::avro
