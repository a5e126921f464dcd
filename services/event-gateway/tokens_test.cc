// Scopes, secrets, and the tokens of a data directory.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "event-gateway/token_request.h"
#include "event-gateway/token_store.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

constexpr int64_t kNow = 1'000'000'000'000'000;
constexpr int64_t kHour = 3'600'000'000;

Scopes scopes(const std::vector<std::string>& texts) {
  auto parsed = Scopes::parse(texts);
  EXPECT_TRUE(parsed.ok()) << parsed.error().to_string();
  return *parsed;
}

TEST(ScopesTest, PatternsAreNamesOrPrefixes) {
  const Scopes s = scopes({"read:orders", "read:click*", "query", "ingest:*"});
  EXPECT_TRUE(s.allows(Scope::kRead, "orders"));
  EXPECT_FALSE(s.allows(Scope::kRead, "orders2"));
  EXPECT_TRUE(s.allows(Scope::kRead, "click"));
  EXPECT_TRUE(s.allows(Scope::kRead, "clicks"));
  EXPECT_FALSE(s.allows(Scope::kRead, "clic"));
  EXPECT_TRUE(s.allows(Scope::kQuery, "anything"));
  EXPECT_TRUE(s.allows_all(Scope::kQuery));
  EXPECT_TRUE(s.allows_all(Scope::kIngest));
  EXPECT_FALSE(s.allows_all(Scope::kRead));
  EXPECT_FALSE(s.has_any(static_cast<ScopeSet>(Scope::kAdmin)));
  EXPECT_EQ(s.texts(), (std::vector<std::string>{"read:orders", "read:click*", "query", "ingest"}));
  EXPECT_FALSE(scopes({"read:a"}).sees("b"));
}

TEST(ScopesTest, WhatIsNoScopeIsRefused) {
  for (const char* bad :
       {"", "write", "Read", "read:", "read:a*b", "read:**", "admin:a", "read:a\n", "read:a/b", " read"}) {
    const auto parsed = Scopes::parse({bad});
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.error().id, "MR-AUTH-0004") << bad;
  }
  EXPECT_FALSE(Scopes::parse({}).ok());
  EXPECT_FALSE(Scopes::parse(std::vector<std::string>(33, "read")).ok());
  EXPECT_FALSE(Scopes::parse({"read:" + std::string(101, 'a')}).ok());
}

TEST(TokenSecretTest, OnlyTheSecretVerifies) {
  const auto made = make_secret();
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->kept.hash.starts_with("$argon2id$"));
  EXPECT_EQ(made->kept.hash.find(made->secret), std::string::npos);
  EXPECT_TRUE(verify_secret(made->kept.hash, made->secret));
  EXPECT_FALSE(verify_secret(made->kept.hash, std::string(64, '0')));
  EXPECT_FALSE(verify_secret("nonsense", made->secret));
  EXPECT_EQ(check_of(made->secret), made->kept.check);
}

TEST(TokenSecretTest, Texts) {
  const std::string id(16, 'a'), secret(64, '0');
  ASSERT_TRUE(parse_token("mrt_" + id + "_" + secret));
  EXPECT_EQ(parse_token("mrt_" + id + "_" + secret)->id, id);
  for (const std::string& bad :
       {std::string(), "mrt_" + id, "mrt_" + id + "_" + secret + "0", "mrx_" + id + "_" + secret,
        "mrt_" + id + "-" + secret, "mrt_" + std::string(16, 'G') + "_" + secret})
    EXPECT_FALSE(parse_token(bad)) << bad;
}

class TokenStoreTest : public ::testing::Test {
 protected:
  TokenStoreTest() { reopen(); }
  void reopen() {
    auto opened = TokenStore::open(metadata);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store = std::move(*opened);
  }
  static Token token(const std::string& tenant, const std::vector<std::string>& of) {
    Token out;
    out.tenant = tenant;
    out.scopes = scopes(of);
    out.created_us = kNow;
    return out;
  }
  std::string create(Token wanted) {
    const auto made = store->create(std::move(wanted), *make_secret());
    EXPECT_TRUE(made.ok()) << made.error().to_string();
    return made.ok() ? *made : "";
  }
  static std::string id_of(const std::string& text) { return std::string(parse_token(text)->id); }
  // As a request does it.
  CallerPtr caller(const std::string& text, int64_t now = kNow) {
    auto seen = store->look(text, now);
    if (!seen.check) return seen.caller;
    ++checks;
    if (!seen.check->run()) return nullptr;
    store->prove(*seen.check, text);
    return store->look(text, now).caller;
  }

