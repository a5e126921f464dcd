#include "sql/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

Error bad_value(const ast::Option& option, std::string_view wants, std::string hint) {
  return invalid_at(kBadOption, option.value_span,
                    fmt::format("option \"{}\" takes {}", option.name.text, wants), std::move(hint));
}

struct ByteUnit {
  std::string_view name;
  int64_t bytes;
};
constexpr ByteUnit kByteUnits[] = {{"b", 1},
                                   {"kb", 1'000},
                                   {"mb", 1'000'000},
                                   {"gb", 1'000'000'000},
                                   {"tb", 1'000'000'000'000},
                                   {"kib", 1LL << 10},
                                   {"mib", 1LL << 20},
                                   {"gib", 1LL << 30},
                                   {"tib", 1LL << 40},
                                   {"", 1}};

std::string lower_trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

Result<std::string> option_text(const ast::Option& option) {
  if (option.kind == ast::Option::Kind::kNumber)
    return bad_value(option, "a 'string'", "put it in single quotes");
  return option.value;
}

Result<int64_t> option_integer(const ast::Option& option, int64_t least, int64_t most) {
  const auto value = parse_bigint(option.value);
  if (value.ok() && *value >= least && *value <= most) return *value;
  return bad_value(option, fmt::format("a whole number from {} to {}", least, most),
                   fmt::format("for example {} = {}", option.name.text, least));
}

Result<int64_t> option_duration_us(const ast::Option& option) {
  if (option.value == "0" || option.value == "forever") return int64_t{0};
  const std::string hint =
      fmt::format("for example {} = '10 minutes'; 'forever' for no end", option.name.text);
  const auto value = parse_interval(option.value);
  if (option.kind == ast::Option::Kind::kNumber || !value.ok())
    return bad_value(option, "a duration with its unit", hint);
  TRY_ASSIGN(const int64_t micros,
             interval_us(*value, option.value_span, fmt::format("option \"{}\"", option.name.text)));
  if (micros <= 0) return bad_value(option, "a duration above zero", hint);
  return micros;
}

Result<int64_t> option_bytes(const ast::Option& option) {
  const std::string text = lower_trimmed(option.value);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = lower_trimmed(std::string_view(text).substr(digits));
  const auto number = parse_bigint(text.substr(0, digits));
  for (const ByteUnit& known : kByteUnits) {
    int64_t bytes = 0;
    if (known.name == unit && number.ok() && !__builtin_mul_overflow(*number, known.bytes, &bytes))
      return bytes;
  }
  return bad_value(option, "a number of bytes", fmt::format("for example {} = '10 GB'", option.name.text));
}

Status option_one_of(const ast::Option& option, const std::vector<std::string>& values) {
  if (std::ranges::find(values, option.value) != values.end()) return {};
  return error_at(Code::kUnsupported, kBadOption, option.value_span,
                  fmt::format("option \"{}\" has no value \"{:.60}\"", option.name.text, option.value),
                  "it has " + list_names(values));
}

Result<bool> schema_option(const ast::Option& option, engine::SchemaRef& schema) {
  const std::string& name = option.name.text;
  if (name == "schema") {
    TRY_ASSIGN(schema.subject, option_text(option));
    if (!schema.subject.empty()) return true;
    return invalid_at(kBadOption, option.value_span, "option \"schema\" names no subject",
                      "for example schema = 'orders-value'");
  }
  if (name != "schema_version" && name != "schema_id") return false;
  TRY_ASSIGN(const int64_t number, option_integer(option, 1, INT32_MAX));
  (name == "schema_id" ? schema.id : schema.version) = static_cast<int32_t>(number);
  return true;
}

Status check_schema_named(const std::vector<ast::Option>& options, const engine::SchemaRef& schema) {
  for (const char* name : {"schema_version", "schema_id"}) {
    const ast::Option* option = ast::find_option(options, name);
    if (option == nullptr || !schema.subject.empty()) continue;
    return invalid_at(kBadOption, option->name.span,
                      fmt::format("option \"{}\" is of a subject, and none is named", name),
                      "add schema = 'SUBJECT'");
  }
  return {};
}

Error unknown_option(const ast::Option& option, const std::vector<std::string>& known, std::string_view of) {
  std::string hint = did_you_mean(option.name.text, known);
  if (hint.empty()) hint = fmt::format("the options of {} are {}", of, list_names(known));
  return invalid_at(kBadOption, option.name.span,
                    fmt::format("{} has no option \"{}\"", of, option.name.text), hint);
}

}  // namespace millrace::sql
