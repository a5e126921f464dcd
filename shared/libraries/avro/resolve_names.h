// Which type and which field of a writer's schema a reader's one means, and what may become what.
#pragma once

#include <string_view>
#include <unordered_map>

#include "avro/node.h"

namespace millrace::avro {

// Named types: of one name without its namespace, or the writer's full name is an alias of the reader's.
bool same_name(const Node& reader, const Node& writer);

// int to long, float, double; long to float, double; float to double; string to bytes and back.
bool promotes(Kind writer, Kind reader);

// A writer's fields by name.
class FieldIndex {
 public:
  explicit FieldIndex(const Node& writer);
  const Field* find(
      const Field& reader) const;  // by its name, else by its aliases in their order; nullptr: none

 private:
  std::unordered_map<std::string_view, const Field*> fields_;
};

}  // namespace millrace::avro
