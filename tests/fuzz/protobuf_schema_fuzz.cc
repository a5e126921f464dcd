// Any bytes as a .proto text, one that it imports as "a.proto", and another to compare it with, each up to a zero byte.
#include <cstdint>
#include <string_view>
#include <vector>

#include "protobuf/differences.h"
#include "protobuf/protobuf_schema.h"
#include "tests/fuzz/require.h"

using namespace millrace;            // NOLINT
using namespace millrace::protobuf;  // NOLINT

namespace {

std::string_view next(std::string_view& rest) {
  const size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

void check_texts(const schema::Schema& schema, const std::vector<schema::NamedSchema>& references) {
  const auto again = kFormat.parse(schema.text(), references);
  fuzz::require(again.ok(), "what is printed is a schema", schema.text());
  fuzz::require((*again)->text() == schema.text(), "it is printed alike", schema.text());
  const auto normal = kFormat.parse(schema.normalized(), references);
  fuzz::require(normal.ok(), "the normal form is a schema", schema.normalized());
  fuzz::require((*normal)->normalized() == schema.normalized(), "it is normal", schema.normalized());
  fuzz::require(kFormat.parse(schema.formatted("serialized").value(), references).ok(),
                "its base64 is a schema", schema.text());
  const auto none = differences(schema, **normal);
  fuzz::require(none.ok(), "a schema is compared with itself", schema.text());
  for (const auto& found : *none)
    fuzz::require(is_compatible(found.type), "and is compatible", message_of(found));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view one = next(rest), import = next(rest), other = next(rest);
  const std::vector<schema::NamedSchema> references = {{"a.proto", std::string(import)}};
  const bool imports = kFormat.parse(import, {}).ok();
  const auto used = imports ? references : std::vector<schema::NamedSchema>{};
  const auto first = kFormat.parse(one, used), second = kFormat.parse(other, used);
  if (!first.ok())
    fuzz::require(!first.error().id.empty() && first.error().id != "MR-PROTO-0009", "an error has a code");
  if (first.ok()) check_texts(**first, used);
  if (first.ok() && second.ok()) fuzz::require(differences(**first, **second).ok(), "comparing ends");
  return 0;
}
