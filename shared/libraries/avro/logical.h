// Logical types: what a type's properties say of its values. One that is unknown, or does not fit, is as if it were not there.
#pragma once

#include "avro/node.h"

namespace millrace::avro {

void read_logical_type(Node& node);

}  // namespace millrace::avro
