// Names of types: what is one, and which full name a name means within a namespace.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::avro {

// A letter or '_', then letters, digits and '_'; letters of any script, as Java's library takes them.
bool is_simple_name(std::string_view name);
bool is_full_name(std::string_view name);  // simple names, joined by dots

// A name with a dot is full; others stand in the namespace, which may be empty.
std::string full_name(std::string_view name, std::string_view space);

}  // namespace millrace::avro
