// The row types that a text names or makes, with an error's place.
#pragma once

#include "base/result.h"
#include "event/row_type.h"

namespace millrace::sql {

Result<Type> row_type_at(Schema fields, const SourceSpan& span);

}  // namespace millrace::sql
