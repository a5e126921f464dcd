#include "event-gateway/token_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "event/text.h"

namespace millrace::gateway {
namespace {

constexpr int64_t kUsedKeptEveryUs = 3'600'000'000;
constexpr size_t kMaxSecrets = 2;

Error bad_token(std::string message, std::string hint = {}) {
  return error(Code::kInvalid, "MR-AUTH-0005", std::move(message), std::move(hint));
}

std::string text_of(const std::string& id, const MadeSecret& secret) {
  return fmt::format("mrt_{}_{}", id, secret.secret);
}

int64_t end_of(const Token& token, const TokenSecret& secret) {
  return std::min(token.expires_us, secret.until_us);
}

}  // namespace

Result<std::unique_ptr<TokenStore>> TokenStore::open(metadata::MetadataStore& store) {
  auto tokens = std::unique_ptr<TokenStore>(new TokenStore(store));
  TRY_ASSIGN(const auto kept, store.settings("token/"));
  for (const auto& setting : kept) {
    TRY_ASSIGN(Token token, decode_token(setting.value));
    const int64_t used = token.used_us;
    std::string id = token.id;
    tokens->tokens_.emplace(std::move(id), Entry{std::move(token), {}, used});
  }
  return tokens;
}

void TokenStore::note_use(Entry& entry) {
  for (const Proved& proved : entry.proved)
    entry.token.used_us = std::max(entry.token.used_us, proved.caller->used_us);
}

std::vector<const Token*> TokenStore::list() {
  std::vector<const Token*> out;
  for (auto& [id, entry] : tokens_) {
    note_use(entry);
    out.push_back(&entry.token);
  }
  return out;
}

const Token* TokenStore::find(const std::string& id) {
  const auto found = tokens_.find(id);
  if (found == tokens_.end()) return nullptr;
  note_use(found->second);
  return &found->second.token;
}

Result<TokenStore::Entry*> TokenStore::entry_of(const std::string& id) {
  const auto found = tokens_.find(id);
  if (found != tokens_.end()) return &found->second;
  return error(Code::kNotFound, "MR-AUTH-0007",
               fmt::format("there is no access token \"{}\"", start_of(id, 40)),
               "the list of them has their ids");
}

Result<std::string> TokenStore::create(Token token, const MadeSecret& secret) {
  if (!is_tenant_name(token.tenant))
    return bad_token("a tenant's name has 1 to 100 bytes, without slashes and control characters");
  if (token.name.size() > Token::kMaxName)
    return bad_token(fmt::format("a name has at most {} bytes", Token::kMaxName));
  if (token.expires_us <= token.created_us) return bad_token("it would have expired already");
  if (token.all_tenants && !token.administers())
    return bad_token("a token of all tenants administers them", "give it the scope admin");
  if (tokens_.empty() && !token.administers()) {
    return error(Code::kConflict, "MR-AUTH-0006", "the first access token has to have the scope admin",
                 "with it alone others can be made: from the first token on nobody may call without one");
  }
  if (tokens_.size() >= kMaxTokens) {
    return error(Code::kConflict, "MR-AUTH-0009",
                 fmt::format("there are {} access tokens already", kMaxTokens), "revoke what is not used");
  }
  do {
    token.id = make_token_id();
  } while (tokens_.contains(token.id));
  token.secrets = {{secret.kept, kNeverUs}};
  TRY(store_.change({{setting(token.id), encode_token(token)}}));
  std::string text = text_of(token.id, secret);
  std::string id = token.id;
  tokens_.emplace(std::move(id), Entry{std::move(token), {}, 0});
  return text;
}

Result<std::string> TokenStore::rotate(const std::string& id, const MadeSecret& secret, int64_t overlap_us,
                                       int64_t now_us) {
  TRY_ASSIGN(Entry * entry, entry_of(id));
  Token token = entry->token;
  token.secrets.insert(token.secrets.begin(), {secret.kept, kNeverUs});
  token.secrets.resize(kMaxSecrets);
  token.secrets[1].until_us = now_us + overlap_us;
  if (overlap_us == 0) token.secrets.pop_back();
  TRY(store_.change({{setting(id), encode_token(token)}}));
  entry->token = std::move(token);
  end_secrets(*entry);
  return text_of(id, secret);
}

Status TokenStore::revoke(const std::string& id, int64_t now_us) {
  TRY_ASSIGN(Entry * entry, entry_of(id));
  const bool others = std::any_of(tokens_.begin(), tokens_.end(), [&](const auto& other) {
    const Token& token = other.second.token;
    return token.id != id && token.administers() && token.expires_us > now_us &&
           (token.all_tenants || !entry->token.all_tenants);
  });
  if (entry->token.administers() && !others) {
    return error(Code::kConflict, "MR-AUTH-0008",
                 entry->token.all_tenants ? "this is the last access token that administers all tenants"
                                          : "this is the last access token with the scope admin",
                 "make another one first, or rotate this one");
  }
  TRY(store_.change({{setting(id), std::nullopt}}));
  entry->token.secrets.clear();
  end_secrets(*entry);
  tokens_.erase(id);
  return {};
}

void TokenStore::end_secrets(Entry& entry) {
  std::erase_if(entry.proved, [&](const Proved& proved) {
    for (const auto& secret : entry.token.secrets) {
      if (secret.kept.hash != proved.hash) continue;
      proved.caller->ends_at_us = end_of(entry.token, secret);
      return false;
    }
    entry.token.used_us = std::max(entry.token.used_us, proved.caller->used_us);
    proved.caller->revoked = true;
    return true;
  });
}

TokenStore::Seen TokenStore::look(std::string_view text, int64_t now_us) {
  const auto token = parse_token(text);
  const auto found = token ? tokens_.find(token->id) : tokens_.end();
  if (found == tokens_.end()) return {};
  Entry& entry = found->second;
  const auto digest = digests_.of(token->secret);
  for (const Proved& proved : entry.proved) {
    if (SecretDigests::same(proved.digest, digest)) return {proved.caller, std::nullopt};
  }
  const std::string check = gateway::check_of(token->secret);
  for (const auto& secret : entry.token.secrets) {
    if (secret.kept.check == check && now_us < secret.until_us)
      return {nullptr, SecretCheck{secret.kept.hash, std::string(token->secret)}};
  }
  return {};
}

void TokenStore::prove(const SecretCheck& check, std::string_view text) {
  const auto token = parse_token(text);
  const auto found = token ? tokens_.find(token->id) : tokens_.end();
  if (found == tokens_.end()) return;
  Entry& entry = found->second;
  const auto is_it = [&](const auto& one) { return one.hash == check.hash; };
  if (std::any_of(entry.proved.begin(), entry.proved.end(), is_it)) return;
  for (const auto& secret : entry.token.secrets) {
    if (secret.kept.hash != check.hash) continue;
    Caller caller;
    caller.tenant = entry.token.tenant;
    caller.scopes = entry.token.scopes;
    caller.all_metrics = caller.all_tenants = entry.token.all_tenants;
    caller.token = entry.token.id;
    caller.ends_at_us = end_of(entry.token, secret);
    entry.proved.push_back(
        {check.hash, digests_.of(check.secret), std::make_shared<Caller>(std::move(caller))});
  }
}

Status TokenStore::keep_uses(int64_t now_us, bool all) {
  std::vector<metadata::SettingChange> changes;
  std::vector<Entry*> kept;
  for (auto& [id, entry] : tokens_) {
    note_use(entry);
    const int64_t used = entry.token.used_us;
    if (used == entry.used_kept_us) continue;
    if (!all && entry.used_kept_us != 0 && now_us - entry.used_kept_us < kUsedKeptEveryUs) continue;
    changes.push_back({setting(id), encode_token(entry.token)});
    kept.push_back(&entry);
  }
  if (changes.empty()) return {};
  TRY(store_.change(changes));
  for (Entry* entry : kept) entry->used_kept_us = entry->token.used_us;
  return {};
}

}  // namespace millrace::gateway
