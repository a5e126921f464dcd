// SimBackground: background work that runs when the simulation says so, in order, on the one thread there is.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "engine/serving.h"

namespace millrace::sim {

class SimBackground final : public engine::Background {
 public:
  static constexpr size_t kMaxJobs = 256;

  bool run(std::function<void()> work, std::function<void()> done) override {
    if (jobs_.size() >= kMaxJobs) return false;
    jobs_.push_back({std::move(work), std::move(done)});
    return true;
  }
  // Half a job: its work, or its `done`. False: nothing waits.
  bool step() {
    if (jobs_.empty()) return false;
    if (jobs_.front().work) {
      const auto work = std::exchange(jobs_.front().work, nullptr);
      work();
      return true;
    }
    const auto done = std::move(jobs_.front().done);
    jobs_.pop_front();
    if (done) done();
    return true;
  }
  void finish() override {
    while (step()) {
    }
  }
  bool empty() const { return jobs_.empty(); }
  void drop_all() { jobs_.clear(); }

 private:
  struct Job {
    std::function<void()> work, done;
  };
  std::deque<Job> jobs_;
};

}  // namespace millrace::sim
