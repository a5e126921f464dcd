#include "event-gateway/token_scopes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "event/text.h"

namespace millrace::gateway {
namespace {

constexpr std::array kAll = {Scope::kIngest, Scope::kRead, Scope::kQuery, Scope::kAdmin};

Error bad_scope(std::string message) {
  return error(
      Code::kInvalid, "MR-AUTH-0004", std::move(message),
      "a scope is ingest, read, query or admin; the first three with :NAME or :PREFIX* if not all is meant");
}

std::optional<Scope> scope_named(std::string_view name) {
  for (const Scope scope : kAll) {
    if (name_of(scope) == name) return scope;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::kIngest:
      return "ingest";
    case Scope::kRead:
      return "read";
    case Scope::kQuery:
      return "query";
    case Scope::kAdmin:
      return "admin";
  }
  return "";
}

std::string names_of(ScopeSet set) {
  std::string out;
  for (const Scope scope : kAll) {
    if ((set & static_cast<ScopeSet>(scope)) == 0) continue;
    if (!out.empty()) out += " or ";
    out += name_of(scope);
  }
  return out;
}

Scopes Scopes::all() {
  Scopes scopes;
  for (const Scope scope : kAll) scopes.list_.push_back({scope, "", true});
  return scopes;
}

Result<Scopes::One> Scopes::parse_one(std::string_view text) {
  const size_t colon = text.find(':');
  const auto scope = scope_named(text.substr(0, colon));
  if (!scope) return bad_scope(fmt::format("\"{}\" is not a scope", start_of(text, 40)));
  if (colon == std::string_view::npos) return One{*scope, "", true};
  if (*scope == Scope::kAdmin) return bad_scope("admin is of the whole tenant");
  std::string_view name = text.substr(colon + 1);
  const bool prefix = name.ends_with('*');
  if (prefix) name.remove_suffix(1);
  if (!prefix && name.empty()) return bad_scope(fmt::format("\"{}\" names nothing", text));
  if (name.size() > kMaxPattern) return bad_scope(fmt::format("a pattern has at most {} bytes", kMaxPattern));
  const auto is_bad = [](char c) {
    return c == '*' || c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  };
  if (std::any_of(name.begin(), name.end(), is_bad))
    return bad_scope(fmt::format(
        "in \"{}\" a star can be the last character only, and no character is special", start_of(text, 40)));
  return One{*scope, std::string(name), prefix};
}

Result<Scopes> Scopes::parse(const std::vector<std::string>& texts) {
  if (texts.empty()) return bad_scope("a token has at least one scope");
  if (texts.size() > kMaxScopes) return bad_scope(fmt::format("a token has at most {} scopes", kMaxScopes));
  Scopes out;
  for (const auto& text : texts) {
    TRY_ASSIGN(One one, parse_one(text));
    out.list_.push_back(std::move(one));
  }
  return out;
}

bool Scopes::has_any(ScopeSet set) const {
  return std::any_of(list_.begin(), list_.end(),
                     [&](const One& one) { return (set & static_cast<ScopeSet>(one.scope)) != 0; });
}

bool Scopes::allows(Scope scope, std::string_view name) const {
  return std::any_of(list_.begin(), list_.end(),
                     [&](const One& one) { return one.scope == scope && one.fits(name); });
}

bool Scopes::allows_all(Scope scope) const {
  return std::any_of(list_.begin(), list_.end(),
                     [&](const One& one) { return one.scope == scope && one.prefix && one.name.empty(); });
}

bool Scopes::sees(std::string_view name) const {
  return std::any_of(list_.begin(), list_.end(), [&](const One& one) { return one.fits(name); });
}

std::vector<std::string> Scopes::texts() const {
  std::vector<std::string> out;
  for (const One& one : list_) {
    std::string text(name_of(one.scope));
    if (!one.prefix || !one.name.empty()) text += ':' + one.name + (one.prefix ? "*" : "");
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace millrace::gateway
