#include "node/answer_row.h"

#include <simdjson.h>

namespace millrace::cli {
namespace {

namespace ondemand = simdjson::ondemand;
using Kind = AnswerValue::Kind;

std::string trimmed(std::string_view token) {
  const size_t end = token.find_last_not_of(" \t\r\n");
  return std::string(token.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

simdjson::error_code read(ondemand::field& field, AnswerValue& out) {
  std::string_view name;
  if (const auto error = field.unescaped_key().get(name)) return error;
  out.name = name;
  ondemand::value value = field.value();
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  std::string_view text;
  if (type == ondemand::json_type::string) {
    if (const auto error = value.get_string().get(text)) return error;
    out.kind = Kind::kText;
    out.text = text;
    return simdjson::SUCCESS;
  }
  if (const auto error = simdjson::to_json_string(value).get(text)) return error;
  out.text = trimmed(text);
  out.kind = type == ondemand::json_type::number ? Kind::kNumber : Kind::kOther;
  if (type == ondemand::json_type::null) out = {out.name, Kind::kNull, {}};
  return simdjson::SUCCESS;
}

}  // namespace

std::optional<AnswerRow> answer_row(std::string_view line) {
  static thread_local ondemand::parser parser;
  const simdjson::padded_string padded(line);
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object)) return std::nullopt;
  AnswerRow row;
  for (auto found : object) {
    ondemand::field field;
    if (std::move(found).get(field) || read(field, row.emplace_back())) return std::nullopt;
  }
  const char* rest = nullptr;
  const bool at_end = document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
  return at_end ? std::optional(std::move(row)) : std::nullopt;
}

}  // namespace millrace::cli
