#include "schema-registry/json_members.h"

#include <fmt/format.h>

#include <charconv>

#include "formats/json_text.h"
#include "formats/jsonb.h"
#include "schema-registry/api_error.h"

namespace millrace::registry {
namespace {

using formats::JsonbKind;

Error wrong(std::string_view name, std::string_view what) {
  return api_error(400, fmt::format("the body's member \"{}\" has to be {}", name, what));
}

template <typename Number>
Result<std::optional<Number>> number_in(std::string_view name, std::optional<std::string_view> value) {
  if (!value) return std::optional<Number>();
  Number number = 0;
  const auto [stop, failure] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (failure != std::errc() || stop != value->data() + value->size()) return wrong(name, "a whole number");
  return std::optional(number);
}

Result<Reference> reference_in(std::string_view value) {
  const JsonMembers members(value);
  Reference one;
  TRY_ASSIGN(auto name, members.text("name"));
  TRY_ASSIGN(auto subject, members.text("subject"));
  TRY_ASSIGN(auto version, members.number("version"));
  if (!name || !subject || !version) {
    return wrong("references", "an array of objects with name, subject and version");
  }
  return Reference{std::move(*name), std::move(*subject), *version};
}

}  // namespace

std::string text_of(std::string_view jsonb_string) {
  std::string out;
  formats::append_jsonb_text(out, jsonb_string);
  return out;
}

std::optional<std::vector<std::string>> texts_of(std::string_view jsonb_array) {
  if (formats::jsonb_kind(jsonb_array) != JsonbKind::kArray) return std::nullopt;
  std::vector<std::string> out;
  bool strings = true;
  formats::visit_jsonb(jsonb_array, [&](std::string_view, std::string_view one) {
    strings = formats::jsonb_kind(one) == JsonbKind::kString;
    if (strings) out.push_back(text_of(one));
    return strings;
  });
  if (!strings) return std::nullopt;
  return out;
}

Result<std::string> parse_object(std::string_view json) {
  auto object = formats::parse_jsonb(json);
  if (!object.ok()) return api_error(400, "the body is not JSON: " + object.error().message);
  if (formats::jsonb_kind(*object) != JsonbKind::kObject)
    return api_error(400, "the body is not a JSON object");
  return object;
}

std::optional<std::string_view> JsonMembers::value(std::string_view name) const {
  if (formats::jsonb_kind(object_) != JsonbKind::kObject) return std::nullopt;
  const auto found = formats::jsonb_member(object_, name);
  if (found && formats::jsonb_kind(*found) == JsonbKind::kNull) return std::nullopt;
  return found;
}

Result<std::optional<std::string>> JsonMembers::text(std::string_view name) const {
  const auto found = value(name);
  if (!found) return std::optional<std::string>();
  if (formats::jsonb_kind(*found) != JsonbKind::kString) return wrong(name, "a string");
  return std::optional(text_of(*found));
}

Result<std::optional<int32_t>> JsonMembers::number(std::string_view name) const {
  return number_in<int32_t>(name, value(name));
}

Result<std::optional<int64_t>> JsonMembers::long_number(std::string_view name) const {
  return number_in<int64_t>(name, value(name));
}

Result<std::string> JsonMembers::object(std::string_view name) const {
  const auto found = value(name);
  if (!found) return std::string();
  if (formats::jsonb_kind(*found) != JsonbKind::kObject) return wrong(name, "an object");
  return std::string(*found);
}

Result<std::vector<std::string>> JsonMembers::texts(std::string_view name) const {
  const auto found = value(name);
  if (!found) return std::vector<std::string>();
  auto out = texts_of(*found);
  if (!out) return wrong(name, "an array of strings");
  return *std::move(out);
}

Result<std::vector<Reference>> JsonMembers::references() const {
  std::vector<Reference> out;
  const auto found = value("references");
  if (!found) return out;
  if (formats::jsonb_kind(*found) != JsonbKind::kArray) return wrong("references", "an array");
  Status read;
  formats::visit_jsonb(*found, [&](std::string_view, std::string_view value) {
    auto one = reference_in(value);
    if (one.ok()) {
      out.push_back(std::move(*one));
    } else {
      read = std::move(one).error();
    }
    return read.ok();
  });
  TRY(std::move(read));
  return out;
}

std::string references_json(const std::vector<Reference>& references) {
  std::string out;
  formats::JsonText json(out);
  json.open('[');
  for (const auto& one : references) {
    json.open('{').name("name").text(one.name).name("subject").text(one.subject);
    json.name("version").number(one.version).close('}');
  }
  json.close(']');
  return out;
}

}  // namespace millrace::registry
