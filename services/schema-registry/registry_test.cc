#include "schema-registry/registry.h"

#include <gtest/gtest.h>

#include <chrono>

#include "formats/jsonb.h"
#include "schema-registry/api.h"
#include "schema-registry/api_error.h"
#include "schema-registry/json_members.h"
#include "schema-registry/registry_testing.h"
#include "schema-registry/rule_sets.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

Registry on(MemoryStore::Facts& facts) {
  return Registry(std::make_unique<MemoryStore>(facts), kWordFormats, {});
}

Candidate words(const std::string& text, std::vector<Reference> references = {}) {
  Candidate candidate;
  candidate.text = text;
  candidate.references = std::move(references);
  return candidate;
}

RegistryAnswer answer_of(Registry& registry, const std::string& method, std::vector<std::string> path,
                         const std::string& body,
                         std::vector<std::pair<std::string, std::string>> query = {}) {
  RegistryRequest request;
  request.method = method;
  request.path = std::move(path);
  request.body = body;
  request.query = std::move(query);
  request.tenant = "t";
  return RegistryApi(registry).handle(request);
}

int status_of(Registry& registry, const std::string& method, std::vector<std::string> path,
              const std::string& body) {
  return answer_of(registry, method, std::move(path), body).status;
}

TEST(SubjectName, KnowsItsContext) {
  EXPECT_EQ(SubjectName::parse("orders").context, ".");
  EXPECT_EQ(SubjectName::parse(":.staging:orders").context, ".staging");
  EXPECT_EQ(SubjectName::parse(":.staging:a:b").subject, "a:b");
  EXPECT_EQ(normalized(":.:orders"), "orders");
  EXPECT_EQ(in_context_of(":.staging:x", "orders"), ":.staging:orders");
  EXPECT_EQ(in_context_of(":.staging:x", ":.:orders"), "orders");
  for (const char* good : {"a/b", "..", ":.ctx:a", "a b"}) EXPECT_TRUE(is_subject_name(good)) << good;
  for (const char* bad : {"", "a\nb", "__EMPTY", ":.ctx:", ":*:a"}) EXPECT_FALSE(is_subject_name(bad)) << bad;
}

TEST(Content, GuidsFollowFromAllOfIt) {
  Content content;
  content.text = "a";
  const std::string guid = guid_of(content);
  EXPECT_EQ(guid.size(), 36u);
  EXPECT_EQ(guid, guid_of(content));
  content.metadata = "{}";
  EXPECT_NE(guid, guid_of(content));
}

TEST(RuleSets, MergeByName) {
  const std::string one = R"({"domainRules": [{"name": "a", "type": "X"}, {"name": "b"}]})";
  const std::string two = R"({"domainRules": [{"name": "a", "type": "Y"}]})";
  EXPECT_EQ(merge_rule_sets(one, two), R"({"domainRules": [{"name": "b"}, {"name": "a", "type": "Y"}]})");
  EXPECT_EQ(without_rules(one, {"a"}), R"({"domainRules": [{"name": "b"}]})");
  EXPECT_EQ(merge_metadata(R"({"properties": {"a": "1"}})", R"({"properties": {"b": "2"}})"),
            R"({"properties": {"a": "1", "b": "2"}})");
}

std::string numbered(std::string_view before, std::string_view behind, int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out.append(i > 0 ? ", " : "").append(before).append(std::to_string(i)).append(behind);
  return out;
}

