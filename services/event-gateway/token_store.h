// TokenStore: the access tokens of the data directory, beside those of a tokens file.
//
// Kept:     a setting `token/<id>` each in the metadata store; a change is durable when its call returns. The time of its
//           last use is kept to the hour.
// Verified: a secret that argon2 has found right is known by its keyed digest until the process ends. look() says who calls,
//           or that argon2 has to be asked first: off the core loop, then prove().
// Rotated:  the new secret and the old one are both good for a while; a further rotation ends the oldest.
// Threads:  the core loop.
// Bound:    kMaxTokens, two secrets each.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event-gateway/caller.h"
#include "event-gateway/token_record.h"
#include "metadata/metadata_store.h"

namespace millrace::gateway {

// What argon2 is asked.
struct SecretCheck {
  std::string hash, secret;
  bool run() const { return verify_secret(hash, secret); }
};

class TokenStore {
 public:
  static constexpr size_t kMaxTokens = 10'000;

  static Result<std::unique_ptr<TokenStore>> open(metadata::MetadataStore& store);

  bool empty() const { return tokens_.empty(); }
  std::vector<const Token*> list();  // by id
  const Token* find(const std::string& id);

  // The token's text, which is nowhere else. MR-AUTH-0005, -0006, -0009
  Result<std::string> create(Token token, const MadeSecret& secret);
  Result<std::string> rotate(const std::string& id, const MadeSecret& secret, int64_t overlap_us,
                             int64_t now_us);
  // MR-AUTH-0008: it is the last that administers.
  Status revoke(const std::string& id, int64_t now_us);

  struct Seen {
    CallerPtr caller;                  // null: nobody's, or not known yet
    std::optional<SecretCheck> check;  // to be run before look() can say more
  };
  Seen look(std::string_view token, int64_t now_us);
  void prove(const SecretCheck& check, std::string_view token);  // it was run, and holds

  Status keep_uses(int64_t now_us, bool all = false);

 private:
  // A secret that was proved, and those who go on under it.
  struct Proved {
    std::string hash;
    SecretDigests::Digest digest;
    std::shared_ptr<Caller> caller;
  };
  struct Entry {
    Token token;
    std::vector<Proved> proved;
    int64_t used_kept_us = 0;
  };

  explicit TokenStore(metadata::MetadataStore& store) : store_(store) {}
  static std::string setting(const std::string& id) { return "token/" + id; }
  Result<Entry*> entry_of(const std::string& id);  // MR-AUTH-0007
  static void note_use(Entry& entry);
  static void end_secrets(Entry& entry);  // those that are no longer among the token's

  metadata::MetadataStore& store_;
  std::map<std::string, Entry, std::less<>> tokens_;
  const SecretDigests digests_;
};

}  // namespace millrace::gateway
