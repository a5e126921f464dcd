#include "stream-processor/processor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/planted.h"
#include "stream-processor/query_start.h"

namespace millrace::processor {
namespace {

// First rows that subscribers have not read, of all feeds; a single one may have more.
constexpr size_t kMaxBeginningBytes = 1u << 30;

Error too_many_beginnings() {
  return error(Code::kExhausted, "MR-STEP-0026", "too many subscribers have not read their view's first rows",
               "subscribe again when others have read theirs");
}

}  // namespace

bool Processor::turn() {
  if (known_ != definitions_.catalog()) definitions_changed();
  bool more = run_inline();
  more |= take_messages();
  tick_if_needed();
  if (signalled_ < journal_.end_cut()) wake_workers();
  return more;
}

// At most a few turns: the sockets and the disk must not wait for a long history. "More" brings the loop
// back.
bool Processor::run_inline() {
  bool worked = false;
  for (int round = 0; round < 4; ++round) {
    bool any = false;
    for (uint32_t i = 0; i < inline_count_; ++i) {
      const uint32_t w = options_.schedule ? static_cast<uint32_t>(options_.schedule(inline_count_)) : i;
      any |= workers_[w]->turn();
    }
    take_messages();
    if (!any) return false;
    worked = true;
  }
  return worked;
}

bool Processor::take_messages() {
  std::vector<FromWorker> taken;
  outbox_.take_all(taken);
  for (auto& message : taken) incoming_.push_back(std::move(message));
  while (!incoming_.empty()) {
    if (!handle(incoming_.front())) return false;  // the journal is full: again after the next sync
    incoming_.pop_front();
  }
  return false;
}

bool Processor::handle(FromWorker& message) {
  if (auto* done = std::get_if<StepDone>(&message.what)) return append(*done, message.worker);
  if (auto* answer = std::get_if<Frozen>(&message.what)) {
    frozen(*answer);
  } else if (auto* ready = std::get_if<SnapshotReady>(&message.what)) {
    // The outputs of its last step stand behind its cut: a snapshot without them would lose them.
    const Cut after = planted(Planted::kSnapshotBeforeOutputs) ? ready->at : journal_.end_cut();
    snapshots_.push_back({std::move(*ready), after});
    on_durable(journal_.durable_cut());
  } else if (auto* failure = std::get_if<TaskFailed>(&message.what)) {
    auto task = tasks_.find(failure->query.value);
    if (task == tasks_.end()) return true;
    task->second.stopped[failure->worker] = 1;
    task->second.live[failure->worker] = 0;
    task->second.position[failure->worker] = failure->at;
    if (!task->second.failed) {
      task->second.failed = failure->error;
      ++counters_.failed_queries;
      if (counters_.failed) counters_.failed(*task->second.plan, failure->error);
      end_feeds(failure->query, failure->error);
    }
  } else if (auto* progress = std::get_if<Progress>(&message.what)) {
    timers_[progress->worker] = progress->next_timer_us;
    live_[progress->worker] = progress->live;
    counters_.nulls += progress->nulls;
    for (const auto& at : progress->tasks) {
      auto task = tasks_.find(at.query.value);
      if (task == tasks_.end() || task->second.stopped[progress->worker] != 0) continue;
      task->second.position[progress->worker] = at.position;
      task->second.live[progress->worker] = at.live;
      task->second.state_bytes[progress->worker] = at.state_bytes;
      task->second.watermark_us[progress->worker] = at.watermark_us;
      if (at.complete_from.value != 0) task->second.complete_from = at.complete_from;
    }
  }
  return true;
}

bool Processor::append(StepDone& done, uint32_t worker) {
  if (!done.group.controls.empty()) {
    const size_t batches = done.group.batches.size();
    auto appended = journal_.append(done.group, log::Priority::kStep);
    if (!appended.ok()) {
      // A full queue passes; anything else does not, and the journal says so itself (failed()).
      if (!retryable(appended.error().code))
        CHECK(journal_.failed().has_value(), appended.error().to_string());
      return false;
    }
    ++counters_.steps;
    for (size_t b = 0; b < batches; ++b) {
      counters_.output_records += appended->places[b].count;
      const auto stream = known_->stream(done.group.batches[b].where.stream);
      if (stream && stream->kind == engine::StreamKind::kDeadLetters)
        counters_.dead_letters += appended->places[b].count;
    }
    if (done.live && counters_.processing) counters_.processing(appended->time.value - done.oldest.value);
    outputs_.push_back({appended->cut, worker, done.bytes});
  } else {
    written(worker, done.bytes);
  }
  for (auto& change : done.changes) feed(std::move(change));
  done.changes.clear();
  on_durable(journal_.durable_cut());
  return true;
}

void Processor::written(uint32_t worker, size_t bytes) {
  if (!workers_[worker]->written(bytes)) return;
  wake_workers();
  if (wake_ && worker < inline_count_) wake_();
}

void Processor::feed(StepDone::Change change) {
  if (planted(Planted::kLoseChanges) && change.at.value % 8 == 0) return;
  auto entry = std::make_shared<ViewChange>(ViewChange{change.at, change.arrived, nullptr});
  bool wanted = false;
  if (!change.closed) entry->rows = std::make_shared<const JsonRows>(std::move(change.rows));
  each_feed(change.query, [&](ViewFeed& feed) {
    feed.add(entry);
    wanted |= !feed.closed();
  });
  if (!change.closed || !wanted) return;
  // Rendered elsewhere, and in its turn: a feed hands nothing out that is behind it.
  auto rows = std::make_shared<Result<JsonRows>>(JsonRows());
  auto work = [rows, windows = std::move(*change.closed)] { *rows = render(windows); };
  auto done = [this, alive = std::weak_ptr<bool>(alive_), rows, entry, view = change.query] {
    if (alive.expired()) return;
    if (!rows->ok()) return end_feeds(view, rows->error());
    entry->rows = std::make_shared<const JsonRows>(std::move(*rows).value());
    each_feed(view, [&](ViewFeed& feed) { feed.release(journal_.durable_cut()); });
  };
  if (background_.run(engine::Lane::kReads, work, done)) return;
  work();
  done();
}

void Processor::end_feeds(QueryId view, const Error& why) {
  each_feed(view, [&](ViewFeed& feed) { feed.end(why); });
}

// By index, and held: a subscriber that is told may subscribe to something else at once.
void Processor::each_feed(QueryId view, const std::function<void(ViewFeed&)>& visit) {
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (const auto feed = feeds_[i]; feed->view() == view) visit(*feed);
  }
}

