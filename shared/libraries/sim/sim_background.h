// SimBackground: background work that runs when the simulation says so, on the one thread there is. The lanes take
// turns: what one of them begins, the other may overtake.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <utility>

#include "engine/serving.h"

namespace millrace::sim {

class SimBackground final : public engine::Background {
 public:
  static constexpr size_t kMaxJobs = 256;

  bool run(engine::Lane lane, std::function<void()> work, std::function<void()> done) override {
    auto& jobs = lanes_[static_cast<size_t>(lane)];
    if (jobs.size() >= kMaxJobs) return false;
    jobs.push_back({std::move(work), std::move(done)});
    return true;
  }
  // Half a job: its work, or its `done`. False: nothing waits.
  bool step() {
    turn_ = (turn_ + 1) % lanes_.size();
    if (lanes_[turn_].empty()) turn_ = (turn_ + 1) % lanes_.size();
    auto& jobs = lanes_[turn_];
    if (jobs.empty()) return false;
    if (jobs.front().work) {
      const auto work = std::exchange(jobs.front().work, nullptr);
      work();
      return true;
    }
    const auto done = std::move(jobs.front().done);
    jobs.pop_front();
    if (done) done();
    return true;
  }
  void finish() override {
    while (step()) {
    }
  }
  bool empty() const { return lanes_[0].empty() && lanes_[1].empty(); }
  void drop_all() {
    for (auto& jobs : lanes_) jobs.clear();
  }

 private:
  struct Job {
    std::function<void()> work, done;
  };
  std::array<std::deque<Job>, engine::kLanes> lanes_;
  size_t turn_ = 0;
};

}  // namespace millrace::sim
