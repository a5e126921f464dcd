// A message as plain JSON: Protobuf's JSON mapping with the fields' own names, but integers of 64 bits as numbers, as columns
// take them. What the mapping reads, it reads from this, too.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/util/type_resolver.h>

#include <string>

#include "base/result.h"

namespace millrace::protobuf {

// What types are called in an Any, and to a resolver: this, a slash, the full name.
inline constexpr const char* kTypePrefix = "type.googleapis.com";

// Fields without presence are written with their default. Well-known types: as the mapping has them; its error where they
// have no form in it. False through `whole`: `out` would have more than `end` bytes.
Status append_plain_json(std::string& out, const google::protobuf::Message& message,
                         google::protobuf::util::TypeResolver& types, size_t end, bool& whole);

}  // namespace millrace::protobuf