TEST(RuleSets, ManyPartsAreMergedInAboutAsManySteps) {
  const auto start = std::chrono::steady_clock::now();
  const std::string rules = "{\"domainRules\": [" + numbered("{\"name\": \"r", "\"}", 20'000) + "]}";
  EXPECT_EQ(merge_rule_sets(rules, rules), rules);
  std::vector<std::string> names;
  for (int i = 0; i < 20'000; ++i) names.push_back("r" + std::to_string(i));
  EXPECT_EQ(without_rules(rules, names), "{\"domainRules\": []}");
  const std::string words = "{\"a\": [" + numbered("\"w", "\"", 40'000) + "]}";
  EXPECT_EQ(merge_metadata(words, words), words);
  const std::string members = "{" + numbered("\"", "\": 1", 40'000) + "}";
  EXPECT_EQ(merge_metadata(members, members).size(), members.size());
  EXPECT_EQ(check_rule_set(rules).error().id, "42210");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Registry, ManyTagsAreTakenInAboutAsManySteps) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  const auto start = std::chrono::steady_clock::now();
  const std::string body =
      R"({"schema": "a", "metadata": {"tags": {)" + numbered("\"p", "\": [\"t\"]", 30'000) +
      R"(}}, "schemaTagsToAdd": [{"schemaEntity": {"entityPath": "q"}, "tags": ["t"]}]})";
  EXPECT_EQ(status_of(registry, "POST", {"subjects", "s", "versions"}, body), 200);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

// Two registries over one store: ids and versions are handed out once.
TEST(Registry, WritersOfOneStoreAgree) {
  MemoryStore::Facts facts;
  Registry one = on(facts), two = on(facts);
  EXPECT_EQ(one.add("t", "s", words("a"), false)->id, 1);
  EXPECT_EQ(two.add("t", "other", words("b"), false)->id, 2);
  EXPECT_EQ(one.add("t", "s", words("a x?"), false)->id, 3);
  EXPECT_EQ(two.add("t", "s", words("a x?"), false)->number, 2);
}

std::vector<size_t> usage_of(const Registry& registry, const std::string& tenant) {
  const auto numbers = registry.usage().numbers();
  const TenantUsage usage = numbers.tenants.contains(tenant) ? numbers.tenants.at(tenant) : TenantUsage();
  return {usage.subjects, usage.versions, usage.schemas};
}

TEST(Registry, KnowsHowMuchItHolds) {
  using Numbers = std::vector<size_t>;
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  for (const char* text : {"a", "a x?", "a x? y?"})
    EXPECT_TRUE(registry.add("t", "s", words(text), false).ok());
  EXPECT_TRUE(registry.add("t", "other", words("a"), false).ok());
  EXPECT_TRUE(registry.add("u", "s", words("a"), false).ok());
  EXPECT_EQ(usage_of(registry, "t"), (Numbers{2, 4, 3}));
  EXPECT_EQ(usage_of(registry, "u"), (Numbers{1, 1, 1}));
  EXPECT_GT(registry.usage().numbers().parsed_bytes, 0u);
  EXPECT_TRUE(registry.delete_version("t", "s", 1, false).ok());
  EXPECT_EQ(usage_of(registry, "t"), (Numbers{2, 4, 3}));
  EXPECT_EQ(registry.add("t", "s", words("a"), false)->number, 4);  // takes the deleted one's place
  EXPECT_EQ(usage_of(registry, "t"), (Numbers{2, 4, 3}));
  for (const bool permanent : {false, true}) EXPECT_TRUE(registry.delete_subject("t", "s", permanent).ok());
  EXPECT_EQ(usage_of(registry, "t"), (Numbers{1, 1, 1}));
  EXPECT_EQ(registry.usage().numbers().parsed_bytes, 0u);
  Registry again = on(facts);
  EXPECT_TRUE(again.refresh().ok());
  EXPECT_EQ(usage_of(again, "t"), (Numbers{1, 1, 1}));
}

TEST(Registry, TenantsHaveTheirOwnSubjectsAndIds) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  EXPECT_EQ(registry.add("one", "s", words("a"), false)->id, 1);
  EXPECT_EQ(registry.add("two", "s", words("b"), false)->id, 1);
  EXPECT_EQ(registry.state("one").latest("s")->content->text, "a");
  EXPECT_EQ(registry.state("two").latest("s")->content->text, "b");
}

// 2^40 paths through 40 levels of references, each visited once.
TEST(Registry, DiamondsOfReferencesAreVisitedOnce) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  ASSERT_TRUE(registry.add("t", "s0", words("a"), false).ok());
  for (int i = 1; i <= 40; ++i) {
    const std::string below = "s" + std::to_string(i - 1);
    const auto made = registry.add(
        "t", "s" + std::to_string(i),
        words("@l" + below + " @r" + below, {{"l" + below, below, 1}, {"r" + below, below, 1}}), false);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
  }
}

TEST(Registry, TooManyReferencesAreRefused) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  ASSERT_TRUE(registry.add("t", "s", words("a"), false).ok());
  std::vector<Reference> references;
  for (size_t i = 0; i <= Registry::kMaxReferences; ++i) references.push_back({std::to_string(i), "s", 1});
  const auto made = registry.add("t", "many", words("b", references), false);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().id, "42201");
}

// What could not be read again at the next start is refused.
TEST(Registry, WhatIsTakenCanBeReadAgain) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  for (const std::string& text : {std::string("a\xFF"), std::string("a\0b", 3)}) {
    const auto made = registry.add("t", "s", words(text), false);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().id, "42201");
  }
  for (int depth = 250; depth <= 257; ++depth) {
    std::string value = "1";
    for (int i = 1; i < depth; ++i) value = "{\"a\":" + value + "}";
    const int config = status_of(registry, "PUT", {"config"}, "{\"defaultMetadata\":" + value + "}");
    const int metadata = status_of(registry, "POST", {"subjects", "s", "versions"},
                                   "{\"schema\":\"a\",\"metadata\":" + value + "}");
    EXPECT_EQ(config, depth < 256 ? 200 : depth == 256 ? 422 : 400) << depth;
    EXPECT_EQ(metadata, depth <= 256 ? 200 : 400) << depth;
    const Status read = on(facts).refresh();
    ASSERT_TRUE(read.ok()) << depth << ": " << read.error().to_string();
  }
}

