// Quotas per tenant: refused by the head alone, counted, changed while the server runs.
#include <nlohmann/json.hpp>

#include "event-gateway/http_testing.h"
#include "event-gateway/tenant_quotas.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

using nlohmann::json;
using testing::HttpTest;

TEST(QuotaTextTest, Bodies) {
  const auto quota = parse_quota(R"({"events_per_s":10.5,"bytes_per_s":null,"connections":3})");
  ASSERT_TRUE(quota.ok());
  EXPECT_EQ(quota->events_per_s, 10.5);
  EXPECT_EQ(quota->bytes_per_s, 0);
  EXPECT_EQ(to_json(*quota),
            R"({"events_per_s":10.5,"bytes_per_s":null,"connections":3,"subscriptions":null})");
  EXPECT_TRUE(parse_quota(to_json(*quota)).ok());
  for (const char* bad : {"", "[]", R"({"events":1})", R"({"events_per_s":0})", R"({"events_per_s":-1})",
                          R"({"events_per_s":"1"})", R"({"connections":0})", R"({"connections":1.5})",
                          R"({"subscriptions":1000001})", R"({"bytes_per_s":1e13})"}) {
    ASSERT_FALSE(parse_quota(bad).ok()) << bad;
    EXPECT_EQ(parse_quota(bad).error().id, "MR-AUTH-0014") << bad;
  }
}

TEST(TenantQuotasTest, WhoseCounts) {
  const auto stored = std::make_shared<fakes::StoredDefinitions>();
  fakes::MemoryStore store(stored);
  std::map<uint32_t, double> rates;
  const auto open = [&] {
    auto quotas = TenantQuotas::open(&store, {100, 0, 5, 0}, [&](TenantId tenant, Quota quota) {
      rates[tenant.value] = quota.events_per_s;
    });
    EXPECT_TRUE(quotas.ok());
    return std::move(*quotas);
  };
  auto quotas = open();
  quotas->set_usual("filed", {7, 0});
  quotas->admit(TenantId(1), "other");
  quotas->admit(TenantId(2), "filed");
  EXPECT_EQ(rates[1], 100);
  EXPECT_EQ(rates[2], 7);
  EXPECT_EQ(quotas->of("filed").connections, 5u);
  ASSERT_TRUE(quotas->set("filed", {8, 0}).ok());
  EXPECT_EQ(rates[2], 8);
  quotas = open();
  EXPECT_EQ(quotas->of("filed").events_per_s, 8);
  EXPECT_EQ(quotas->of("filed").connections, 0u);
  stored->fail_marks = true;
  EXPECT_FALSE(quotas->set("other", {}).ok());
  EXPECT_EQ(quotas->of("other").events_per_s, 100);
}

TEST(TenantQuotasTest, HoldsOutliveIt) {
  auto opened = TenantQuotas::open(nullptr, {0, 0, 2, 1}, [](TenantId, Quota) {});
  auto quotas = std::move(*opened);
  quotas->admit(TenantId(1), "a");
  auto one = quotas->connect(TenantId(1)), two = quotas->connect(TenantId(1));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(quotas->connect(TenantId(1)).error().id, "MR-AUTH-0015");
  *one = nullptr;
  EXPECT_TRUE(quotas->connect(TenantId(1)).ok());
  quotas.reset();
  *two = nullptr;
}

class HttpQuotaTest : public HttpTest {
 protected:
  void start_as_of(Quota quota) {
    auto opened = TenantQuotas::open(nullptr, quota, [this](TenantId t, Quota q) { quotas[t.value] = q; });
    kept = std::move(*opened);
    backend.quotas = kept.get();
    start();
  }
  static json body_of(const testing::HttpAnswerSeen& answer) { return json::parse(answer.body); }
  std::unique_ptr<TenantQuotas> kept;
};

TEST_F(HttpQuotaTest, RatesRefuseBeforeTheBody) {
  std::vector<size_t> asked;
  backend.admits = [&](TenantId, size_t bytes) -> Status {
    asked.push_back(bytes);
    if (bytes < 1000) return {};
    return error(Code::kExhausted, "MR-ING-0008", "the tenant's quota of bytes is used up");
  };
  start_as_of({});
  auto c = client();
  EXPECT_EQ(c.call(post("{}")).status, 200);
  // The head alone; the body is never sent.
  c.send(
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Length: 5000000\r\n\r\n");
  const auto refused = c.answer();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.fields.at("retry-after"), "3");
  EXPECT_EQ(body_of(refused)["code"], "MR-ING-0008");
  EXPECT_TRUE(c.receive_end());
  EXPECT_EQ(asked, (std::vector<size_t>{2, 5'000'000}));
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(HttpQuotaTest, Connections) {
  start_as_of({0, 0, 2, 0});
  auto a = client();
  EXPECT_EQ(a.call(get("/v1/streams")).status, 200);
  {
    auto b = client();
    EXPECT_EQ(b.call(get("/v1/streams")).status, 200);
    auto c = client();
    EXPECT_EQ(c.call(get("/livez")).status, 200);  // of no tenant
    const auto refused = c.call(get("/v1/streams"));
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(body_of(refused)["code"], "MR-AUTH-0015");
    EXPECT_EQ(refused.fields.count("retry-after"), 1u);
    EXPECT_TRUE(c.receive_end());
    EXPECT_EQ(b.call(get("/v1/streams")).status, 200);
  }
  turn(20);
  EXPECT_EQ(client().call(get("/v1/streams")).status, 200);
}

TEST_F(HttpQuotaTest, Subscriptions) {
  start_as_of({0, 0, 0, 1});
  const std::string live = get("/v1/streams/quakes/events", "Accept: text/event-stream\r\n");
  {
    auto a = client();
    a.send(live);
    ASSERT_TRUE(a.receive_text("200 OK"));
    const auto refused = client().call(live);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(body_of(refused)["code"], "MR-AUTH-0016");
    EXPECT_EQ(client().call(get("/v1/streams/quakes/events")).status, 200);
  }
  turn(50);
  auto b = client();
  b.send(live);
  EXPECT_TRUE(b.receive_text("200 OK"));
}

TEST_F(HttpQuotaTest, SetWhileItRuns) {
  start_as_of({});
  auto c = client();
  const auto put = [](const std::string& tenant, const std::string& body) {
    return "PUT /v1/tenants/" + tenant +
           "/quotas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  EXPECT_EQ(c.call(put("default", R"({"events_per_s":5,"connections":1})")).status, 200);
  EXPECT_EQ(quotas.at(1).events_per_s, 5);
  EXPECT_EQ(client().call(get("/v1/streams")).status, 429);
  EXPECT_EQ(body_of(c.call(get("/v1/tenants/default/quotas")))["connections"], 1);
  EXPECT_EQ(body_of(c.call(put("default", R"({"x":1})")))["code"], "MR-AUTH-0014");
  EXPECT_EQ(body_of(c.call(put("nobody", "{}")))["code"], "MR-API-0046");
  EXPECT_EQ(c.call(put("default", "{}")).status, 200);
  EXPECT_EQ(client().call(get("/v1/streams")).status, 200);
}

}  // namespace
}  // namespace millrace::gateway