void Processor::on_durable(Cut durable) {
  while (!outputs_.empty() && outputs_.front().cut <= durable) {
    written(outputs_.front().worker, outputs_.front().bytes);
    outputs_.pop_front();
  }
  for (size_t i = 0; i < durable_reads_.size();) {
    if (durable_reads_[i].at > durable) {
      ++i;
      continue;
    }
    Read read = std::move(durable_reads_[i]);
    durable_reads_.erase(durable_reads_.begin() + static_cast<ptrdiff_t>(i));
    read.done(engine::ViewAtCut{read.plan, read.at, std::move(read.epochs), read.closed, read.dropped,
                                std::move(read.report), std::move(read.closed_by)});
  }
  for (size_t i = 0; i < feeds_.size();) {
    auto feed = feeds_[i];
    if (feed->closed()) {
      unwatch(*feed);
      feeds_.erase(feeds_.begin() + static_cast<ptrdiff_t>(i));
      continue;
    }
    feed->release(durable);
    ++i;
  }
  while (!snapshots_.empty() && snapshots_.front().after <= durable) {
    SnapshotReady ready = std::move(snapshots_.front().snapshot);
    snapshots_.pop_front();
    write_snapshot(std::move(ready));
  }
}

void Processor::write_snapshot(SnapshotReady ready) {
  auto task = tasks_.find(ready.query.value);
  if (task == tasks_.end()) return;
  auto snapshots = task->second.snapshots[ready.worker];
  auto written = std::make_shared<Result<state::SnapshotInfo>>(state::SnapshotInfo());
  auto kept = std::make_shared<std::vector<Cut>>();
  auto took_ns = std::make_shared<int64_t>(0);
  auto done = [this, alive = std::weak_ptr<bool>(alive_), written, kept, took_ns, query = ready.query,
               worker = ready.worker] {
    if (alive.expired()) return;
    if (written->ok()) {
      ++counters_.snapshots;
      counters_.snapshot_bytes += (*written)->bytes_written;
      if (counters_.snapshot) counters_.snapshot(*took_ns / 1000, (*written)->bytes_written);
    } else {
      ++counters_.snapshot_failures;  // the next one is due as before; recovery takes longer until then
      if (counters_.snapshot_failed) counters_.snapshot_failed(written->error());
    }
    auto found = tasks_.find(query.value);
    if (found != tasks_.end() && !kept->empty()) found->second.oldest_kept[worker] = kept->front();
    tell(worker, SnapshotWritten{query});
  };
  const bool taken = background_.run(
      engine::Lane::kUpkeep,
      [snapshots, written, kept, took_ns, clock = options_.clock, at = ready.at,
       epoch = std::move(ready.epoch)] {
        StopWatch watch(clock);
        *written = snapshots->write(at, *epoch);
        watch.lap(*took_ns);
        *kept = snapshots->list();
      },
      done);
  if (!taken) tell(ready.worker, SnapshotWritten{ready.query});
}

