// Any bytes as two JSON Schemas, the first up to a zero byte, compared both ways and each with itself.
#include <cstdint>
#include <string_view>

#include "json-schema/diff.h"
#include "tests/fuzz/require.h"

using namespace millrace;               // NOLINT
using namespace millrace::json_schema;  // NOLINT

namespace {

void check_itself(std::string_view text, const Document& document) {
  const auto again = Document::parse(text, {});
  fuzz::require(again.ok(), "a schema is read twice", std::string(text));
  const auto found = diff(**again, document);
  if (!found.ok()) return;
  for (const auto& one : *found)
    fuzz::require(false, "a schema reads what it wrote", one.type + " " + one.path);
}

// What is compatible under the strict policy is so under the lenient one.
void check_pair(const Document& reader, const Document& writer) {
  const auto strict = diff(reader, writer), lenient = diff(reader, writer, Policy::kLenient);
  if (!strict.ok() || !lenient.ok()) return;
  fuzz::require(!strict->empty() || lenient->empty(), "lenient is not stricter than strict");
  for (const auto& one : *strict) {
    fuzz::require(one.path.starts_with("#/") && !one.message.empty(), "a difference has words", one.type);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string_view texts[] = {bytes.substr(0, end), bytes.substr(std::min(end + 1, bytes.size()))};
  const auto one = Document::parse(texts[0], {}), other = Document::parse(texts[1], {});
  if (one.ok()) check_itself(texts[0], **one);
  if (!one.ok() || !other.ok()) return 0;
  check_pair(**one, **other);
  check_pair(**other, **one);
  return 0;
}