// Pages are bounded by bytes, too; the next one begins where this one ended.
TEST(Registry, PagesOfLargeSchemasGoOnWhereTheyEnded) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  constexpr size_t kCount = 20;
  for (size_t i = 0; i < kCount; ++i) {
    const std::string name = "s" + std::to_string(100 + i);
    ASSERT_TRUE(registry.add("t", name, words(std::string(1'000'000, 'a') + name), false).ok());
  }
  std::vector<std::string> subjects;
  while (subjects.size() < kCount) {
    const size_t before = subjects.size();
    const std::string page =
        answer_of(registry, "GET", {"schemas"}, "", {{"offset", std::to_string(before)}}).body;
    EXPECT_LT(page.size(), 18u << 20);
    formats::visit_jsonb(*formats::parse_jsonb(page), [&](std::string_view, std::string_view one) {
      subjects.push_back(*JsonMembers(one).text("subject").value());
      return true;
    });
    ASSERT_GT(subjects.size(), before);
  }
  EXPECT_EQ(subjects.size(), kCount);
  EXPECT_TRUE(std::is_sorted(subjects.begin(), subjects.end()));
}

TEST(Registry, APageHasAThousandVersionsAtMost) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  for (int i = 0; i < 1'001; ++i)
    ASSERT_TRUE(registry.add("t", "s" + std::to_string(i), words("a"), false).ok());
  for (const auto& [offset, versions] :
       std::vector<std::pair<std::string, size_t>>{{"0", 1'000}, {"1000", 1}}) {
    const std::string page =
        answer_of(registry, "GET", {"schemas"}, "", {{"limit", "5000"}, {"offset", offset}}).body;
    size_t found = 0;
    formats::visit_jsonb(*formats::parse_jsonb(page), [&](std::string_view, std::string_view) {
      ++found;
      return true;
    });
    EXPECT_EQ(found, versions);
  }
}

// The id is known here, but the subject that is asked for has it in a context that another server has made.
TEST(Registry, AnIdOfASubjectIsLookedForWhereItIs) {
  MemoryStore::Facts facts;
  Registry one = on(facts), two = on(facts);
  ASSERT_EQ(one.add("t", "s", words("a"), false)->id, 1);
  ASSERT_EQ(two.add("t", ":.ctx:x", words("b"), false)->id, 1);
  EXPECT_EQ(answer_of(one, "GET", {"schemas", "ids", "1", "schema"}, "", {{"subject", "x"}}).body, "b");
}

// What names no version means the newest.
TEST(Registry, ASchemaOfAnIdHasAVersion) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  ASSERT_TRUE(registry.set_mode("t", "s", "IMPORT", false).ok());
  for (const auto& [text, id, version] :
       std::vector<std::tuple<std::string, int, int>>{{"a", 1, 1}, {"b", 2, 2}, {"a", 1, 3}}) {
    Candidate candidate = words(text);
    candidate.id = id;
    candidate.version = version;
    ASSERT_TRUE(registry.add("t", "s", candidate, false).ok());
  }
  for (const auto& [id, named, version] : std::vector<std::tuple<int, int, int>>{
           {1, 0, 3}, {1, 1, 1}, {1, 2, 3}, {1, 3, 3}, {1, 9, 3}, {2, 0, 2}, {2, 1, 2}}) {
    const auto found = registry.find_schema_by_id("t", "s", id, named);
    ASSERT_TRUE(found.ok()) << found.error().to_string();
    EXPECT_EQ(found->version, version) << id << " named " << named;
  }
  EXPECT_EQ(registry.find_schema_by_id("t", "other", 1, 0)->version, 0);
  EXPECT_EQ(registry.find_schema_by_id("t", "s", 9, 0).error().id, "40403");
}

Result<schema::SchemaPtr> parse_with_references(std::string_view text,
                                                std::span<const schema::NamedSchema> references) {
  std::string all(text);
  for (const auto& one : references) all += " " + one.text;
  return parse_words<schema::SchemaType::kAvro>(all, references);
}

Result<schema::SchemaPtr> parse_to_twice_the_text(std::string_view text,
                                                  std::span<const schema::NamedSchema> references) {
  return parse_words<schema::SchemaType::kAvro>(std::string(text) + " " + std::string(text), references);
}

// With the metadata of the version before, too, which the request leaves out.
TEST(Registry, WhatIsStoredIsBoundedAsWhatIsSent) {
  constexpr schema::SchemaFormat kFormats[] = {{schema::SchemaType::kAvro, parse_to_twice_the_text}};
  MemoryStore::Facts facts;
  Registry registry(std::make_unique<MemoryStore>(facts), kFormats, {.max_schema_bytes = 100, .now_ms = {}});
  Candidate first = words("a");
  first.metadata = R"({"properties": {"p": "qqqqqqqqqqqqqqq"}})";
  ASSERT_TRUE(registry.add("t", "s", first, false).ok());
  for (const auto& [subject, length] : std::vector<std::pair<std::string, size_t>>{{"new", 50}, {"s", 30}}) {
    for (const bool normalize : {false, true}) {
      const auto made = registry.add("t", subject, words(std::string(length, 'a') + "?"), normalize);
      ASSERT_FALSE(made.ok()) << subject;
      EXPECT_EQ(made.error().id, "42209");
    }
  }
  EXPECT_EQ(facts.size(), 1u);
  EXPECT_TRUE(registry.add("t", "new", words(std::string(48, 'a') + "?"), false).ok());
}

int parses = 0;

Result<schema::SchemaPtr> parse_and_count(std::string_view text,
                                          std::span<const schema::NamedSchema> references) {
  ++parses;
  return parse_words<schema::SchemaType::kAvro>(text, references);
}

TEST(Registry, ASchemaIsParsedOnce) {
  constexpr schema::SchemaFormat kFormats[] = {{schema::SchemaType::kAvro, parse_and_count}};
  MemoryStore::Facts facts;
  Registry registry(std::make_unique<MemoryStore>(facts), kFormats, {});
  Candidate candidate = words("a");
  candidate.metadata = R"({"properties": {"p": "q"}})";
  ASSERT_TRUE(registry.add("t", "s", candidate, false).ok());
  EXPECT_EQ(parses, 1);
  ASSERT_TRUE(registry.add("t", "s", words("a b?"), false).ok());
  EXPECT_EQ(parses, 3);  // and the version that it is compared with
  EXPECT_EQ(registry.state("t").latest("s")->content->metadata, candidate.metadata);
}

TEST(Registry, WhatIsKeptParsedIsBounded) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  const auto kept = [&] { return registry.usage().numbers().parsed_bytes; };
  std::vector<Reference> all;
  for (const std::string subject : {"a", "b", "c", "d"}) {
    const auto made = registry.add("t", subject, words(std::string(1'000'000, 'a') + subject), false);
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE(registry.formatted("t", subject, made->content, "resolved").ok());
    EXPECT_GT(kept(), 1'000'000u);
    EXPECT_LE(kept(), Registry::kMaxParsedBytes);
    all.push_back({subject, subject, 1});
  }
  // With what it refers to it is more than all that may be kept; it leaves what is there alone.
  const size_t before = kept();
  const auto whole = registry.add("t", "whole", words("x", all), false);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(*registry.formatted("t", "whole", whole->content, "resolved"), "resolved: x");
  EXPECT_EQ(kept(), before);
}

