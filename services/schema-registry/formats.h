// The formats of schemas that this registry knows. To add one: a line in formats.cc.
#pragma once

#include <span>

#include "schema/schema.h"

namespace millrace::registry {

std::span<const schema::SchemaFormat> known_formats();

}  // namespace millrace::registry