void Processor::read(QueryId view, std::function<void(Result<engine::ViewAtCut>)> done) {
  begin_read(view, false, std::move(done));
}

bool Processor::is_paused(QueryId query) const {
  const auto task = tasks_.find(query.value);
  return task != tasks_.end() && task->second.paused;
}

// The cut to stop at is of a frame that no worker has seen (Worker, Order), and it must come.
void Processor::pauses_changed() {
  if (known_ != definitions_.catalog()) definitions_changed();
  for (auto& [id, task] : tasks_) {
    const auto found = definitions_.paused().find(id);
    const auto wanted = found == definitions_.paused().end() ? std::nullopt : std::optional(found->second);
    if (task.paused == wanted) continue;
    task.paused = wanted;
    if (wanted) tick_owed_ = std::max(tick_owed_, *wanted);
    for (uint32_t w = 0; w < workers_.size(); ++w)
      tell(w, StopAt{QueryId(id), wanted.value_or(Cut(UINT64_MAX))});
  }
  tick_if_needed();  // now: what comes after the answer to PAUSE stands behind the cut
  wake_workers();
}

void Processor::inspect(QueryId query, std::function<void(Result<engine::QueryReport>)> done) {
  if (known_ != definitions_.catalog()) definitions_changed();
  const auto task = tasks_.find(query.value);
  if (task == tasks_.end())
    return done(error(Code::kNotFound, "MR-STEP-0023", "there is no such query here"));
  if (task->second.failed) return done(*task->second.failed);
  Read read;
  read.plan = task->second.plan;
  read.report_only = true;
  read.rounds = {{query, false}};
  read.done = [done = std::move(done)](Result<engine::ViewAtCut> at) {
    at.ok() ? done(std::move(at->report)) : done(std::move(at).error());
  };
  const uint64_t id = next_read_++;
  start_round(id, reads_[id] = std::move(read));
}

void Processor::unwatch(const ViewFeed& feed) {
  if (const auto read = reads_.find(feed.request); read != reads_.end()) read->second.watch = false;
  for (uint32_t w = 0; w < workers_.size(); ++w) tell(w, Unwatch{feed.view(), feed.request});
}

uint64_t Processor::begin_read(QueryId view, bool watch,
                               std::function<void(Result<engine::ViewAtCut>)> done) {
  if (known_ != definitions_.catalog()) definitions_changed();
  auto task = tasks_.find(view.value);
  if (task == tasks_.end()) {
    done(error(Code::kNotFound, "MR-STEP-0023", "there is no such view here"));
    return 0;
  }
  if (task->second.failed) {
    done(*task->second.failed);
    return 0;
  }
  Read read;
  read.plan = task->second.plan;
  read.watch = watch;
  read.done = std::move(done);
  std::set<uint32_t> fed;
  if (!is_paused(view)) add_feeders(*read.plan, fed, read.rounds);
  read.rounds.push_back({view, true});
  const uint64_t id = next_read_++;
  start_round(id, reads_[id] = std::move(read));
  return id;
}

