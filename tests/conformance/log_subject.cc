#include "tests/conformance/log_subject.h"

#include "sim/sim_clock.h"
#include "sim/sim_files.h"

namespace millrace::conformance {
namespace {

// On a disk that keeps only what was promised.
class JournalSubject final : public LogSubject {
 public:
  explicit JournalSubject(uint64_t seed, log::PlantedBug bug = log::PlantedBug::kNone)
      : files_(seed), random_(seed), bug_(bug) {
    files_.set_stall(static_cast<uint32_t>(random_.below(3)));
    open();
  }

  log::Log& log() override { return *journal_; }
  void turn() override { clock_.advance_us(static_cast<int64_t>(1 + random_.below(2000))); }
  void restart() override {
    random_.chance(3) ? files_.kill() : files_.crash();
    journal_.reset();
    open();
  }
  void forget() override {
    const auto segments = journal_->segments();
    if (segments.size() > 1) {
      const auto removed = journal_->recycle_through(segments[random_.below(segments.size() - 1)].id);
      CHECK(removed.ok(), "sealed segments can be removed");
    }
  }
  void fail() override {
    files_.fail_call(1);
    std::vector<log::Outcome> none;
    for (int i = 0; i < 1000 && !journal_->failed(); ++i) {
      (void)journal_->append({{}, {{log::ControlKind::kTick, "tick"}}}, log::Priority::kStep);
      journal_->flush();
      journal_->poll();
    }
    CHECK(journal_->failed().has_value(), "a disk that fails is seen");
  }
  AppendTime now() override { return journal_->now(); }

 private:
  void open() {
    log::Journal::Options options;
    options.directory = "/data";
    options.segment_bytes = 64u << 10;
    options.max_group_bytes = 16u << 10;
    options.max_pending_bytes = 128u << 10;
    options.tail_bytes = 24u << 10;
    options.reserve_bytes = 0;
    options.background_thread = false;
    options.bug = bug_;
    auto opened = log::Journal::open(files_, clock_, options);
    CHECK(opened.ok(), "the journal opens after any crash");
    journal_ = std::move(*opened);
  }

  sim::SimFiles files_;
  sim::SimClock clock_;
  Random random_;
  const log::PlantedBug bug_;
  std::unique_ptr<log::Journal> journal_;
};

class HostileSubject final : public LogSubject {
 public:
  explicit HostileSubject(uint64_t seed, fakes::Broken broken = fakes::Broken::kNone)
      : store_(std::make_shared<fakes::HostileLog::Store>()), random_(seed), broken_(broken) {
    open();
  }

  log::Log& log() override { return *log_; }
  void turn() override { clock_.advance_us(static_cast<int64_t>(1 + random_.below(2000))); }
  void restart() override {
    log_->die();
    open();
  }
  void forget() override { log_->forget_some(); }
  void fail() override { ++store_->writer; }  // another process
  AppendTime now() override { return AppendTime(clock_.wall_us()); }

 private:
  void open() {
    fakes::HostileLog::Options options;
    options.broken = broken_;
    log_ = std::make_unique<fakes::HostileLog>(store_, clock_, random_.next(), options);
  }

  std::shared_ptr<fakes::HostileLog::Store> store_;
  sim::SimClock clock_;
  Random random_;
  const fakes::Broken broken_;
  std::unique_ptr<fakes::HostileLog> log_;
};

}  // namespace

std::unique_ptr<LogSubject> make_journal_subject(uint64_t seed) {
  return std::make_unique<JournalSubject>(seed);
}
std::unique_ptr<LogSubject> make_hostile_subject(uint64_t seed) {
  return std::make_unique<HostileSubject>(seed);
}
std::unique_ptr<LogSubject> make_broken_subject(uint64_t seed, log::PlantedBug bug) {
  return std::make_unique<JournalSubject>(seed, bug);
}
std::unique_ptr<LogSubject> make_broken_subject(uint64_t seed, fakes::Broken broken) {
  return std::make_unique<HostileSubject>(seed, broken);
}

}  // namespace millrace::conformance
