// Any bytes as a schema of Avro: what is taken comes back from each of its own texts, and reads what it wrote itself.
#include "avro/avro_schema.h"
#include "avro/json_tree.h"
#include "tests/fuzz/require.h"

using namespace millrace;  // NOLINT

namespace {

std::shared_ptr<const avro::AvroSchema> again(const std::string& text) {
  auto schema = avro::AvroSchema::parse(text);
  // A text may grow over the bound: a number is written with all its zeros.
  if (!schema.ok()) fuzz::require(schema.error().id == "MR-AVRO-0002", "a schema's text is one", text);
  return schema.ok() ? *schema : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = avro::AvroSchema::parse(text);
  if (!parsed.ok()) {
    fuzz::require(parsed.error().id.starts_with("MR-AVRO-"), "an error has a code", parsed.error().id);
    if (parsed.error().span)
      fuzz::require(parsed.error().span->offset <= size, "an error's place is in the text");
    return 0;
  }
  const avro::AvroSchema& schema = **parsed;
  if (const auto same = again(schema.text())) {
    fuzz::require(same->text() == schema.text(), "a text is its own text", schema.text());
    fuzz::require(same->fingerprint() == schema.fingerprint(), "a text has its schema's fingerprint",
                  schema.text());
    const auto found = schema.what_hinders_reading(*same);
    fuzz::require(!found.ok() || found->empty(), "a schema reads what it wrote", schema.text());
  }
  if (const auto same = again(schema.normalized()))
    fuzz::require(same->normalized() == schema.normalized(), "a normal form is its own", schema.normalized());
  return 0;
}