// A version's number may come again with another text; what refers to it means that one then.
TEST(Registry, AParsedSchemaGoesWithWhatItRefersTo) {
  constexpr schema::SchemaFormat kFormats[] = {{schema::SchemaType::kAvro, parse_with_references}};
  MemoryStore::Facts facts;
  Registry registry(std::make_unique<MemoryStore>(facts), kFormats, {});
  ASSERT_TRUE(registry.add("t", "part", words("old"), false).ok());
  const auto whole = registry.add("t", "whole", words("a", {{"part", "part", 1}}), false);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(*registry.formatted("t", "whole", whole->content, "resolved"), "resolved: a old old");
  for (const std::string subject : {"whole", "part"})
    ASSERT_TRUE(registry.delete_subject("t", subject, false).ok());
  ASSERT_TRUE(registry.delete_subject("t", "part", true).ok());
  ASSERT_TRUE(registry.add("t", "part", words("new"), false).ok());
  EXPECT_EQ(*registry.formatted("t", "whole", whole->content, "resolved"), "resolved: a old new");
}

TEST(Registry, NoVersionFollowsTheLastNumber) {
  MemoryStore::Facts facts;
  Registry registry = on(facts);
  Candidate last = words("a");
  last.id = 1;
  last.version = INT32_MAX;
  ASSERT_TRUE(registry.set_mode("t", "s", "IMPORT", false).ok());
  ASSERT_TRUE(registry.add("t", "s", last, false).ok());
  ASSERT_TRUE(registry.set_mode("t", "s", "READWRITE", false).ok());
  const auto made = registry.add("t", "s", words("a b?"), false);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().id, "42205");
  Candidate numbered = words("a b?");
  numbered.version = -1;
  EXPECT_FALSE(registry.add("t", "s", numbered, false).ok());
  EXPECT_EQ(registry.state("t").latest("s")->number, INT32_MAX);
}

