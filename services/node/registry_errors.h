// What the registry's errors mean for whoever asked for the schema that events have to fit, or proposes one.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::node {

// Whether it is an answer to what was asked; the others are of the registry, or of its store.
bool is_an_answer(const Error& why);
// MR-SCH-0005. `what` was asked for.
Error cannot_say(const std::string& what, const Error& why);
// MR-SCH-0001: the registry has no such schema; MR-SCH-0005: it cannot say.
Error schema_not_found(const std::string& subject, const Error& why);
// MR-SCH-0007: it cannot become one of the subject; MR-SCH-0005: the registry cannot say.
Error no_next_schema(const std::string& subject, const Error& why);

}  // namespace millrace::node
