#include "node/tracing.h"

#include <gtest/gtest.h>

#include "node/otlp.h"
#include "node/span_exporter.h"

namespace millrace::node {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";

class TracingTest : public ::testing::Test {
 protected:
  Tracing& tracing(double ratio) {
    tracing_.emplace(ratio, [this](TraceSpan span) { spans.push_back(std::move(span)); });
    tracing_->set_source(
        {[this] { return now; }, [](StreamId) { return "clicks"; }, [](TenantId) { return "acme"; }});
    return *tracing_;
  }
  static auto parent(bool sampled) {
    return telemetry::read_trace_context(std::string(kParent) + (sampled ? "1" : "0"), "a=1");
  }

  int64_t now = 100;
  std::vector<TraceSpan> spans;
  std::optional<Tracing> tracing_;
};

TEST_F(TracingTest, TheSenderDecides) {
  EXPECT_FALSE(tracing(1).begin(parent(false)));
  const auto trace = tracing(0).begin(parent(true));
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->context.trace, parent(true)->trace);
  EXPECT_EQ(trace->parent, parent(true)->span);
  EXPECT_NE(trace->context.span, trace->parent);
  EXPECT_EQ(trace->context.state, "a=1");
}

TEST_F(TracingTest, OthersAreSampledByTheirShare) {
  EXPECT_FALSE(tracing(0).begin(std::nullopt));
  const auto whole = tracing(1).begin(std::nullopt);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->parent, telemetry::SpanId{});
  EXPECT_TRUE(whole->context.sampled());
  int sampled = 0;
  auto& some = tracing(0.1);
  for (int i = 0; i < 10'000; ++i) sampled += some.begin(std::nullopt) ? 1 : 0;
  EXPECT_NEAR(sampled, 1000, 200);
}

TEST_F(TracingTest, AFrameIsFollowedToItsSubscribers) {
  auto& one = tracing(0);
  const auto trace = one.begin(parent(true));
  const auto& context = trace->context;
  one.appended(context, StreamId(5), Cut(7), AppendTime(110), true);
  now = 120;
  one.durable(Cut(6));
  EXPECT_TRUE(spans.empty());
  one.durable(Cut(7));
  one.end(*trace, {"/v1/streams/{stream}/events", TenantId(1), "clicks", 200, 3, ""});
  now = 130;
  one.stepped(Cut(8));
  now = 140;
  one.delivered(context, StreamId(5), AppendTime(110));
  ASSERT_EQ(spans.size(), 4u);
  const std::vector<std::tuple<std::string, int64_t, int64_t>> expected{
      {"journal sync", 110, 120},
      {"POST /v1/streams/{stream}/events", 100, 120},
      {"step", 120, 130},
      {"deliver", 120, 140}};
  for (size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(std::tuple(spans[i].name, spans[i].begun_us, spans[i].ended_us), expected[i]);
    EXPECT_EQ(spans[i].context.trace, context.trace);
    EXPECT_EQ(spans[i].parent, i == 1 ? parent(true)->span : context.span);
  }
}

TEST_F(TracingTest, AStreamThatNoQueryReadsHasNoStep) {
  auto& one = tracing(1);
  const auto context = one.begin(std::nullopt)->context;
  one.appended(context, StreamId(5), Cut(7), AppendTime(110), false);
  one.durable(Cut(7));
  one.stepped(Cut(7));
  EXPECT_EQ(spans.size(), 1u);
}

TEST_F(TracingTest, TheOldestFramesAreLetGo) {
  auto& one = tracing(1);
  const auto context = one.begin(std::nullopt)->context;
  for (uint64_t cut = 1; cut <= Tracing::kMostFrames + 10; ++cut)
    one.appended(context, StreamId(5), Cut(cut), AppendTime(110), true);
  one.durable(Cut(20));
  EXPECT_EQ(spans.size(), 10u);
  for (uint64_t cut = 1; cut <= 15; ++cut)
    one.appended(context, StreamId(5), Cut(2000 + cut), AppendTime(110), true);
  one.durable(Cut(2015));
  EXPECT_EQ(spans.size(), Tracing::kMostFrames + 10);
  one.stepped(Cut(2015));
  EXPECT_EQ(spans.size(), 2 * Tracing::kMostFrames + 10);
}

TEST(Otlp, ASpanIsAnObject) {
  TraceSpan span;
  span.context = *telemetry::read_trace_context(std::string(kParent) + "1", "a=1");
  span.name = "say \"x\"";
  span.begun_us = 1'700'000'000'000'001;
  span.ended_us = 1'700'000'000'000'002;
  span.attributes = {{"n", int64_t{7}}, {"s", "t"}};
  span.failure = "MR-LOG-0004";
  EXPECT_EQ(
      to_otlp({&span, 1}, "1.2", "i"),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"millrace"}},)"
      R"({"key":"service.version","value":{"stringValue":"1.2"}},)"
      R"({"key":"service.instance.id","value":{"stringValue":"i"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"millrace"},"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",)"
      R"("spanId":"00f067aa0ba902b7","traceState":"a=1","name":"say \"x\"","kind":1,)"
      R"("startTimeUnixNano":"1700000000000001000","endTimeUnixNano":"1700000000000002000",)"
      R"("attributes":[{"key":"n","value":{"intValue":"7"}},{"key":"s","value":{"stringValue":"t"}}],)"
      R"("status":{"code":2,"message":"MR-LOG-0004"}}]}]}]})");
}

TEST(Otlp, AnAnswerMayRejectSpans) {
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too long"}})"), 3u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":3}})"), 3u);
  for (const char* none :
       {"", "{}", "<html>", "[]", "5", "\"partialSuccess\"", R"({"partialSuccess":null})",
        R"({"partialSuccess":[]})", R"({"partialSuccess":{"errorMessage":"a warning"}})",
        R"({"partialSuccess":{"rejectedSpans":"-3"}})", R"({"partialSuccess":{"rejectedSpans":"x"}})",
        R"({"partialSuccess":{"rejectedSpans":{}}})"})
    EXPECT_EQ(rejected_spans(none), 0u) << none;
}

TEST(Otlp, Endpoints) {
  const auto target = [](std::string_view text) {
    const auto endpoint = parse_otlp_endpoint(text);
    return endpoint.ok() ? endpoint->url.text() + endpoint->target : endpoint.error().id;
  };
  EXPECT_EQ(target("http://collector:4318"), "http://collector:4318/v1/traces");
  EXPECT_EQ(target("http://collector:4318/"), "http://collector:4318/v1/traces");
  EXPECT_EQ(target("https://[::1]/a/b/"), "https://::1:443/a/b/v1/traces");
  EXPECT_EQ(target("collector:4318"), "MR-CLI-0004");
  EXPECT_EQ(target("http://"), "MR-CLI-0004");
  EXPECT_EQ(target("http://c/a b"), "MR-TEL-0001");
  EXPECT_EQ(target("http://c/a?b"), "MR-TEL-0001");
}

}  // namespace
}  // namespace millrace::node
