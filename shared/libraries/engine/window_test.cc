// The windows of a pane, against a search of all windows there are near it.
#include "engine/window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/expr.h"

namespace millrace::engine {
namespace {

constexpr WindowSpec hop(int64_t step, int64_t size, int64_t offset) {
  return {WindowSpec::Kind::kHop, size, step, offset};
}
constexpr WindowSpec cumulate(int64_t step, int64_t size, int64_t offset) {
  return {WindowSpec::Kind::kCumulate, size, step, offset};
}
constexpr WindowSpec kSpecs[] = {{WindowSpec::Kind::kTumble, 10, 0, 3},
                                 hop(5, 10, 0),
                                 hop(4, 10, 1),
                                 hop(7, 7, 2),
                                 hop(3, 60, 0),
                                 cumulate(5, 15, 0),
                                 cumulate(4, 12, 5),
                                 cumulate(6, 6, 1)};

// All windows that hold the time, by their ends.
std::vector<Window> search(const WindowSpec& spec, int64_t t) {
  std::vector<Window> out;
  const bool cumulates = spec.kind == WindowSpec::Kind::kCumulate;
  const int64_t distance = spec.kind == WindowSpec::Kind::kHop ? spec.step_us : spec.size_us;
  for (int64_t start = -200 * distance + spec.offset_us; start <= t; start += distance) {
    for (int64_t size = cumulates ? spec.step_us : spec.size_us; size <= spec.size_us;
         size += cumulates ? spec.step_us : spec.size_us) {
      if (t < start + size) out.push_back({start, start + size});
    }
  }
  return out;
}

TEST(Window, APaneIsInTheWindowsOfEachOfItsTimes) {
  for (const WindowSpec& spec : kSpecs) {
    for (int64_t t = -40; t < 40; ++t) {
      const int64_t pane = tumble_start(t, spec.pane_us(), spec.offset_us);
      const WindowRun run = spec.windows_of(pane);
      const auto expected = search(spec, t);
      ASSERT_EQ(run.count, expected.size()) << t;
      for (size_t i = 0; i < run.count; ++i) EXPECT_EQ(run.at(i), expected[i]) << t;
      EXPECT_EQ(spec.last_end(t), expected.back().end);
      EXPECT_EQ(spec.last_end(pane), expected.back().end);
      for (int64_t watermark = t - 100; watermark < t + 100; ++watermark) {
        const auto ended = std::count_if(expected.begin(), expected.end(),
                                         [&](const Window& w) { return w.end <= watermark; });
        ASSERT_EQ(run.ended(watermark), static_cast<size_t>(ended)) << t << " at " << watermark;
      }
    }
  }
}

TEST(Window, TheCountOfEndsGrowsAtEndsAlone) {
  for (const WindowSpec& spec : kSpecs) {
    for (int64_t watermark = -50; watermark < 50; ++watermark) {
      // A window that ends at the watermark holds the microsecond before it.
      bool ends = false;
      for (const Window& w : search(spec, watermark - 1)) ends |= w.end == watermark;
      EXPECT_EQ(spec.ends_until(watermark) - spec.ends_until(watermark - 1), ends ? 1 : 0) << watermark;
    }
  }
}

// A row is late behind its own time, and each watermark may end a session.
TEST(Window, OfSessionsTheGapAloneIsKnown) {
  constexpr WindowSpec kSession{WindowSpec::Kind::kSession, 10, 0, 0};
  EXPECT_EQ(kSession.pane_us(), 10);
  for (int64_t t = -25; t < 25; ++t) {
    EXPECT_EQ(kSession.last_end(t), t + 1);
    EXPECT_EQ(kSession.ends_until(t + 1) - kSession.ends_until(t), 1);
    EXPECT_LE(kSession.pane_of(t), t);
    EXPECT_GT(kSession.pane_of(t) + 10, t);
    EXPECT_EQ(kSession.pane_of(t) % 10, 0);
  }
}

TEST(Window, ThoseOutsideTheRangeOfTimestampsAreNone) {
  constexpr int64_t kYear1 = -62'135'596'800'000'000;
  const WindowRun run = hop(5, 20, 0).windows_of(kYear1);
  ASSERT_EQ(run.count, 1u);
  EXPECT_EQ(run.at(0).start, kYear1);
}

}  // namespace
}  // namespace millrace::engine
