#include "event-gateway/token_record.h"

#include <algorithm>

#include "event/type.h"
#include "formats/json_text.h"
#include "formats/jsonb.h"

namespace millrace::gateway {
namespace {

using formats::JsonbKind;

constexpr size_t kMaxTenantName = 100;

Error unreadable(const std::string& why) {
  return error(Code::kCorrupt, "MR-AUTH-0012", "an access token in the data directory cannot be read: " + why,
               "restore metadata.db from a backup of the data directory");
}

std::string text_of(std::string_view value) {
  std::string out;
  formats::append_jsonb_text(out, value);
  return out;
}

Result<int64_t> number_in(std::string_view object, std::string_view name) {
  const auto value = formats::jsonb_member(object, name);
  if (!value) return unreadable(fmt::format("\"{}\" is missing", name));
  return parse_bigint(*value);
}

std::string text_in(std::string_view object, std::string_view name) {
  const auto value = formats::jsonb_member(object, name);
  return value ? text_of(*value) : std::string();
}

}  // namespace

bool is_tenant_name(std::string_view name) {
  const auto is_bad = [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return !name.empty() && name.size() <= kMaxTenantName && std::none_of(name.begin(), name.end(), is_bad);
}

std::string encode_token(const Token& token) {
  std::string text;
  formats::JsonText out(text);
  out.open('{').name("id").text(token.id).name("tenant").text(token.tenant).name("name").text(token.name);
  out.name("scopes").open('[');
  for (const auto& scope : token.scopes.texts()) out.text(scope);
  out.close(']').name("all_tenants").flag(token.all_tenants).name("created_us").number(token.created_us);
  out.name("expires_us")
      .number(token.expires_us)
      .name("used_us")
      .number(token.used_us)
      .name("secrets")
      .open('[');
  for (const auto& secret : token.secrets) {
    out.open('{').name("hash").text(secret.kept.hash).name("check").text(secret.kept.check);
    out.name("until_us").number(secret.until_us).close('}');
  }
  out.close(']').close('}');
  return text;
}

Result<Token> decode_token(std::string_view json) {
  const auto object = formats::parse_jsonb(json);
  if (!object.ok()) return unreadable(object.error().message);
  if (formats::jsonb_kind(*object) != JsonbKind::kObject) return unreadable("it is no JSON object");
  Token token;
  token.id = text_in(*object, "id");
  token.tenant = text_in(*object, "tenant");
  token.name = text_in(*object, "name");
  token.all_tenants = formats::jsonb_member(*object, "all_tenants") == "true";
  TRY_ASSIGN(token.created_us, number_in(*object, "created_us"));
  TRY_ASSIGN(token.expires_us, number_in(*object, "expires_us"));
  TRY_ASSIGN(token.used_us, number_in(*object, "used_us"));
  std::vector<std::string> scopes;
  const auto listed = formats::jsonb_member(*object, "scopes");
  if (!listed || formats::jsonb_kind(*listed) != JsonbKind::kArray)
    return unreadable("\"scopes\" is missing");
  formats::visit_jsonb(*listed, [&](std::string_view, std::string_view value) {
    scopes.push_back(text_of(value));
    return true;
  });
  TRY_ASSIGN(token.scopes, Scopes::parse(scopes));
  const auto secrets = formats::jsonb_member(*object, "secrets");
  if (!secrets || formats::jsonb_kind(*secrets) != JsonbKind::kArray)
    return unreadable("\"secrets\" is missing");
  Status taken;
  formats::visit_jsonb(*secrets, [&](std::string_view, std::string_view value) {
    const auto until = number_in(value, "until_us");
    if (!until.ok()) {
      taken = until.error();
      return false;
    }
    token.secrets.push_back({{text_in(value, "hash"), text_in(value, "check")}, *until});
    return true;
  });
  TRY(std::move(taken));
  if (token.id.empty() || !is_tenant_name(token.tenant)) return unreadable("it has no id or no tenant");
  return token;
}

}  // namespace millrace::gateway
