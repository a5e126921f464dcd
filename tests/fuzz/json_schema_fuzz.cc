// Any bytes as a schema and, behind a zero byte, an event. A schema that is taken has a compact text that is read as the same
// one; verdict and list of failures agree; the verdict does not depend on the layout of the schema.
#include <simdjson.h>

#include <cstdint>
#include <string_view>

#include "json-schema/json_schema.h"
#include "json-schema/validator.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using json_schema::Document;
using json_schema::DocumentPtr;
using json_schema::JsonSchema;
using json_schema::Validator;

// A bound may be met in the one and not in the other.
bool is_verdict(const Status& status) {
  return status.ok() || status.error().id == "MR-JSCH-0007";
}

void check_event(const Validator& validator, const Validator& compact, std::string_view event) {
  json_schema::EventParser parser;
  const auto parsed = parser.parse(event);
  if (!parsed.ok()) return;
  const Status verdict = validator.check(*parsed);
  const Status other = compact.check(*parsed);
  if (is_verdict(verdict) && is_verdict(other))
    require(verdict.ok() == other.ok(), "layout changes the verdict");
  const auto failures = validator.failures(*parsed, 5);
  if (is_verdict(verdict) && failures.ok())
    require(failures->empty() == verdict.ok(), "verdict and failures disagree");
}

void check(std::string_view schema, std::string_view event) {
  const auto document = Document::parse(schema, {});
  if (!document.ok()) {
    require(!document.error().id.empty(), "an error without a code");
    return;
  }
  const JsonSchema whole(*document);
  const auto again = Document::parse(whole.text(), {});
  require(again.ok(), "the compact text is not taken");
  require(JsonSchema(*again).text() == whole.text(), "the compact text changes");
  require(JsonSchema(*again).normalized() == whole.normalized(), "the normal form depends on the layout");
  const auto validator = Validator::compile(*document, {.assert_formats = true});
  const auto compact = Validator::compile(*again, {.assert_formats = true});
  require(validator.ok() == compact.ok(), "layout decides whether it compiles");
  if (validator.ok()) check_event(*validator, *compact, event);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t zero = std::min(bytes.find('\0'), size);
  millrace::fuzz::check(bytes.substr(0, zero), bytes.substr(std::min(zero + 1, size)));
  return 0;
}
