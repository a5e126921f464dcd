#include "json-schema/diff.h"

#include "json-schema/internal/diff_pairs.h"

namespace millrace::json_schema {

Result<std::vector<Difference>> differences(const Document& reader, const Document& writer, Policy policy) {
  return Pairs(reader, writer, policy).run();
}

Result<std::vector<schema::Incompatibility>> diff(const Document& reader, const Document& writer,
                                                  Policy policy) {
  TRY_ASSIGN(const auto found, differences(reader, writer, policy));
  std::vector<schema::Incompatibility> out;
  for (const Difference& difference : found) {
    if (!difference.is_compatible)
      out.push_back({std::string(difference.type), difference.path, difference.message});
  }
  return out;
}

}  // namespace millrace::json_schema
