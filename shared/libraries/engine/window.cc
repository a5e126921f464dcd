#include "engine/window.h"

#include <algorithm>
#include <numeric>

#include "engine/expr.h"
#include "event/text.h"

namespace millrace::engine {

size_t WindowRun::ended(int64_t watermark_us) const {
  if (count == 0 || watermark_us < first.end) return 0;
  if (end_step == 0) return count;
  return std::min(count, static_cast<size_t>((watermark_us - first.end) / end_step) + 1);
}

int64_t WindowSpec::pane_us() const {
  switch (kind) {
    case Kind::kTumble:
    case Kind::kSession:
      return size_us;
    case Kind::kHop:
      return std::gcd(step_us, size_us);
    case Kind::kCumulate:
      break;
  }
  return step_us;
}

int64_t WindowSpec::pane_of(int64_t time_us) const {
  return tumble_start(time_us, pane_us(), offset_us);
}

int64_t WindowSpec::last_end(int64_t time_us) const {
  if (is_session()) return time_us + 1;
  const int64_t distance = kind == Kind::kHop ? step_us : size_us;
  return tumble_start(time_us, distance, offset_us) + size_us;
}

int64_t WindowSpec::ends_until(int64_t watermark_us) const {
  if (is_session()) return watermark_us;
  const int64_t distance = between_ends_us();
  const int64_t since = watermark_us - offset_us - size_us % distance;
  return since / distance - (since % distance < 0 ? 1 : 0);
}

int64_t WindowSpec::ended_by(int64_t time_us) const {
  const int64_t distance = between_ends_us();
  return ends_until(time_us) * distance + offset_us + size_us % distance;
}

int64_t WindowSpec::least_end_after(int64_t watermark_us) const {
  if (is_session()) return pane_of(watermark_us + 1);
  return ended_by(watermark_us) + between_ends_us();
}

int64_t WindowSpec::least_start_after(int64_t watermark_us) const {
  const int64_t end = least_end_after(watermark_us);
  return kind == Kind::kCumulate ? tumble_start(end - 1, size_us, offset_us) : end - size_us;
}

WindowRun WindowSpec::windows_of(int64_t pane_us_start) const {
  const int64_t pane_end = pane_us_start + pane_us();
  WindowRun run{{pane_us_start, pane_us_start + size_us}, 0, 0, 1};
  if (kind == Kind::kHop) {
    const int64_t last = tumble_start(pane_us_start, step_us, offset_us);
    const int64_t before = (last - (pane_end - size_us)) / step_us;
    run = {{last - before * step_us, last - before * step_us + size_us},
           step_us,
           step_us,
           static_cast<size_t>(before) + 1};
  } else if (kind == Kind::kCumulate) {
    const int64_t start = tumble_start(pane_us_start, size_us, offset_us);
    run = {{start, pane_end}, 0, step_us, static_cast<size_t>((start + size_us - pane_end) / step_us) + 1};
  }
  while (run.count > 0 && !timestamp_in_range(run.first.start)) {
    run.first = run.at(1);
    --run.count;
  }
  while (run.count > 0 && !timestamp_in_range(run.at(run.count - 1).end)) --run.count;
  return run;
}

}  // namespace millrace::engine