// What feeds a query must have stepped over the events before the query can have them; one that is paused stands
// where it stands.
void Processor::add_feeders(const engine::QueryPlan& plan, std::set<uint32_t>& fed,
                            std::vector<Round>& rounds) const {
  const auto feed = [&](const engine::PlanPtr& feeder) {
    if (!feeder || is_paused(feeder->id) || !fed.insert(feeder->id.value).second) return;
    add_feeders(*feeder, fed, rounds);
    rounds.push_back({feeder->id, false});
    // Its windows close by what its workers tell each other.
    if (feeder->output_stream && feeder->emit_on_close) rounds.push_back({feeder->id, false});
  };
  for (const auto& source : plan.sources()) {
    const sql::DefinitionId definition = sql::definition_of(source->id);
    if (source->kind == engine::StreamKind::kDerived) {
      const auto* producer = known_->find(definition);
      if (producer != nullptr) feed(producer->query);
    }
    for (const auto* reader : known_->readers(definition)) {
      const engine::StreamPtr& late = reader->query->late_stream;
      if (late && late->id == source->id) feed(reader->query);
    }
  }
  if (plan.repartition) rounds.push_back({plan.id, false});
}

void Processor::start_round(uint64_t id, Read& read) {
  read.answers = 0;
  while (!read.rounds[read.round].freeze && tasks_.count(read.rounds[read.round].query.value) == 0)
    ++read.round;
  const Round round = read.rounds[read.round];
  // Threads may be anywhere up to the end: the cut is the next frame, which cannot have been seen (Worker,
  // Order).
  const bool inlined = inline_count_ == workers_.size();
  if (!read.report_only) read.at = inlined ? journal_.end_cut() : Cut(journal_.end_cut().value + 1);
  const auto task = tasks_.find(round.query.value);
  if (!read.report_only && task != tasks_.end() && task->second.paused) read.at = *task->second.paused;
  const bool watch = read.watch && round.freeze;
  for (uint32_t w = 0; w < workers_.size(); ++w)
    tell(w, Freeze{id, round.query, read.at, round.freeze, watch, read.report_only});
  if (!inlined && !read.report_only) tick_owed_ = std::max(tick_owed_, read.at);
  wake_workers();
}

void Processor::frozen(Frozen& answer) {
  auto found = reads_.find(answer.request);
  if (found == reads_.end()) return;
  Read& read = found->second;
  // What fed the view was dropped meanwhile: nothing more comes of it.
  const bool without =
      !read.rounds[read.round].freeze && !answer.epoch.ok() &&
      (answer.epoch.error().code == Code::kGone || answer.epoch.error().code == Code::kNotFound);
  if (!answer.epoch.ok() && !without) {
    auto done = std::move(read.done);
    reads_.erase(found);
    done(answer.epoch.error());
    return;
  }
  if (read.rounds[read.round].freeze) {
    read.epochs.resize(workers_.size());
    read.epochs[answer.worker] = *answer.epoch;
    read.closed_by.resize(workers_.size());
    read.closed_by[answer.worker] = answer.closed;
    read.closed = std::min(read.closed, answer.closed);
    read.dropped = std::max(read.dropped, answer.dropped);
  }
  if (read.report_only) {
    read.report.add(answer.report);
    read.at = std::max(read.at, answer.at);
  }
  if (++read.answers < workers_.size()) return;
  if (++read.round < read.rounds.size()) {
    start_round(answer.request, read);
    return;
  }
  durable_reads_.push_back(std::move(read));
  reads_.erase(found);
  on_durable(journal_.durable_cut());
}

Result<std::unique_ptr<engine::Subscription>> Processor::subscribe(QueryId view) {
  if (known_ != definitions_.catalog()) definitions_changed();
  auto feed = std::make_shared<ViewFeed>(view);
  auto subscription = std::make_unique<ViewSubscription>(feed);
  if (tasks_.count(view.value) == 0)
    return error(Code::kNotFound, "MR-STEP-0023", "there is no such view here");
  feed->on_delivered(
      [this, plan = tasks_.at(view.value).plan, alive = std::weak_ptr<bool>(alive_)](AppendTime arrived) {
        if (!alive.expired() && counters_.delivered) counters_.delivered(plan->source->id, arrived);
      });
  feeds_.push_back(feed);
  const auto begin = [this, alive = std::weak_ptr<bool>(alive_), feed](Result<engine::ViewAtCut> at) {
    if (!alive.expired()) begin_feed(feed, std::move(at));
  };
  feed->request = begin_read(view, true, begin);
  return std::unique_ptr<engine::Subscription>(std::move(subscription));
}

