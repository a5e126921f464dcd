// Registry: every tenant's subjects, versions and ids, and the rules by which they change.
//
// Why:     the API above it knows paths and bodies, the store below it facts; what is allowed stands here.
// Owns:    the states that the store's facts have come to; parsed schemas, while there is room.
// Threads: one; calls may block on the store.
// Order:   a change is decided from all facts that there are, and appended behind them: if another server was faster, it is
//          decided anew. See Store.
// Errors:  the API's numbers (api_error.h), or those of the store.
// Bound:   max_schema_bytes a schema with its metadata, rules and references, as it is sent and as it is stored, and a config;
//          kMaxReferences and kMaxReferenceBytes with all that a schema refers to; kMaxParsedBytes of what is kept parsed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "schema-registry/compatibility.h"
#include "schema-registry/store.h"
#include "schema-registry/tenant_state.h"
#include "schema/framing.h"

namespace millrace::registry {

// A schema as a request brings it.
struct Candidate {
  std::string type;  // empty: AVRO
  std::string text;  // empty: the subject's latest
  std::vector<Reference> references;
  std::string metadata, rule_set;
  int32_t id = -1;      // below 0: the registry gives one
  int32_t version = 0;  // below 1: likewise
};

class Registry {
 public:
  static constexpr size_t kMaxReferences = 1'000;
  static constexpr size_t kMaxReferenceBytes = 16u << 20;
  // Of the texts, with all that they refer to, of the schemas that are kept parsed. Measured: 10 to 20 times as much memory for
  // usual ones, 106 times for Protobuf's maps; some 256 MiB at most.
  static constexpr size_t kMaxParsedBytes = 5u << 19;

  struct Options {
    size_t max_schema_bytes = 1u << 20;
    std::function<int64_t()> now_ms;
  };

  // `formats` outlives it.
  Registry(std::unique_ptr<Store> store, std::span<const schema::SchemaFormat> formats, Options options);

  Status refresh();  // takes in what is new in the store; a shared one is asked each time
  const TenantState& state(const std::string& tenant);
  std::span<const schema::SchemaFormat> formats() const { return formats_; }
  const Usage& usage() const { return usage_; }  // for any thread
  // The facts that the last change has added; once.
  std::vector<Fact> take_change() { return std::exchange(change_, {}); }

  Result<Version> add(const std::string& tenant, const std::string& subject, const Candidate& candidate,
                      bool normalize);
  // 40403: no version of the subject has it.
  Result<Version> look_up(const std::string& tenant, const std::string& subject, const Candidate& candidate,
                          bool normalize, bool deleted);
  // Held against these versions, by the subject's level; what stands against it. `parsed`: what it was parsed to.
  Result<std::vector<std::string>> check(const std::string& tenant, const std::string& subject,
                                         const Candidate& candidate, bool normalize,
                                         const std::vector<Version>& versions,
                                         schema::SchemaPtr* parsed = nullptr);
  // What the subject's level compares with.
  std::vector<Version> compared_versions(const std::string& tenant, const std::string& subject);

  Result<std::vector<int32_t>> delete_subject(const std::string& tenant, const std::string& subject,
                                              bool permanent);
  Status delete_version(const std::string& tenant, const std::string& subject, int32_t version,
                        bool permanent);

  Result<Config> set_config(const std::string& tenant, const std::string& scope, const Config& changes);
  Result<Config> drop_config(const std::string& tenant, const std::string& scope);  // what it was
  Status set_mode(const std::string& tenant, const std::string& scope, const std::string& mode, bool force);
  Result<std::string> drop_mode(const std::string& tenant, const std::string& scope, bool recursive);
  Status drop_context(const std::string& tenant, const std::string& context);

  // The text in a spelling that the format knows by name; empty: as it is stored.
  Result<std::string> formatted(const std::string& tenant, const std::string& subject,
                                const ContentPtr& content, const std::string& format);
  Level level_of(const std::string& tenant, const std::string& subject);
  bool is_on(const std::string& tenant, const std::string& subject,
             std::string_view key);  // a flag of config

  struct FoundSchema {
    int32_t version = 0;  // of the subject; 0: of an id that none of its versions has
    int32_t id = 0;
    schema::SchemaPtr schema;
  };
  // Of a subject's version, deleted softly or not; 0: the latest that is not. 40401, 40402
  Result<FoundSchema> find_schema(const std::string& tenant, const std::string& subject, int32_t version);
  // Of an id, in the subject's context. Its version is the one that is named, if that has the id; else, and if 0 is named,
  // the subject's newest that has it. 40403
  Result<FoundSchema> find_schema_by_id(const std::string& tenant, const std::string& subject, int32_t id,
                                        int32_t named);
  // What stands in front of a serialized value for a subject: an id of its context, or a GUID of any. 40403
  Result<FoundSchema> find_writer(const std::string& tenant, const std::string& subject,
                                  const schema::WriterSchema& writer);

 private:
  struct Parsed {
    schema::SchemaPtr schema;
    ContentPtr content;
  };
  using Decide = std::function<Result<std::vector<Fact>>(const TenantState&)>;

  template <typename T>
  Result<T> counted(Result<T> said);
  Status change(const std::string& tenant, const Decide& decide);
  void take(const Fact& fact);
  Fact fact(Fact::What what, const std::string& tenant, const std::string& subject) const;

  Result<const schema::SchemaFormat*> format_of(const Content& content) const;
  Result<schema::SchemaPtr> parse(const Content& content,
                                  std::span<const schema::NamedSchema> references) const;
  Result<schema::SchemaPtr> parse_stored(const std::string& tenant, const std::string& subject,
                                         const ContentPtr& content);
  void forget_parsed();
  Result<Parsed> parse_candidate(const TenantState& state, const std::string& subject,
                                 const Candidate& candidate, bool normalize) const;
  Result<Parsed> parse_whole(const TenantState& state, const std::string& subject, Candidate candidate,
                             bool normalize, const std::optional<Parsed>& as_sent) const;
  static const Version* same_version(const TenantState& state, const std::string& subject,
                                     const Content& content, bool deleted);
  Result<Fact> decide_add(const TenantState& state, const std::string& tenant, const std::string& subject,
                          const Candidate& candidate, bool normalize, const std::optional<Parsed>& as_sent);
  Policy policy_of(const std::string& tenant, const std::string& subject);
  Result<std::vector<std::string>> compare(const std::string& tenant, const std::string& subject,
                                           const Parsed& parsed, const std::vector<Version>& versions);
  Result<std::vector<std::string>> compare_by_level(const std::string& tenant, const std::string& subject,
                                                    const Parsed& parsed,
                                                    const std::vector<Version>& versions);

  const std::unique_ptr<Store> store_;
  const std::span<const schema::SchemaFormat> formats_;
  const Options options_;
  std::map<std::string, TenantState> tenants_;
  uint64_t known_ = 0;  // facts that were taken
  bool loaded_ = false;
  std::map<ContentPtr, schema::SchemaPtr> parsed_;  // a content is of one tenant and context
  size_t parsed_bytes_ = 0;
  Usage usage_;
  std::vector<Fact> change_;
};

}  // namespace millrace::registry
