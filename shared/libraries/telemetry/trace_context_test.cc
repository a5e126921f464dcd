#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

namespace millrace::telemetry {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, IsReadAndWritten) {
  const auto context = read_trace_context(kParent, "congo=t61rcWkgMzE, rojo=00f067aa0ba902b7");
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled());
  EXPECT_EQ(to_traceparent(*context), kParent);
  EXPECT_EQ(context->state, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_EQ(decode_trace_context(encode_trace_context(*context)), context);
}

// The rules of W3C's Trace Context, 3.2.2 and 4.
TEST(TraceContext, WhatIsMalformedIsNone) {
  const std::string ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
  for (const std::string& parent :
       {std::string(), std::string("00"), "00-" + ids, "00-" + ids + "-1", "00-" + ids + "-01-",
        "00-" + ids + "-01x", "ff-" + ids + "-01", "0G-" + ids + "-01", "00-" + ids + "-0A",
        "cc-" + ids + "-01.what", std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
        std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
        std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
        std::string("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")}) {
    EXPECT_FALSE(read_trace_context(parent, "")) << parent;
  }
}

TEST(TraceContext, ALaterVersionIsReadAsThisOne) {
  const std::string ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
  for (const char* end : {"-01", "-01-", "-01-what-the-future"}) {
    const auto context = read_trace_context("cc-" + ids + end, "");
    ASSERT_TRUE(context) << end;
    EXPECT_EQ(to_traceparent(*context), kParent);
  }
  EXPECT_EQ(read_trace_context("00-" + ids + "-ff", "")->flags,
            3);  // those that nobody knows yet are not passed on
}

TEST(TraceContext, StateIsKeptOrLeftOut) {
  const auto state_of = [](std::string_view state) { return read_trace_context(kParent, state)->state; };
  EXPECT_EQ(state_of(" a=1 ,,\tb@c=2 "), "a=1,b@c=2");
  EXPECT_EQ(state_of("1a-_*/=x y"), "1a-_*/=x y");
  for (const char* wrong : {"a", "a=", "=1", "A=1", "a=1=2", "a=\x7f", "@a=1", "a@b@c=1", "a=1,b", "a =1"})
    EXPECT_EQ(state_of(wrong), "") << wrong;
  std::string many = "a=1";
  for (int i = 0; i < 32; ++i) many += ",b=2";
  EXPECT_EQ(state_of(many), "");
}

TEST(TraceContext, LongStateLosesItsLargeEntriesThenItsLast) {
  const std::string large = "l=" + std::string(200, 'x'), small = "s=" + std::string(98, 'x');
  const auto state_of = [](const std::string& state) { return read_trace_context(kParent, state)->state; };
  EXPECT_EQ(state_of(large + "," + large), large + "," + large);
  EXPECT_EQ(state_of(large + "," + large + ",a=1," + large), "a=1");
  std::string kept = small;
  for (int i = 0; i < 4; ++i) kept += "," + small;
  EXPECT_EQ(state_of(kept + "," + small), kept);
}

TEST(TraceContext, BytesThatAreNoneAreNone) {
  EXPECT_FALSE(decode_trace_context(""));
  EXPECT_FALSE(decode_trace_context(std::string(24, 'x')));
  EXPECT_FALSE(decode_trace_context(std::string(25, '\0')));
  EXPECT_TRUE(decode_trace_context(std::string(25, 'x')));
}

}  // namespace
}  // namespace millrace::telemetry
