#include "event-gateway/token_request.h"

#include <fmt/format.h>

#include "event/text.h"
#include "event/type.h"
#include "formats/jsonb.h"

namespace millrace::gateway {
namespace {

using formats::JsonbKind;

constexpr int64_t kUsPerS = 1'000'000;
constexpr int64_t kMostSeconds = 315'360'000;  // ten years

Error bad_request(std::string message) {
  return error(
      Code::kInvalid, "MR-AUTH-0005", std::move(message),
      R"(send {"scopes": ["read:orders", "ingest:click*"], "name": …, "tenant": …, "expires_in_seconds": …})");
}

std::string text_of(std::string_view value) {
  std::string out;
  formats::append_jsonb_text(out, value);
  return out;
}

Result<std::string> string_in(std::string_view name, std::string_view value) {
  if (formats::jsonb_kind(value) == JsonbKind::kString) return text_of(value);
  return bad_request(fmt::format("\"{}\" has to be a string", name));
}

Status take_scopes(std::string_view value, Token& token) {
  if (formats::jsonb_kind(value) != JsonbKind::kArray) return bad_request("\"scopes\" has to be an array");
  std::vector<std::string> texts;
  bool strings = true;
  formats::visit_jsonb(value, [&](std::string_view, std::string_view one) {
    strings = formats::jsonb_kind(one) == JsonbKind::kString && texts.size() <= Scopes::kMaxScopes;
    if (strings) texts.push_back(text_of(one));
    return strings;
  });
  if (!strings) return bad_request(fmt::format("\"scopes\" has to hold 1 to {} strings", Scopes::kMaxScopes));
  TRY_ASSIGN(token.scopes, Scopes::parse(texts));
  return {};
}

Status take_member(std::string_view name, std::string_view value, Token& token) {
  if (name == "scopes") return take_scopes(value, token);
  if (name == "tenant") {
    TRY_ASSIGN(token.tenant, string_in(name, value));
    return {};
  }
  if (name == "name") {
    TRY_ASSIGN(token.name, string_in(name, value));
    return {};
  }
  if (name == "all_tenants") {
    if (formats::jsonb_kind(value) != JsonbKind::kBoolean)
      return bad_request("\"all_tenants\" has to be true or false");
    token.all_tenants = value == "true";
    return {};
  }
  if (name == "expires_in_seconds") {
    const auto seconds = parse_bigint(value);
    if (formats::jsonb_kind(value) != JsonbKind::kNumber || !seconds.ok() || *seconds < 1 ||
        *seconds > kMostSeconds)
      return bad_request(
          fmt::format("\"expires_in_seconds\" has to be a whole number from 1 to {}", kMostSeconds));
    token.expires_us = token.created_us + *seconds * kUsPerS;
    return {};
  }
  return bad_request(
      fmt::format("the request has a member \"{}\", which is not known here", start_of(name, 40)));
}

}  // namespace

Result<Token> parse_token_request(std::string_view json, const CallerPtr& caller, int64_t now_us) {
  const auto object = formats::parse_jsonb(json);
  if (!object.ok()) return bad_request("the body is not JSON: " + object.error().message);
  if (formats::jsonb_kind(*object) != JsonbKind::kObject) return bad_request("the body is not a JSON object");
  Token token;
  token.tenant = caller == nullptr ? "default" : caller->tenant;
  token.created_us = now_us;
  Status taken;
  formats::visit_jsonb(*object, [&](std::string_view name, std::string_view value) {
    taken = take_member(text_of(name), value, token);
    return taken.ok();
  });
  TRY(std::move(taken));
  if (!formats::jsonb_member(*object, "scopes")) return bad_request("\"scopes\" is missing");
  const bool of_another = caller != nullptr && (token.tenant != caller->tenant || token.all_tenants);
  if (of_another && !caller->all_tenants) {
    return error(Code::kDenied, "MR-AUTH-0010", "the access token administers its own tenant only",
                 "use one that was made with all_tenants");
  }
  return token;
}

}  // namespace millrace::gateway
