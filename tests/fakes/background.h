// Background work for tests: inline, or held until the test runs it, or refused.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "engine/serving.h"

namespace millrace::fakes {

class Background final : public engine::Background {
 public:
  bool hold = false;
  bool refuse = false;

  bool run(engine::Lane, std::function<void()> work, std::function<void()> done) override {
    if (refuse) return false;
    if (hold) {
      held_.emplace_back(std::move(work), std::move(done));
      return true;
    }
    work();
    done();
    return true;
  }
  void finish() override { run_held(); }
  void run_held() {
    while (run_one()) {
    }
  }
  // False: nothing is held.
  bool run_one() {
    if (held_.empty()) return false;
    auto [work, done] = std::move(held_.front());
    held_.pop_front();
    work();
    work = nullptr;
    done();
    return true;
  }

 private:
  std::deque<std::pair<std::function<void()>, std::function<void()>>> held_;
};

}  // namespace millrace::fakes