class FailingStore final : public Store {
 public:
  Result<std::vector<std::string>> read(uint64_t, size_t) override { return failure(); }
  Result<bool> append(uint64_t, const std::vector<std::string>&) override { return failure(); }
  bool is_shared() const override { return true; }

 private:
  static Error failure() { return error(Code::kUnavailable, "MR-TEST-0001", "the store is away", ""); }
};

TEST(Registry, AStoreThatFailsIsAnswered50001) {
  Registry registry(std::make_unique<FailingStore>(), kWordFormats, {});
  for (const char* method : {"GET", "POST"}) {
    const RegistryAnswer answer = answer_of(registry, method, {"subjects", "s", "versions"},
                                            method == std::string("POST") ? R"({"schema": "a"})" : "");
    EXPECT_EQ(answer.status, 500);
    EXPECT_TRUE(answer.body.starts_with(R"({"error_code":50001,"message":)")) << answer.body;
    EXPECT_NE(answer.body.find("MR-TEST-0001"), std::string::npos) << answer.body;
    EXPECT_EQ(answer.act ? answer.act->outcome : "", method == std::string("POST") ? "MR-TEST-0001" : "");
  }
  EXPECT_EQ(registry.usage().numbers().store_failures, 2u);
}

TEST(RegistryApi, KnowsAPathsMethods) {
  for (const auto& [path, methods] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{""}, "GET, HEAD, POST, OPTIONS"},
           {{"subjects", "s", "versions"}, "GET, HEAD, POST, OPTIONS"},
           {{"contexts", ".ctx", "subjects", ""}, "GET, HEAD, OPTIONS"},
           {{"config", "s"}, "GET, HEAD, PUT, DELETE, OPTIONS"},
           {{"contexts", ".ctx"}, "DELETE, OPTIONS"},
           {{"nothing"}, ""}}) {
    EXPECT_EQ(RegistryApi::methods_of(path), methods);
  }
}

TEST(Registry, WhatIsNoFactIsAnError) {
  for (const char* text : {"", "{}", "[]", R"({"fact":"later"})", R"({"fact":"register","version":"x"})"}) {
    MemoryStore::Facts facts = {text};
    const Status read = on(facts).refresh();
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().id, "MR-REG-0001") << text;
  }
}

}  // namespace
}  // namespace millrace::registry
