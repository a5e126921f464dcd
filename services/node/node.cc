#include "node/node.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "event-store/retention.h"
#include "event-store/stream_reads.h"
#include "metadata/metadata_store.h"
#include "node/backup_hold.h"
#include "node/data_directory.h"
#include "node/metric_series.h"
#include "node/node_metrics.h"
#include "node/node_watch.h"
#include "node/registry_copy.h"
#include "stream-processor/letter_trials.h"
#include "stream-processor/processor.h"

namespace millrace::node {
namespace {

constexpr int64_t kRetentionEveryUs = 1'000'000;
// In front of what the edge saves; without letters it begins with the version of Ingest's.
constexpr uint8_t kSavedWithLetters = 3;

class NodeImpl final : public Node {
 public:
  NodeImpl(Files& files, const Clock& clock, engine::Background& background, NodeOptions options)
      : files_(files), clock_(clock), background_(background), options_(std::move(options)) {}
  ~NodeImpl() override { alive_.reset(); }

  Status open(const std::function<void(const char*, uint64_t, uint64_t)>& progress);

  bool turn() override;
  int64_t wait_us() override;
  void set_wake(std::function<void()> wake) override;
  const std::optional<Error>& failed() const override { return journal_->failed(); }
  Status ready() const override;
  std::string metrics() override;
  std::string metrics_full(std::optional<TenantId> only) override;
  Result<TenantId> tenant(const std::string& name) override;
  gateway::Ingest& ingest() override { return *ingest_; }
  gateway::SqlService& sql() override { return *sql_; }
  gateway::DeadLetters& dead_letters() override { return *dead_letters_; }
  engine::StreamReads& streams() override { return *streams_; }
  log::Journal& journal() override { return *journal_; }
  sql::Definitions& definitions() override { return *definitions_; }
  gateway::Backups& backups() override { return *backup_; }
  bool idle() const override;
  using Node::close;
  Status close(bool with_snapshots) override;

 private:
  Status recover_ingest(const std::function<void(const char*, uint64_t, uint64_t)>& progress);
  void observe();
  void trace();
  void hand_out(Cut durable);
  void measure(AppendTime now);
  void save_ingest();
  std::string save_edge();
  Status load_edge(std::string_view saved);
  void keep_retention(int64_t now);
  Cut floor();
  std::string path(const char* name) const { return options_.directory + "/" + name; }