void Processor::begin_feed(const std::shared_ptr<ViewFeed>& feed, Result<engine::ViewAtCut> view) {
  if (!view.ok()) return feed->end(view.error());
  auto rows = std::make_shared<Result<JsonRows>>(JsonRows());
  auto work = [at = *view, rows] { *rows = first_rows(at); };
  auto done = [this, alive = std::weak_ptr<bool>(alive_), feed, rows, at = view->cut] {
    if (alive.expired()) return;
    if (!rows->ok()) return feed->end(rows->error());
    size_t held = 0;
    for (const auto& other : feeds_) held += other->beginning_bytes();
    if (held > 0 && held + (*rows)->text.size() > kMaxBeginningBytes) return feed->end(too_many_beginnings());
    feed->begin(at, std::make_shared<const JsonRows>(std::move(*rows).value()));
    feed->release(journal_.durable_cut());
    feed->tell();
  };
  if (!background_.run(engine::Lane::kReads, std::move(work), done)) {
    feed->end(error(Code::kExhausted, "MR-STEP-0024", "too many reads are waiting", "try again in a moment"));
  }
}

Result<engine::QueryStatus> Processor::status(QueryId query) {
  if (known_ != definitions_.catalog()) definitions_changed();
  auto found = tasks_.find(query.value);
  if (found == tasks_.end()) return error(Code::kNotFound, "MR-STEP-0023", "there is no such query here");
  const Task& task = found->second;
  engine::QueryStatus status;
  status.position = position(task);
  status.failed = task.failed;
  for (const size_t bytes : task.state_bytes) status.state_bytes += bytes;
  const Cut end = journal_.end_cut();
  if (task.failed) {
    status.state = "failed: " + task.failed->to_string();
  } else if (task.paused) {
    status.state = "paused";
  } else if (end.value - status.position.value <= 1024) {
    status.state = "running";
  } else {
    const auto whole = static_cast<double>(end.value - task.start.value);
    status.state = fmt::format("building, {:.0f} %",
                               100.0 * static_cast<double>(status.position.value - task.start.value) / whole);
  }
  if (!task.failed && task.complete_from.value != 0) {
    status.state += ", complete from ";
    append_timestamp(status.state, Timestamp{task.complete_from.value});
  }
  if (status.position < end) {
    auto next = journal_.read_frames(status.position, Cut(status.position.value + 1), 1);
    if (next.ok() && !next->empty()) {
      status.lag_seconds = static_cast<double>(journal_.now().value - next->front()->time.value) / 1e6;
    }
  }
  return status;
}

void Processor::definitions_changed() {
  known_ = definitions_.catalog();
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    if (const auto* entry = known_->find(sql::DefinitionId(task->first)); entry != nullptr) {
      if (entry->query != task->second.plan) use_plan(task->second, entry->query);
      ++task;
      continue;
    }
    for (uint32_t w = 0; w < workers_.size(); ++w) {
      tell(w, RemoveTask{QueryId(task->first)});
      forget_snapshots(snapshot_directory(QueryId(task->first), w));
    }
    end_feeds(QueryId(task->first), error(Code::kGone, "MR-STEP-0020", "the view was dropped"));
    task = tasks_.erase(task);
  }
  for (const auto* entry : known_->all()) {
    if (!entry->query || tasks_.count(entry->query->id.value) != 0) continue;
    const auto workers = static_cast<uint32_t>(workers_.size());
    auto& task = tasks_[entry->query->id.value] = make_task(entry->query, workers);
    const auto start = query_start(journal_, *entry);
    if (!start.ok()) {
      task.failed = start.error();
      task.stopped.assign(workers, 1);
      continue;
    }
    task.start = *start;
    for (uint32_t w = 0; w < workers; ++w) {
      task.position[w] = task.start;
      task.oldest_kept[w] = task.start;
      tell(w,
           AddTask{first_task(*entry, known_->dead_letters(entry->query->tenant), {w, workers}, task.start)});
    }
  }
  wake_workers();
}

