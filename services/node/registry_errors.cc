#include "node/registry_errors.h"

#include <fmt/format.h>

namespace millrace::node {
bool is_an_answer(const Error& why) {
  return why.code == Code::kInvalid || why.code == Code::kNotFound || why.code == Code::kConflict ||
         why.code == Code::kUnsupported;
}

Error cannot_say(const std::string& what, const Error& why) {
  return error(Code::kUnavailable, "MR-SCH-0005",
               fmt::format("the schema registry cannot say what {} is: {}", what, why.message),
               "send it again");
}

Error schema_not_found(const std::string& subject, const Error& why) {
  if (!is_an_answer(why)) return cannot_say('"' + subject + '"', why);
  return error(Code::kNotFound, "MR-SCH-0001",
               fmt::format("the schema registry has no schema for \"{}\": {}", subject, why.message),
               "register it: millrace schema register SUBJECT FILE");
}

Error no_next_schema(const std::string& subject, const Error& why) {
  if (!is_an_answer(why)) return cannot_say('"' + subject + '"', why);
  return error(Code::kInvalid, "MR-SCH-0007",
               fmt::format("it cannot become a schema of \"{}\": {}", subject, why.message),
               "correct the schema, or register first what it refers to");
}

}  // namespace millrace::node