  std::shared_ptr<fakes::StoredDefinitions> stored = std::make_shared<fakes::StoredDefinitions>();
  fakes::MemoryStore metadata{stored};
  std::unique_ptr<TokenStore> store;
  int checks = 0;
};

TEST_F(TokenStoreTest, ATokenIsVerifiedOnceAndOutlivesTheProcess) {
  const std::string text = create(token("acme", {"admin", "read:o*"}));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      const auto who = caller(text);
      ASSERT_NE(who, nullptr);
      EXPECT_EQ(who->tenant, "acme");
      EXPECT_TRUE(who->scopes.allows(Scope::kRead, "orders"));
      EXPECT_FALSE(who->all_tenants);
    }
    EXPECT_EQ(checks, round + 1);
    reopen();
  }
  for (const auto& [name, value] : stored->settings) {
    EXPECT_EQ(value.find(std::string(parse_token(text)->secret)), std::string::npos) << name;
  }
}

TEST_F(TokenStoreTest, AWrongSecretCostsNoArgon2) {
  const std::string text = create(token("acme", {"admin"}));
  ASSERT_NE(caller(text), nullptr);
  checks = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string wrong = text;
    wrong.replace(wrong.size() - 4, 4, fmt::format("{:04x}", i));
    if (wrong != text) EXPECT_EQ(caller(wrong), nullptr);
  }
  EXPECT_EQ(checks, 0);
  EXPECT_EQ(caller("mrt_0000000000000000_" + text.substr(text.size() - 64)), nullptr);
}

TEST_F(TokenStoreTest, RotationOverlaps) {
  const std::string old = create(token("acme", {"admin"}));
  const auto going_on = caller(old);
  const auto fresh = store->rotate(id_of(old), *make_secret(), kHour, kNow);
  ASSERT_TRUE(fresh.ok());
  EXPECT_EQ(id_of(*fresh), id_of(old));
  EXPECT_NE(caller(*fresh), nullptr);
  EXPECT_TRUE(going_on->is_good(kNow + kHour - 1));
  EXPECT_FALSE(going_on->is_good(kNow + kHour));
  reopen();
  EXPECT_NE(caller(old, kNow + kHour - 1), nullptr);
  reopen();
  EXPECT_EQ(caller(old, kNow + kHour), nullptr);
  const auto third = store->rotate(id_of(old), *make_secret(), kHour, kNow);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(caller(old), nullptr);  // at most two
  EXPECT_NE(caller(*fresh), nullptr);
  const auto last = store->rotate(id_of(old), *make_secret(), 0, kNow);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(caller(*fresh), nullptr);
  EXPECT_EQ(caller(*third), nullptr);
  EXPECT_NE(caller(*last), nullptr);
}

TEST_F(TokenStoreTest, RevokedAtOnce) {
  const std::string admin = create(token("acme", {"admin"})), reader = create(token("acme", {"read"}));
  const auto going_on = caller(reader);
  ASSERT_TRUE(store->revoke(id_of(reader), kNow).ok());
  EXPECT_FALSE(going_on->is_good(kNow));
  EXPECT_EQ(caller(reader), nullptr);
  EXPECT_EQ(store->revoke(id_of(reader), kNow).error().id, "MR-AUTH-0007");
  EXPECT_EQ(store->revoke(id_of(admin), kNow).error().id, "MR-AUTH-0008");
  Token passing = token("acme", {"admin"});
  passing.expires_us = kNow + 1;
  create(passing);
  EXPECT_EQ(store->revoke(id_of(admin), kNow + 1).error().id, "MR-AUTH-0008");
  EXPECT_TRUE(store->revoke(id_of(admin), kNow).ok());
  reopen();
  EXPECT_EQ(store->list().size(), 1u);
}

TEST_F(TokenStoreTest, TheLastOfAllTenantsStays) {
  Token of_all = token("ops", {"admin"});
  of_all.all_tenants = true;
  const std::string one = create(of_all), other = create(token("acme", {"admin"}));
  EXPECT_EQ(store->revoke(id_of(one), kNow).error().id, "MR-AUTH-0008");
  const std::string two = create(of_all);
  EXPECT_TRUE(store->revoke(id_of(one), kNow).ok());
  EXPECT_TRUE(store->revoke(id_of(other), kNow).ok());
  EXPECT_NE(caller(two), nullptr);
}

