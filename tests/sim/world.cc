// Lives and faults: how a simulated node is opened, driven, broken and opened again.
#include "tests/sim/world.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace millrace::sim {
namespace {

using RequestState = ClientRequest::State;
using ObjectState = ClientObject::State;

constexpr const char* kDataDirectory = "/data";
constexpr uint64_t kHashSeeds = 1'000'003;
constexpr int64_t kOriginUs = 978'307'200'000'000;  // events' time: 2001-01-01
constexpr int64_t kDownUs = 400'000'000;            // longer than a clock may jump without being asked
constexpr int64_t kMaxWaitUs = 1'500'000'000;  // of clock jumps a run: stays inside the idempotency window

}  // namespace

World::World(const SimOptions& options)
    : options_(options), random_(options.seed * 0x9E3779B97F4A7C15 + 1), event_time_us_(kOriginUs) {
  retention_ = random_.chance(3);
  tenants_.push_back({"default", Workload(random_.fork(), retention_, 1), {}, 0});
  if (random_.chance(3))
    tenants_.push_back({"acme", Workload(random_.fork(), retention_, 1'000'000'000), {}, 0});
  files_ = std::make_unique<SimFiles>(random_.next());
}

void World::fail(std::string what) {
  if (!report_.failure) report_.failure = std::move(what);
}

void World::trace(const std::string& what) {
  if (options_.trace)
    std::fprintf(stderr, "[life %lu] %s\n", static_cast<unsigned long>(life_), what.c_str());
}

SimReport World::run() {
  restart();
  for (uint32_t i = 0; i < options_.actions && !failed(); ++i) act();
  faults_allowed_ = false;
  if (!failed() && come_to_rest()) {
    for (size_t i = 0; i < requests_.size(); ++i) {
      const bool open =
          requests_[i].state == RequestState::kUnknown || requests_[i].state == RequestState::kRefused;
      if (open && !requests_[i].key.empty() && objects_[requests_[i].object].state == ObjectState::kThere)
        send(i);
    }
    if (quiesce() && hear_the_rest()) check_everything();
  }
  if (!failed() && random_.chance(2)) {  // the same again after a recovery
    crash();
    restart();
    if (!failed() && come_to_rest() && hear_the_rest()) check_everything();
  }
  if (!failed()) {
    const auto closed = node_->close();
    if (!closed.ok()) fail("the node does not close: " + closed.error().to_string());
    forget_life();
    if (!failed()) check_recompute();
  }
  forget_life();
  return std::move(report_);
}

void World::act() {
  note_removed();
  const uint64_t dice = random_.below(100);
  if (dice < 38) {
    send_events();
  } else if (dice < 40) {
    pause_something();
    if (!failed()) add_column();
  } else if (dice < 48) {
    pump(1 + static_cast<uint32_t>(random_.below(6)));
  } else if (dice < 60) {
    define();
  } else if (dice < 62) {
    drop_something();
  } else if (dice < 67) {
    send_again();
  } else if (dice < 68) {
    misuse_key();
  } else if (dice < 74) {
    select_something();
  } else if (dice < 84) {
    read_something();
    follow_something();
  } else if (dice < 91) {
    let_time_pass();
  } else if (dice < 95) {
    change_disk();
  } else if (dice < 98) {
    crash();
    restart();
  } else {
    const auto closed = node_->close();
    trace("close: " + (closed.ok() ? std::string("ok") : closed.error().to_string()));
    if (!closed.ok() && !files_->troubled()) fail("the node does not close: " + closed.error().to_string());
    if (!closed.ok()) {
      crash();
    } else {
      forget_life();
    }
    restart();
  }
  if (!failed()) pump(static_cast<uint32_t>(random_.below(3)));
  if (!failed()) hear_followers();
}

bool World::open(bool faults) {
  set_process_hash_seed(options_.seed * kHashSeeds + life_);  // another one each life, as processes have
  node::NodeOptions options;
  options.directory = kDataDirectory;
  options.workers = workers_;
  options.inline_workers = true;
  options.schedule = [this](uint64_t bound) { return random_.below(bound); };
  static constexpr size_t kStepBytes[] = {1, 2'000, 1u << 20};
  options.max_step_bytes = kStepBytes[random_.below(3)];
  if (spills_) options.state_memory_bytes = 1 + (life_ % 2) * 20'000;
  static constexpr size_t kSliceBytes[] = {100, 1'500, 8u << 20};
  options.max_slice_bytes = kSliceBytes[(options_.seed + life_) % 3];
  static constexpr size_t kSnapshotBytes[] = {1, 20'000, 200'000};
  options.snapshot_after_bytes = kSnapshotBytes[random_.below(3)];
  options.journal.segment_bytes = retention_ ? 64u << 10 : 256u << 10;
  options.save_ingest_after_bytes = 100'000;
  options.dead_letters_kept_us = 10'000'000;
  options.journal.tail_bytes = random_.chance(2) ? 16'000 : 1u << 20;
  options.journal.reserve_bytes = 1u << 20;
  options.journal.max_frame_bytes = 128u << 10;
  options.journal.max_group_bytes = 64u << 10;
  options.journal.max_pending_bytes = 1u << 20;
  options.journal.background_thread = false;
  options.journal.bug = options_.bug;
  if (faults && random_.chance(3)) files_->power_off_after(random_.below(60));
  auto opened = node::Node::open(*files_, clock_, background_, options);
  if (!opened.ok()) {
    trace("open: " + opened.error().to_string());
    if (!files_->troubled()) fail("the node does not open: " + opened.error().to_string());
    return false;
  }
  node_ = std::move(opened).value();
  if (files_->off()) return false;
  const auto& damage = node_->journal().recovery().damage;
  if (!damage.empty())
    fail(fmt::format("recovery reports damage at cut {}: {}", damage[0].cut.value, damage[0].what));
  for (auto& tenant : tenants_) {
    auto id = node_->tenant(tenant.name);
    if (!id.ok()) {
      if (!node_->failed() && !files_->troubled()) fail("no tenant: " + id.error().to_string());
      return false;
    }
    tenant.id = *id;
  }
  return true;
}

void World::forget_life() {
  ++life_;
  suspect_ = false;
  for (auto& reader : readers_) {
    reader.subscription.reset();
    reader.reading = false;
  }
  for (auto& follower : followers_) forget(follower);
  background_.drop_all();
  node_.reset();
  background_.drop_all();
  for (auto& request : requests_) {
    if (request.state == RequestState::kPending) request.state = RequestState::kUnknown;
  }
}

void World::crash() {
  trace("crash");
  files_->power_off();
  forget_life();
  ++report_.crashes;
}

// Opens until it holds; a recovery may crash, too.
void World::restart() {
  if (failed()) return;
  ++report_.restarts;
  if (random_.chance(3)) workers_ = 1 + static_cast<uint32_t>(random_.below(3));
  if (workers_ != 1) always_one_worker_ = false;
  if (random_.chance(8)) wait(kDownUs);
  for (int attempt = 0; attempt < 8 && !failed(); ++attempt) {
    files_->power_on();
    if (attempt > 3) files_->heal();
    if (open(faults_allowed_ && attempt < 4)) {
      trace(fmt::format("open with {} workers, {} frames", workers_, node_->journal().end_cut().value));
      settle_definitions();
      return;
    }
    crash();
  }
  fail("the node does not come up");
}

void World::pump(uint32_t turns) {
  for (uint32_t i = 0; i < turns && !failed(); ++i) {
    record();
    node_->turn();
    if (random_.chance(2)) background_.step();
    clock_.advance_us(50 + static_cast<int64_t>(random_.below(400)));
    watch_failure();
  }
}

// Drives the node until `done`; everything that waits gets its turn. False: the bound was reached, or
// something failed.
bool World::pump_until(const std::function<bool()>& done, uint32_t bound) {
  for (uint32_t i = 0; i < bound && !failed(); ++i) {
    if (done()) return true;
    const uint64_t life = life_;
    record();
    node_->turn();
    background_.step();
    clock_.advance_us(200);
    watch_failure();
    if (life != life_) return false;
  }
  return !failed() && done();
}

bool World::quiesce() {
  heal_disk();
  const auto settled = [this] {
    if (!node_->idle() || !background_.empty()) return false;
    for (const auto& request : requests_) {
      if (request.state == RequestState::kPending) return false;
    }
    for (const auto& object : objects_) {
      if (object.state == ObjectState::kCreating || object.state == ObjectState::kDropping) return false;
    }
    return true;
  };
  for (int attempt = 0; attempt < 4 && !failed(); ++attempt) {
    if (pump_until(settled, 20'000)) return true;
    heal_disk();  // a failure that was on its way ended that life
  }
  if (!failed()) fail("the node does not come to rest");
  return false;
}

// First of all it is known what is there: a drop that was lost leaves a query as it was, paused.
bool World::come_to_rest() {
  if (!quiesce()) return false;
  resume_all();
  return quiesce();
}

// The node gave up, as it must after an error of the disk: its process ends.
void World::watch_failure() {
  if (files_->off()) {
    crash();
    restart();
    return;
  }
  if (std::exchange(suspect_, false)) {
    trace("a definition met a fault of the disk: a client cannot know what became of it");
    crash();
    restart();
    return;
  }
  if (!node_->failed()) return;
  trace("failed: " + node_->failed()->to_string());
  if (!files_->troubled()) fail("the node failed on a healthy disk: " + node_->failed()->to_string());
  crash();
  restart();
}

void World::let_time_pass() {
  static constexpr int64_t kGaps[] = {5'000, 200'000, 3'000'000, 25'000'000, 70'000'000};
  const int64_t gap = kGaps[random_.below(5)];
  if (random_.chance(5)) {
    const int64_t jump = static_cast<int64_t>(random_.below(20'000'000)) - 10'000'000;
    trace(fmt::format("the wall clock jumps by {} us", jump));
    clock_.jump_wall_us(jump);
  }
  wait(gap);
}

void World::wait(int64_t us) {
  if (waited_us_ + us > kMaxWaitUs) return;
  waited_us_ += us;
  event_time_us_ += us;
  clock_.advance_us(us);
}

void World::change_disk() {
  constexpr uint64_t kFirstHarmless = 2;  // what refuses a write of state stops the query
  const uint64_t change = random_.below(5);
  switch (spills_ ? std::max(change, kFirstHarmless) : change) {
    case 0:
      files_->set_capacity(files_->used_bytes() + random_.below(1u << 20));
      break;
    case 1:
      files_->fail_write_after(static_cast<uint32_t>(random_.below(20)));
      break;
    case 2:
      files_->set_stall(1 + static_cast<uint32_t>(random_.below(random_.chance(2) ? 4 : 40)));
      break;
    case 3:
      files_->power_off_after(random_.below(30));
      break;
    default:
      heal_disk();
  }
}

void World::heal_disk() {
  files_->heal();
}

SimReport simulate(const SimOptions& options) {
  planted_bug = options.planted;
  return World(options).run();
}

namespace {

struct NamedBug {
  const char* name;
  log::PlantedBug journal = log::PlantedBug::kNone;
  Planted planted = Planted::kNone;
};
constexpr NamedBug kBugs[] = {
    {"skip_sync", log::PlantedBug::kSkipSync},
    {"skip_checksum", log::PlantedBug::kSkipChecksum},
    {"drop_position", log::PlantedBug::kDropPosition},
    {"serve_before_durable", log::PlantedBug::kServeBeforeDurable},
    {"forget_watermarks", {}, Planted::kForgetWatermarks},
    {"snapshot_ahead", {}, Planted::kSnapshotAhead},
    {"snapshot_before_outputs", {}, Planted::kSnapshotBeforeOutputs},
    {"replay_twice", {}, Planted::kReplayTwice},
    {"swap_outputs", {}, Planted::kSwapOutputs},
    {"deaf_to_reports", {}, Planted::kDeafToReports},
    {"forget_groups", {}, Planted::kForgetGroups},
    {"forget_keys", {}, Planted::kForgetKeys},
    {"forget_floor", {}, Planted::kForgetFloor},
    {"lose_changes", {}, Planted::kLoseChanges},
    {"drop_early", {}, Planted::kDropEarly},
    {"forget_slices", {}, Planted::kForgetSlices},
};

}  // namespace

std::vector<std::string> planted_bugs() {
  std::vector<std::string> names;
  for (const auto& bug : kBugs) names.emplace_back(bug.name);
  return names;
}

bool plant(const std::string& name, SimOptions& options) {
  for (const auto& bug : kBugs) {
    if (name != bug.name) continue;
    options.bug = bug.journal;
    options.planted = bug.planted;
    return true;
  }
  return false;
}

std::string replay_command(const SimOptions& options) {
  std::string out = fmt::format("millrace-sim --seed {} --actions {}", options.seed, options.actions);
  for (const auto& bug : kBugs) {
    if (bug.journal == options.bug && bug.planted == options.planted)
      out += fmt::format(" --bug {}", bug.name);
  }
  return out + " --trace";
}

}  // namespace millrace::sim