// Its groups stay; who follows it has other columns.
void Processor::use_plan(Task& task, const engine::PlanPtr& plan) {
  task.plan = plan;
  for (uint32_t w = 0; w < workers_.size(); ++w) tell(w, UsePlan{plan});
  end_feeds(plan->id, error(Code::kGone, "MR-STEP-0029", "the view was replaced", "subscribe again"));
}

void Processor::forget_snapshots(const std::string& directory) {
  // If it cannot be done now, only disk space is lost: nothing reads the folder of a query that is gone.
  background_.run(
      engine::Lane::kUpkeep,
      [&files = files_, directory] {
        auto names = files.list(directory);
        if (!names.ok()) return;
        for (const auto& name : *names) static_cast<void>(files.remove(directory + "/" + name).ok());
      },
      [] {});
}

// A frame that nothing else brings: time has an effect, or a read waits for the next cut.
void Processor::tick_if_needed() {
  const bool timer = next_timer_us() <= journal_.now().value;
  if (journal_.end_cut() >= tick_owed_ && !timer) return;
  log::Group tick;
  tick.controls.push_back({log::ControlKind::kTick, ""});
  auto appended = journal_.append(std::move(tick), log::Priority::kStep);
  if (appended.ok() && timer)
    std::fill(timers_.begin(), timers_.end(), INT64_MAX);  // told again after the step
}

int64_t Processor::next_timer_us() const {
  return timers_.empty() ? INT64_MAX : *std::min_element(timers_.begin(), timers_.end());
}

Cut Processor::floor() {
  if (known_ != definitions_.catalog()) definitions_changed();
  Cut floor(UINT64_MAX);
  if (planted(Planted::kForgetFloor)) return floor;
  for (const auto& [id, task] : tasks_) {
    if (task.failed && !task.retrying) continue;
    for (const Cut kept : task.oldest_kept) floor = std::min(floor, kept);
  }
  return floor;
}

Status Processor::ready() const {
  for (const auto& [id, task] : tasks_) {
    if (task.failed || task.paused) continue;
    const Cut at = position(task);
    if (at >= opened_at_ || opened_at_.value - at.value > 1'000'000) continue;
    return error(Code::kUnavailable, "MR-STEP-0025", fmt::format("{} is catching up", task.plan->name));
  }
  return {};
}

Cut Processor::position(const Task& task) const {
  Cut last(UINT64_MAX);
  for (uint32_t w = 0; w < task.position.size(); ++w) last = std::min(last, position(task, w));
  return last;
}

Cut Processor::stepped_to() const {
  return *std::min_element(live_.begin(), live_.end());
}

std::vector<Processor::QueryGauges> Processor::query_gauges() {
  if (known_ != definitions_.catalog()) definitions_changed();
  std::vector<QueryGauges> all;
  all.reserve(tasks_.size());
  for (const auto& [id, task] : tasks_) {
    QueryGauges& gauges = all.emplace_back();
    gauges.plan = task.plan;
    gauges.failed = task.failed.has_value();
    gauges.paused = task.paused.has_value();
    gauges.position = position(task);
    for (const size_t bytes : task.state_bytes) gauges.state_bytes += bytes;
    for (const int64_t us : task.watermark_us) {
      if (us != INT64_MIN) gauges.watermark_us = std::min(gauges.watermark_us.value_or(INT64_MAX), us);
    }
  }
  return all;
}

bool Processor::idle() const {
  const bool retrying = std::ranges::any_of(tasks_, [](const auto& known) { return known.second.retrying; });
  return known_ == definitions_.catalog() && snapshots_.empty() && !retrying && at_end();
}

bool Processor::at_end() const {
  if (!incoming_.empty()) return false;
  for (const auto& [id, task] : tasks_) {
    if (!task.failed && position(task) < std::min(journal_.end_cut(), task.paused.value_or(Cut(UINT64_MAX))))
      return false;
  }
  return true;
}

bool Processor::tell(uint32_t worker, ToWorker message) {
  return workers_[worker]->inbox().put(std::move(message));
}

void Processor::wake_workers() {
  signalled_ = journal_.end_cut();
  if (threads_.empty()) return;
  signal_.fetch_add(1, std::memory_order_release);
  signal_.notify_all();
}

void Processor::set_wake(std::function<void()> wake) {
  wake_ = wake;
  outbox_.set_wake(std::move(wake));
}

}  // namespace millrace::processor