  Files& files_;
  const Clock& clock_;
  engine::Background& background_;
  const NodeOptions options_;
  std::shared_ptr<void> lock_;
  std::unique_ptr<log::Journal> journal_;
  std::unique_ptr<sql::Definitions> definitions_;
  std::unique_ptr<BackupHold> backup_;
  std::unique_ptr<event_store::StreamStore> streams_;
  std::shared_ptr<state::SpillSpace> spill_;
  std::unique_ptr<processor::Processor> processor_;
  std::unique_ptr<gateway::Ingest> ingest_;
  std::unique_ptr<gateway::SqlService> sql_;
  std::unique_ptr<processor::LetterTrials> letter_trials_;
  std::unique_ptr<gateway::DeadLetters> dead_letters_;
  NodeMetrics metrics_;
  std::optional<NodeWatch> watch_;  // where there is a log
  sql::CatalogPtr measured_;        // whose streams are measured
  Cut handed_out_;
  Cut ingest_saved_;
  uint64_t bytes_at_save_ = 0;
  bool saving_ingest_ = false;
  int64_t retention_at_us_ = 0;
  bool looking_for_expired_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Status NodeImpl::open(const std::function<void(const char*, uint64_t, uint64_t)>& progress) {
  TRY_ASSIGN(lock_, take_data_directory(files_, options_.directory));
  auto journal_options = options_.journal;
  journal_options.directory = options_.directory;
  journal_options.synced = [this](int64_t us, size_t bytes) {
    metrics_.sync_us.record(us);
    metrics_.sync_bytes.record(static_cast<int64_t>(bytes));
  };
  TRY_ASSIGN(journal_,
             log::Journal::open(files_, clock_, journal_options, [&](uint64_t done, uint64_t total) {
               if (progress) progress("reading the journal", done, total);
             }));
  TRY_ASSIGN(auto store, metadata::MetadataStore::open(files_, path("metadata.db")));
  TRY_ASSIGN(definitions_, sql::Definitions::open(std::move(store), *journal_, options_.plan));
  backup_ =
      std::make_unique<BackupHold>(files_, clock_, options_.directory, *journal_, definitions_->store());
  TRY(remove_registry_copy(files_, options_.directory));  // of a backup that the last end has ended
  streams_ = std::make_unique<event_store::StreamStore>(*journal_, background_);
  ingest_ = std::make_unique<gateway::Ingest>(*journal_, *definitions_, gateway::Ingest::Limits());
  dead_letters_ = std::make_unique<gateway::DeadLetters>(*journal_, *definitions_, *streams_, background_,
                                                         *ingest_, gateway::DeadLetters::Limits());
  TRY(recover_ingest(progress));
  if (options_.process) {
    processor::Processor::Options o;
    o.directory = path("snapshots");
    o.workers = options_.workers;
    o.inline_workers = options_.inline_workers;
    o.schedule = options_.schedule;
    o.max_step_bytes = options_.max_step_bytes;
    o.max_slice_bytes = options_.max_slice_bytes;
    o.max_frame_bytes = options_.journal.max_frame_bytes;
    o.snapshot_after_bytes = options_.snapshot_after_bytes;
    o.snapshot_after_us = options_.snapshot_after_us;
    o.state_bytes = options_.state_bytes;
    spill_ = std::make_shared<state::SpillSpace>(
        files_, state::SpillSpace::Options{options_.directory, options_.state_memory_bytes,
                                           options_.journal.reserve_bytes});
    o.spill = spill_;
    o.clock = &clock_;
    TRY_ASSIGN(processor_, processor::Processor::open(files_, background_, *journal_, *definitions_, o,
                                                      [&](uint64_t done, uint64_t total) {
                                                        if (progress)
                                                          progress("recovering queries", done, total);
                                                      }));
    letter_trials_ = std::make_unique<processor::LetterTrials>(*journal_);
    dead_letters_->use_queries(*letter_trials_, *processor_);
  }
  observe();
  sql_ =
      std::make_unique<gateway::SqlService>(*definitions_, processor_.get(), *streams_, background_, clock_,
                                            std::make_shared<gateway::ReadBudget>(), ingest_.get());
  sql_->set_statement_timeout(options_.statement_timeout);
  handed_out_ = journal_->durable_cut();
  return {};
}

void NodeImpl::observe() {
  const auto delivered = [this](StreamId stream, AppendTime arrived) {
    metrics_.times.delivered(stream, arrived, journal_->now());
  };
  ingest_->on_appended([this](StreamId stream, Cut cut, AppendTime arrived, const auto& trace) {
    metrics_.times.appended(stream, cut, arrived);
    if (options_.tracing != nullptr && trace && trace->sampled())
      options_.tracing->appended(*trace, stream, cut, arrived, metrics_.times.is_read(stream));
  });
  streams_->on_delivered([this, delivered](StreamId stream, AppendTime arrived, std::string_view encoded) {
    delivered(stream, arrived);
    if (options_.tracing == nullptr || encoded.empty()) return;
    const auto trace = telemetry::decode_trace_context(encoded);
    if (trace && trace->sampled()) options_.tracing->delivered(*trace, stream, arrived);
  });
  if (options_.tracing != nullptr) trace();
  if (options_.log != nullptr) watch_.emplace(*options_.log, *journal_, *ingest_);
  if (!processor_) return;
  auto& counters = processor_->counters();
  if (watch_) {
    for (const auto& query : processor_->query_gauges()) {
      const auto status = processor_->status(query.plan->id);
      if (status.ok() && status->failed)
        watch_->query_failed(*definitions_->catalog(), *query.plan, *status->failed);
    }
    counters.failed = [this](const engine::QueryPlan& query, const Error& why) {
      watch_->query_failed(*definitions_->catalog(), query, why);
    };
    counters.snapshot_failed = [this](const Error& why) { watch_->snapshot_failed(why); };
  }
  counters.processing = [this](int64_t us) { metrics_.processing.record(us); };
  counters.delivered = delivered;
  counters.snapshot = [this](int64_t us, uint64_t bytes) {
    metrics_.snapshot_us.record(us);
    metrics_.snapshot_bytes.record(static_cast<int64_t>(bytes));
    metrics_.last_snapshot = journal_->now();
  };
}

void NodeImpl::trace() {
  options_.tracing->set_source({[this] { return journal_->now().value; },
                                [this](StreamId id) {
                                  const auto stream = definitions_->catalog()->stream(id);
                                  return stream == nullptr ? std::string() : stream->name;
                                },
                                [this](TenantId id) {
                                  const auto catalog = definitions_->catalog();
                                  const std::string* name = catalog->tenant_name(id);
                                  return name == nullptr ? std::string() : *name;
                                }});
}

// The tables of idempotency keys and of what was done with dead letters: what was saved, then the frames since.
Status NodeImpl::recover_ingest(const std::function<void(const char*, uint64_t, uint64_t)>& progress) {
  ingest_saved_ = Cut(journal_->first_cut().value - 1);
  if (files_.exists(path("ingest.state"))) {
    TRY_ASSIGN(const auto saved, read_whole_file(files_, path("ingest.state"), size_t{1} << 30));
    ByteReader in(saved);
    const auto crc = in.le<uint32_t>();
    const bool whole = in.ok() && crc == crc32c(0, in.rest());
    const Cut cut(in.le<uint64_t>());
    // A damaged or too new file is only a shortcut lost: the journal has all of it.
    if (whole && in.ok() && cut <= journal_->end_cut() && load_edge(in.rest()).ok()) {
      ingest_saved_ = std::max(ingest_saved_, cut);
    }
  }
  const Cut end = journal_->end_cut();
  for (Cut at = ingest_saved_; at < end;) {
    TRY_ASSIGN(const auto frames, journal_->read_frames(at, end, 4u << 20));
    if (frames.empty()) break;
    for (const auto& frame : frames) {
      ingest_->replay(*frame);
      dead_letters_->replay(*frame);
    }
    at = frames.back()->cut;
    if (progress) progress("reading idempotency keys", at.value, end.value);
  }
  return {};
}

// Without letters the file is as it was before there were any.
std::string NodeImpl::save_edge() {
  const std::string letters = dead_letters_->save();
  if (letters.empty()) return ingest_->save();
  std::string out(1, static_cast<char>(kSavedWithLetters));
  append_bytes(out, ingest_->save());
  return out + letters;
}

// Both or none: what is loaded in part comes again with the frames that are replayed for it.
Status NodeImpl::load_edge(std::string_view saved) {
  if (saved.empty() || static_cast<uint8_t>(saved.front()) != kSavedWithLetters) return ingest_->load(saved);
  ByteReader in(saved.substr(1));
  const std::string_view keys = in.bytes();
  TRY(dead_letters_->load(in.rest()));
  return ingest_->load(keys);
}

// Step, then give the disk its next group, then hand out what the last one made durable: the disk works while
// answers are sent, and the outputs of what was just taken in share its sync.
bool NodeImpl::turn() {
  const bool more = processor_ ? processor_->turn() : false;
  journal_->poll();
  journal_->flush();
  hand_out(journal_->durable_cut());
  // A disk that answers at once (the simulation's) has news already.
  journal_->poll();
  hand_out(journal_->durable_cut());
  const AppendTime now = journal_->now();
  measure(now);
  if (watch_) watch_->look(now);
  save_ingest();
  keep_retention(now.value);
  backup_->expire();
  sql_->expire();
  return more;
}

void NodeImpl::hand_out(Cut durable) {
  if (durable <= handed_out_) return;
  handed_out_ = durable;
  if (options_.tracing != nullptr) options_.tracing->durable(durable);
  ingest_->on_durable(durable);
  definitions_->on_durable(durable);
  streams_->on_durable(durable);
  if (processor_) processor_->on_durable(durable);
  dead_letters_->on_durable(durable);
}

void NodeImpl::measure(AppendTime now) {
  if (measured_ != definitions_->catalog()) {
    measured_ = definitions_->catalog();
    std::unordered_set<StreamId> read;
    for (const auto* entry : measured_->all()) {
      if (!entry->query) continue;
      for (const auto& source : entry->query->sources()) read.insert(source->id);
    }
    metrics_.times.set_read(std::move(read));
    metrics_.times.forget([&](StreamId stream) { return measured_->stream(stream) == nullptr; });
  }
  if (!metrics_.times.waits()) return;
  const Cut stepped = processor_ ? std::min(processor_->stepped_to(), handed_out_) : handed_out_;
  metrics_.times.reached(handed_out_, stepped, now);
  if (options_.tracing != nullptr) options_.tracing->stepped(stepped);
}

void NodeImpl::save_ingest() {
  const uint64_t appended = journal_->counters().bytes;
  if (saving_ingest_ || appended - bytes_at_save_ < options_.save_ingest_after_bytes) return;
  saving_ingest_ = true;
  bytes_at_save_ = appended;
  const Cut cut = journal_->durable_cut();
  std::string body;
  append_le(body, cut.value);
  body += save_edge();
  auto file = std::make_shared<std::string>();
  append_le(*file, crc32c(0, body));
  *file += body;
  auto written = std::make_shared<Status>();
  const bool taken = background_.run(
      engine::Lane::kUpkeep,
      [&files = files_, to = path("ingest.state"), file, written] {
        *written = write_file_atomically(files, to, *file);
      },
      [this, alive = std::weak_ptr<bool>(alive_), cut, written] {
        if (alive.expired()) return;
        saving_ingest_ = false;
        if (written->ok()) ingest_saved_ = cut;
      });
  if (!taken) saving_ingest_ = false;
}

// Rule (floor): what the next start or a backup under way needs is not removed. Without a processor nobody knows what queries need.
Cut NodeImpl::floor() {
  if (backup_->held()) return Cut(0);
  const Cut floor = std::min({ingest_saved_, handed_out_, definitions_->floor()});
  if (processor_) return std::min(floor, processor_->floor());
  const auto all = definitions_->catalog()->all();
  const bool queries = std::any_of(all.begin(), all.end(), [](const auto* e) { return e->query != nullptr; });
  return queries ? Cut(0) : floor;
}

void NodeImpl::keep_retention(int64_t now) {
  if (looking_for_expired_ || now - retention_at_us_ < kRetentionEveryUs) return;
  retention_at_us_ = now;
  const auto through = std::make_shared<std::optional<event_store::Expired>>();
  looking_for_expired_ = background_.run(
      engine::Lane::kUpkeep,
      [journal = journal_.get(), catalog = definitions_->catalog(), floor = floor(), now, through,
       letters_us = options_.dead_letters_kept_us] {
        *through = event_store::expired_through(*journal, *catalog, floor, AppendTime(now), letters_us);
      },
      [this, alive = std::weak_ptr<bool>(alive_), through] {
        if (alive.expired()) return;
        looking_for_expired_ = false;
        // Meanwhile a query may have been made that begins with what is to go: then not now.
        if (!*through || (*through)->last >= floor()) return;
        // A failure here is the disk's: the journal notices it at its next write.
        if (journal_->recycle_through((*through)->id).ok()) ++metrics_.retention_runs;
      });
}

int64_t NodeImpl::wait_us() {
  const int64_t wait = std::min(sql_->wait_us(), kRetentionEveryUs);
  const int64_t timer = processor_ ? processor_->next_timer_us() : INT64_MAX;
  if (timer == INT64_MAX) return wait;
  return std::clamp<int64_t>(timer - journal_->now().value, 0, wait);
}

void NodeImpl::set_wake(std::function<void()> wake) {
  files_.set_wake(wake);
  if (processor_) processor_->set_wake(std::move(wake));
}

Status NodeImpl::ready() const {
  if (journal_->failed()) return *journal_->failed();
  if (journal_->disk_low()) {
    return error(Code::kExhausted, "MR-LOG-0004", "the disk is full: nothing more is taken in; reads go on",
                 "free some space, or shorten the retention");
  }
  return processor_ ? processor_->ready() : Status();
}

std::string NodeImpl::metrics() {
  return metrics_.render(*journal_, *ingest_, *streams_, processor_.get(), spill_.get()) +
         render_statements(sql_->counters());
}

std::string NodeImpl::metrics_full(std::optional<TenantId> only) {
  const auto catalog = definitions_->catalog();
  return render_series({*journal_, *ingest_, *dead_letters_, *catalog, processor_.get(), metrics_.times},
                       only);
}

Result<TenantId> NodeImpl::tenant(const std::string& name) {
  return definitions_->ensure_tenant(name, [](Result<sql::DefinitionId>) {});
}

bool NodeImpl::idle() const {
  return journal_->durable_cut() == journal_->end_cut() && handed_out_ == journal_->end_cut() &&
         !saving_ingest_ && (!processor_ || processor_->idle());
}

Status NodeImpl::close(bool with_snapshots) {
  // Without room for the steps' outputs the next start takes the steps again, from older snapshots.
  const bool drained = processor_ && processor_->drain().ok();
  TRY(journal_->close());
  hand_out(journal_->durable_cut());
  background_.finish();  // writes of snapshots and of the ingest state that are under way
  if (drained && with_snapshots) TRY(processor_->snapshot_all());
  std::string body;
  append_le(body, journal_->durable_cut().value);
  body += save_edge();
  std::string file;
  append_le(file, crc32c(0, body));
  return write_file_atomically(files_, path("ingest.state"), file + body);
}

}  // namespace

Result<std::unique_ptr<Node>> Node::open(Files& files, const Clock& clock, engine::Background& background,
                                         NodeOptions options,
                                         std::function<void(const char*, uint64_t, uint64_t)> progress) {
  auto node = std::make_unique<NodeImpl>(files, clock, background, std::move(options));
  TRY(node->open(progress));
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace millrace::node
