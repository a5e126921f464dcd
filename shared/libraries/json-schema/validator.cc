#include "json-schema/validator.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "json-schema/internal/compiler.h"
#include "json-schema/internal/machine.h"

namespace millrace::json_schema {

namespace {

Error too_much_work() {
  return error(
      Code::kInvalid, "MR-JSCH-0008", "it takes too much work to tell whether the event fits the schema",
      "simplify the schema: fewer `anyOf` and `oneOf` in each other, no reference to itself without a step");
}

// A whole number of more than 64 bits, with what makes simdjson read it as a double.
std::string with_large_numbers_marked(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < json.size();) {
    const char c = json[i];
    const bool is_digit = c >= '0' && c <= '9';
    if (in_string || !is_digit) {
      if (c == '"') in_string = !in_string;
      const size_t length = in_string && c == '\\' ? 2 : 1;
      out += json.substr(i, length);
      i += length;
      continue;
    }
    const size_t end = std::min(json.find_first_not_of("0123456789.eE+-", i), json.size());
    out += json.substr(i, end - i);
    const size_t sign = i > 0 && json[i - 1] == '-' ? 1 : 0;
    const std::string_view number = json.substr(i - sign, end - i + sign);
    const bool is_whole = number.find_first_of(".eE") == number.npos;
    if (is_whole && !whole_number_of(number)) out += "e0";
    i = end;
  }
  return out;
}

}  // namespace

Validator::Validator(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Validator::~Validator() = default;
Validator::Validator(Validator&&) noexcept = default;

Result<Validator> Validator::compile(DocumentPtr document, ValidatorOptions options) {
  TRY_ASSIGN(Program program, json_schema::compile(std::move(document), options.assert_formats));
  return Validator(std::make_unique<const Program>(std::move(program)));
}

Status Validator::check(const simdjson::dom::element& event) const {
  const std::optional<bool> fits = accepts(*program_, event);
  if (fits == true) return {};
  if (!fits) return too_much_work();
  TRY_ASSIGN(const std::vector<Failure> found, failures(event, 1));
  const Failure& first = found.front();
  Error failure =
      error(Code::kInvalid, "MR-JSCH-0007",
            fmt::format("the event does not fit its schema at {}: {}",
                        first.instance_path.empty() ? "the root" : first.instance_path, first.message),
            "correct the event, or register a schema that allows it");
  failure.detail =
      fmt::format("{} of the schema", first.schema_path.empty() ? "the root" : first.schema_path);
  return failure;
}

Result<std::vector<Failure>> Validator::failures(const simdjson::dom::element& event, size_t most) const {
  auto found = json_schema::failures(*program_, event, most);
  if (!found) return too_much_work();
  return *std::move(found);
}

EventParser::EventParser() : parser_(std::make_unique<simdjson::dom::parser>()) {}
EventParser::~EventParser() = default;

Result<simdjson::dom::element> EventParser::parse(std::string_view json) {
  simdjson::dom::element root;
  auto failed = parser_->parse(json.data(), json.size()).get(root);
  if (failed == simdjson::NUMBER_ERROR) {
    rewritten_ = with_large_numbers_marked(json);
    failed = parser_->parse(rewritten_).get(root);
  }
  if (failed != simdjson::SUCCESS) {
    return error(Code::kInvalid, "MR-JSCH-0010",
                 fmt::format("the event is not JSON: {}", simdjson::error_message(failed)),
                 "correct the event");
  }
  return root;
}

}  // namespace millrace::json_schema
