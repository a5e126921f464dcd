// Validator: a schema compiled to instructions, run over events that simdjson has parsed.
//
// Threads: immutable; any number of threads at once.
// Errors:  at compile(): MR-JSCH-0006, a pattern that cannot be carried out.
//          of an event: MR-JSCH-0007 (it does not fit), 0008 (it takes too much work to say), 0010 (it is not JSON).
// Bound:   of the work on one event: internal/machine.h. A schema that refers to itself without end meets it.
// Speed:   no allocation while the event fits, except for `uniqueItems` and unevaluated….
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json-schema/document.h"

namespace simdjson::dom {
class element;
class parser;
}  // namespace simdjson::dom

namespace millrace::json_schema {

struct Program;

struct Failure {
  std::string instance_path;  // a JSON Pointer into the event: /lines/3/price
  std::string schema_path;    // where the keyword stands: /properties/lines/items/properties/price/minimum
  std::string keyword;
  std::string message;
};

struct ValidatorOptions {
  bool assert_formats = false;  // else `format` is a remark, as the drafts have it
};

class Validator {
 public:
  static Result<Validator> compile(DocumentPtr document, ValidatorOptions options = {});
  ~Validator();
  Validator(Validator&&) noexcept;

  // The error names the first failure.
  Status check(const simdjson::dom::element& event) const;
  // All of them up to `most`, in the order they are found. A failure within `anyOf`, `oneOf`, `not`, `if` or `contains` is
  // none of its own.
  Result<std::vector<Failure>> failures(const simdjson::dom::element& event, size_t most) const;

 private:
  explicit Validator(std::unique_ptr<const Program> program);

  std::unique_ptr<const Program> program_;
};

// Events as simdjson has them, whole numbers of more than 64 bits included: these become doubles.
class EventParser {
 public:
  EventParser();
  ~EventParser();

  // Valid until the next call.
  Result<simdjson::dom::element> parse(std::string_view json);

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
  std::string rewritten_;
};

}  // namespace millrace::json_schema
