#include "event-gateway/http_sql_request.h"

#include <fmt/format.h>

#include <charconv>

#include "event/text.h"
#include "formats/jsonb.h"

namespace millrace::gateway {
namespace {

using formats::JsonbKind;

constexpr uint32_t kMostTimeoutMs = 86'400'000;  // a day
constexpr size_t kMostExponents = 1'000;

Error bad_request(std::string message) {
  return error(Code::kInvalid, "MR-API-0035", std::move(message),
               R"(send {"sql": "SELECT … $1 …", "parameters": [value, …]})");
}

std::string text_of(std::string_view value) {
  std::string out;
  formats::append_jsonb_text(out, value);
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// As PostgreSQL writes an array: {1,"two",NULL}.
std::string array_text(std::string_view array) {
  std::string out = "{";
  formats::visit_jsonb(array, [&](std::string_view, std::string_view element) {
    if (out.size() > 1) out += ',';
    switch (formats::jsonb_kind(element)) {
      case JsonbKind::kNull:
        out += "NULL";
        break;
      case JsonbKind::kArray:
        out += array_text(element);
        break;
      case JsonbKind::kNumber:
      case JsonbKind::kBoolean:
        out += element;
        break;
      case JsonbKind::kString:
      case JsonbKind::kObject:
        append_quoted(out, text_of(element));
        break;
    }
    return true;
  });
  out += '}';
  return out;
}

std::optional<std::string> parameter(std::string_view value) {
  switch (formats::jsonb_kind(value)) {
    case JsonbKind::kNull:
      return std::nullopt;
    case JsonbKind::kArray:
      return array_text(value);
    default:
      return text_of(value);
  }
}

Status take_member(std::string_view name, std::string_view value, SqlText& out) {
  const JsonbKind kind = formats::jsonb_kind(value);
  if (name == "sql") {
    if (kind != JsonbKind::kString) return bad_request("\"sql\" has to be a string");
    out.text = text_of(value);
    return {};
  }
  if (name != "parameters")
    return bad_request(fmt::format("the request has a member \"{:.40}\", which is not known here", name));
  if (kind != JsonbKind::kArray) return bad_request("\"parameters\" has to be an array");
  formats::visit_jsonb(value, [&](std::string_view, std::string_view one) {
    out.parameters.push_back(parameter(one));
    return true;
  });
  return {};
}

// Numbers written with an exponent: a few bytes each that become a thousand digits.
size_t count_exponents(std::string_view json) {
  size_t count = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (json[i] == '\\') ++i;
    } else if ((json[i] == 'e' || json[i] == 'E') && i > 0 && json[i - 1] >= '0' && json[i - 1] <= '9') {
      ++count;
    }
  }
  return count;
}

}  // namespace

bool has_many_exponents(std::string_view json) {
  return count_exponents(json) > kMostExponents;
}

Result<SqlText> parse_sql_request(std::string_view json) {
  if (has_many_exponents(json))
    return bad_request(
        fmt::format("more than {} numbers have an exponent: send them as strings", kMostExponents));
  const auto object = formats::parse_jsonb(json);
  if (!object.ok()) return bad_request("the body is not JSON: " + object.error().message);
  if (formats::jsonb_kind(*object) != JsonbKind::kObject) return bad_request("the body is not a JSON object");
  SqlText out;
  Status taken;
  formats::visit_jsonb(*object, [&](std::string_view name, std::string_view value) {
    taken = take_member(text_of(name), value, out);
    return taken.ok();
  });
  TRY(std::move(taken));
  if (out.text.empty()) return bad_request("\"sql\" is missing");
  return out;
}

Result<std::chrono::milliseconds> parse_timeout_ms(std::string_view text) {
  uint32_t milliseconds = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, milliseconds);
  if (problem == std::errc() && rest == end && milliseconds >= 1 && milliseconds <= kMostTimeoutMs)
    return std::chrono::milliseconds(milliseconds);
  return error(Code::kInvalid, "MR-API-0040",
               fmt::format("timeout_ms has to be a whole number from 1 to {}, not \"{}\"", kMostTimeoutMs,
                           start_of(text, 40)),
               "leave it out for the server's own (--statement-timeout)");
}

}  // namespace millrace::gateway
