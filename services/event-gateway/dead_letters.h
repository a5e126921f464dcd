// DeadLetters: a tenant's dead letters as things that can be read, corrected, discarded, and given to their query again.
//
// Letter:  an event of the tenant's stream dead_letters; its number is its offset there.
// Redrive: the query that failed, and no other, takes the event again, at the cut of the frame that records it; an event
//          that its stream did not take becomes one of the stream in that frame. Record and delivery are the same bytes,
//          so a crash leaves both or neither; what is redriven already is answered as it is. Before that it is tried: what
//          would fail again is refused.
// States:  LetterStates, a function of the journal: load() what was saved, replay() the frames after it.
// Order:   a letter takes one action at a time: the next one waits until it is durable.
// Bounds:  Limits; what a request looks at (LetterScan), what it redrives.
// Threads: the core loop; letters are tried on Background.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/letters.h"
#include "engine/serving.h"
#include "event-gateway/gateway.h"
#include "event-gateway/letter_scan.h"
#include "event-gateway/letter_states.h"
#include "event-gateway/quota.h"
#include "log/journal.h"
#include "sql/definitions.h"

namespace millrace::gateway {

struct RedriveReport {
  struct Skipped {
    Offset letter;
    Error why;
  };
  size_t redriven = 0;
  std::vector<Skipped> skipped;
  std::optional<Offset> next;  // the last one looked at, if there may be more
};
struct TriedLetter {
  Letter letter;
  engine::LetterTrial trial;
};

class DeadLetters {
 public:
  struct Limits {
    double redriven_per_s = 1'000;               // a tenant's; a request may leave it in debt
    size_t redriven_bytes_a_request = 8u << 20;  // of events
  };
  static constexpr size_t kMostRedriven = 1'000;  // a request
  using OneDone = std::function<void(Result<Letter>)>;
  using TriedDone = std::function<void(Result<TriedLetter>)>;
  using ReportDone = std::function<void(Result<RedriveReport>)>;
  // Of a letter: whose, which, and who asks.
  struct Asked {
    TenantId tenant;
    Offset letter;
    std::string by;
  };

  DeadLetters(log::Journal& journal, const sql::Definitions& definitions, engine::StreamReads& streams,
              engine::Background& background, Ingest& ingest, Limits limits);
  ~DeadLetters();
  // Without a processor the letters of queries are read, edited and discarded only.
  void use_queries(engine::LetterQueries& queries, engine::ViewReads& views) {
    queries_ = &queries;
    views_ = &views;
  }

  // Newest first, or oldest first.
  void scan(LetterScanRequest request, LetterVisit visit, LetterScanDone done);
  void find(TenantId tenant, Offset letter, OneDone done);
  void edit(const Asked& asked, std::string payload, OneDone done);
  void discard(const Asked& asked, OneDone done);
  void redrive(const Asked& asked, OneDone done);
  void dry_run(const Asked& asked, TriedDone done);
  // Open and edited ones that the request finds, oldest first.
  void redrive_all(LetterScanRequest request, size_t limit, const std::string& by, ReportDone done);

  double retry_after_s(TenantId tenant) const;
  uint64_t redriven(TenantId tenant) const;  // since the start
  void on_durable(Cut durable);

  void replay(const log::Frame& frame);
  std::string save();  // as of the frames that are durable
  Status load(std::string_view saved) { return states_.load(saved); }
  bool empty() const { return states_.empty(); }

 private:
  using Action = engine::LetterAction;
  using Key = std::pair<TenantId, int64_t>;
  struct Pending {
    Cut cut;
    AppendTime at;
    std::vector<Action> actions;
    std::function<void()> done;
  };
  // What a redrive would do, or why there can be none, found out on Background.
  struct Prepared {
    Letter letter;
    std::optional<Error> refused;
    engine::PlanPtr plan;  // null: the event is outside
    engine::LetterEvent event;
    engine::LetterTrial trial;
  };
  struct Preparing;

  bool wait_for(const Asked& asked, std::function<void()> then);
  Status check_room(TenantId tenant, size_t letters, size_t bytes);
  Status check_rate(TenantId tenant);
  Status append(std::vector<Action> actions, Ingest::TakenAgain taken, std::function<void()> done);
  void append_one(const Asked& asked, Action action, OneDone done);
  Status check_edit(const Letter& letter, const std::string& payload) const;
  Result<engine::StreamPtr> stream_outside(const Letter& letter) const;
  Ingest::TakenAgain try_outside(std::vector<Prepared>& letters) const;
  static void tell_outcome(const Result<bool>& outcome, Prepared& one);
  void refuse_older_rows(Prepared& one) const;
  bool has_changed(const Letter& letter) const;
  using PreparedDone = std::function<void(std::vector<Prepared>)>;
  void prepare(std::vector<Letter> letters, PreparedDone done);
  void find_lateness(const std::shared_ptr<Preparing>& work, const PreparedDone& done);
  void try_all(const std::shared_ptr<Preparing>& work, const PreparedDone& done);
  bool off_loop(std::function<void()> work, std::function<void()> done);
  void redrive_prepared(const std::string& by, std::vector<Prepared> prepared, std::optional<Offset> next,
                        const ReportDone& done);

  log::Journal& journal_;
  Ingest& ingest_;
  const sql::Definitions& definitions_;
  engine::StreamReads& streams_;
  engine::Background& background_;
  engine::LetterQueries* queries_ = nullptr;  // null: no processor here
  engine::ViewReads* views_ = nullptr;        // likewise
  const Limits limits_;
  LetterStates states_;          // of durable frames
  std::set<Key> under_way_;      // letters with an action that is not durable yet
  std::deque<Pending> pending_;  // by cut
  std::vector<std::function<void()>> waiting_;
  std::map<TenantId, TokenBucket> rates_;
  std::map<TenantId, uint64_t> redriven_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace millrace::gateway