TEST_F(TokenStoreTest, WhatCannotBeMade) {
  const auto made = *make_secret();
  EXPECT_EQ(store->create(token("acme", {"read"}), made).error().id, "MR-AUTH-0006");
  Token bad = token("a/b", {"admin"});
  EXPECT_EQ(store->create(bad, made).error().id, "MR-AUTH-0005");
  bad = token("acme", {"read"});
  bad.all_tenants = true;
  EXPECT_EQ(store->create(bad, made).error().id, "MR-AUTH-0005");
  bad = token("acme", {"admin"});
  bad.expires_us = kNow;
  EXPECT_EQ(store->create(bad, made).error().id, "MR-AUTH-0005");
  stored->fail_marks = true;
  EXPECT_FALSE(store->create(token("acme", {"admin"}), made).ok());
  EXPECT_TRUE(store->empty());
}

TEST_F(TokenStoreTest, AChangeThatIsNotKeptIsNone) {
  const std::string admin = create(token("acme", {"admin"})), other = create(token("acme", {"admin"}));
  stored->fail_marks = true;
  EXPECT_FALSE(store->revoke(id_of(other), kNow).ok());
  EXPECT_FALSE(store->rotate(id_of(admin), *make_secret(), 0, kNow).ok());
  EXPECT_NE(caller(other), nullptr);
  EXPECT_NE(caller(admin), nullptr);
}

TEST_F(TokenStoreTest, UsesAreKeptToTheHour) {
  const std::string text = create(token("acme", {"admin"}));
  const auto who = caller(text);
  who->used_us = kNow;
  ASSERT_TRUE(store->keep_uses(kNow).ok());
  who->used_us = kNow + 1;
  ASSERT_TRUE(store->keep_uses(kNow + 1).ok());
  EXPECT_EQ(store->find(id_of(text))->used_us, kNow + 1);
  reopen();
  EXPECT_EQ(store->find(id_of(text))->used_us, kNow);
}

TEST_F(TokenStoreTest, ADamagedRowIsSaid) {
  create(token("acme", {"admin"}));
  stored->settings.begin()->second.resize(40);
  const auto opened = TokenStore::open(metadata);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().id, "MR-AUTH-0012");
}

TEST(TokenRequestTest, Bodies) {
  const auto own = std::make_shared<const Caller>(Caller{.tenant = "acme"});
  const auto all = std::make_shared<const Caller>(Caller{.tenant = "ops", .all_tenants = true});
  const auto id = [](const std::string& body, const CallerPtr& caller) {
    const auto parsed = parse_token_request(body, caller, kNow);
    return parsed.ok() ? parsed->tenant : parsed.error().id;
  };
  EXPECT_EQ(id(R"({"scopes":["read"]})", own), "acme");
  EXPECT_EQ(id(R"({"scopes":["read"]})", nullptr), "default");
  EXPECT_EQ(id(R"({"scopes":["read"],"tenant":"acme"})", own), "acme");
  EXPECT_EQ(id(R"({"scopes":["read"],"tenant":"b"})", own), "MR-AUTH-0010");
  EXPECT_EQ(id(R"({"scopes":["admin"],"all_tenants":true})", own), "MR-AUTH-0010");
  EXPECT_EQ(id(R"({"scopes":["read"],"tenant":"b"})", all), "b");
  EXPECT_EQ(parse_token_request(R"({"scopes":["read"],"expires_in_seconds":60})", own, kNow)->expires_us,
            kNow + 60'000'000);
  for (const char* bad :
       {"", "[]", "{}", R"({"scopes":"read"})", R"({"scopes":[1]})", R"({"scopes":["read"],"x":1})",
        R"({"scopes":["read"],"expires_in_seconds":0})", R"({"scopes":["read"],"expires_in_seconds":1.5})",
        R"({"scopes":["read"],"all_tenants":1})", R"({"scopes":["read"],"name":1})"})
    EXPECT_EQ(id(bad, own), "MR-AUTH-0005") << bad;
}

}  // namespace
}  // namespace millrace::gateway
