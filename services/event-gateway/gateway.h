// Gateway: the edge without a protocol. HTTP today, others later, call it with requests that are parsed and
// authenticated. The simulation starts here.
//
// Threads: the core loop. Callbacks come on it, maybe before the call returns.
// Bounds:  a request's body, events a request, waiting bytes a tenant (kExhausted: 429 and Retry-After).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "engine/serving.h"
#include "event-gateway/caller.h"
#include "event-gateway/event_schemas.h"
#include "event-gateway/ingest_accounts.h"
#include "event-gateway/quota.h"
#include "event-gateway/read_budget.h"
#include "log/journal.h"
#include "sql/definitions.h"
#include "sql/sql.h"
#include "telemetry/trace_context.h"

namespace millrace::gateway {

struct RejectedEvent {
  size_t index = 0;
  Error error;
};
struct IngestRequest {
  TenantId tenant;
  std::string stream;
  // kValue, kValues: of serializers, one or several (event_values.h).
  enum class Format : uint8_t {
    kJson,
    kNdjson,
    kCloudEvent,
    kCloudEventBatch,
    kValue,
    kValues
  } format = Format::kNdjson;
  std::string_view body;        // with Buffer::kPadding readable bytes behind; valid during the call
  std::string idempotency_key;  // empty: none; at most 255 bytes
  bool all_or_nothing = false;  // an event that is rejected refuses the request
  std::optional<telemetry::TraceContext> trace;  // kept with its events
  uint32_t part =
      0;  // from 1 on: of a body that comes in parts, each of which has a place of its own under the key
};
struct IngestAnswer {
  size_t accepted = 0;
  std::vector<RejectedEvent> rejected;
  size_t rejected_more = 0;  // beyond the bound of what is told one by one
  size_t duplicates = 0;     // that the stream has already
  size_t dead_letters = 0;   // that do not fit it, and are kept
  std::vector<log::BatchPlace> offsets;
  engine::StreamPlace cursor;  // after the request's last event
  bool replayed = false;       // a duplicate: the first answer again

  // The request held no events.
  bool is_empty() const { return events() == 0; }
  // Some of it was taken or kept, or nothing was refused.
  bool is_success() const { return accepted + dead_letters > 0 || rejected.empty(); }
  size_t events() const { return accepted + rejected.size() + rejected_more + duplicates + dead_letters; }
};
// {"accepted":…,"rejected":[…],"offsets":[…],"cursor":"…","durability":"disk"}
std::string to_json(const IngestAnswer& answer);

// Ingest validates, routes, deduplicates and appends. All accepted events of a request are one frame. A request whose values
// name schemas that are not known yet waits until the registry has said what they are, and the later ones of its stream
// behind it.
class Ingest {
 public:
  struct Limits {
    size_t max_events = 1'000'000;       // a request
    size_t max_rejected_reported = 100;  // details; the rest is counted
    int64_t idempotency_window_us = 3'600'000'000;
    size_t idempotency_keys = 100'000;     // a tenant; the oldest go first
    size_t event_ids = 500'000;            // a tenant's, of streams that deduplicate; likewise
    size_t max_made_bytes = 32u << 20;     // of JSON that a request's values become
    size_t kept_streams = 16'384;          // with what was learnt of their events; beyond it all are let go
    size_t max_waiting_bytes = 96u << 20;  // a tenant's, appended and not yet durable
  };
  using Done = std::function<void(Result<IngestAnswer>)>;

  Ingest(log::Journal& journal, const sql::Definitions& definitions, Limits limits);
  ~Ingest();
  void ingest(const IngestRequest& request, Done done);
  void on_durable(Cut durable);
  size_t waiting() const;  // requests that are appended and not yet durable, or wait for the schema registry

  // Events that were dead letters, on their way to their streams again. Of each whether it is taken; false: its stream has
  // it already; an error says what does not fit. Nothing of them stays unless it is appended, in the same turn of the loop.
  struct Again {
    engine::StreamPtr stream;
    std::string_view event;
  };
  struct TakenAgain {
    std::vector<Result<bool>> outcomes;
    log::Group group;  // with the ids of CloudEvents
    std::map<StreamId, uint64_t> taken;
    TenantId tenant;
  };
  TakenAgain take_again(TenantId tenant, const std::vector<Again>& events);
  // What was taken, and the controls that say so, in one frame.
  Result<log::Appended> append_again(TakenAgain taken, std::vector<log::ControlAppend> controls);
  const IngestAccounts& accounts() const;
  uint64_t accepted_bytes() const;  // bodies of accepted requests

  // Whom to ask what a stream's schema is. It outlives this. Until then a stream that has one takes no events.
  void use(EventSchemas& schemas);
  // Told of every frame of events as it is appended; may be null.
  using Appended =
      std::function<void(StreamId, Cut, AppendTime, const std::optional<telemetry::TraceContext>&)>;
  void on_appended(Appended appended);

  // The same for each tenant that has sent something since the start.
  struct TenantCounters {
    uint64_t accepted_events = 0, accepted_bytes = 0;
    uint64_t rejected_events = 0;   // not valid, in requests that were taken apart
    uint64_t refused_requests = 0;  // answered with an error
    uint64_t waiting_bytes = 0;     // for the disk
  };
  std::map<TenantId, TenantCounters> by_tenant() const;

  // A tenant's quota; without one there is none. retry_after_s: how long a refused tenant should wait.
  void set_quota(TenantId tenant, Quota quota);
  double retry_after_s(TenantId tenant) const;
  // Told of each request that a quota refuses.
  void on_over_quota(std::function<void(TenantId, QuotaKind)> over);
  // Whether a request with so large a body would be refused by it now: before the body is read.
  Status admits(TenantId tenant, size_t body_bytes);

  // The idempotency table is a function of the journal: at a start, replay() every frame after load()'s cut.
  void replay(const log::Frame& frame);
  std::string save() const;  // as of the frames that are durable
  Status load(std::string_view saved);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Statements, and the values of their parameters.
struct SqlText {
  SqlText() = default;
  SqlText(std::string t) : text(std::move(t)) {}
  SqlText(const char* t) : text(t) {}
  std::string text;
  sql::Parameters parameters;
  std::chrono::milliseconds timeout{0};  // of each of them; 0, or more than the server's: the server's
  CallerPtr caller;                      // whose scopes decide; null: nothing is refused
  // Told of each statement that changes definitions, when it is done or has failed.
  std::function<void(const std::string& statement, const Status&)> acted = nullptr;
};

// One statement's answer.
struct StatementResult {
  std::string tag;  // "CREATE STREAM", "SELECT", …
  Schema columns;   // empty for commands
  Batch rows;
  std::unique_ptr<engine::Subscription> subscription;  // SUBSCRIBE: rows that go on coming
  std::shared_ptr<void> share;                         // of the memory for answers; let go with the rows
};

// SqlService runs a text's statements in order. The first error ends it; what was done before stays done.
// Time: a statement that reads longer than it may ends with MR-QRY-0010, and its work with it. What was given to the
//       log (a definition, an INSERT's events) is waited for: an answer that leaves open whether it is there helps
//       nobody. A subscription is answered at once.
class SqlService {
 public:
  using Each = std::function<void(StatementResult)>;
  using Done = std::function<void(Status)>;
  // Nobody waits any more: a read is stopped, no further statement is begun, no callback comes. Whenever; once
  // everything is answered it does nothing.
  using Cancel = std::function<void()>;
  struct Counters {
    int64_t running = 0;  // reads, until their work has ended
    uint64_t timed_out = 0;
    uint64_t cancelled = 0;
  };
  SqlService(sql::Definitions& definitions, engine::ViewReads* views /* null: no processor here */,
             engine::StreamReads& streams, engine::Background& background, const Clock& clock,
             std::shared_ptr<ReadBudget> budget = std::make_shared<ReadBudget>(),
             Ingest* ingest = nullptr /* no INSERT here */);
  ~SqlService();
  Cancel execute(TenantId tenant, const SqlText& text, Each each, Done done);
  engine::ViewReads* views() const;  // as it was given

  void use(EventSchemas& schemas);  // likewise: CREATE STREAM … WITH (schema = …)
  void set_statement_timeout(std::chrono::milliseconds most);  // 0: none
  void expire();                                               // ends what has read too long
  int64_t wait_us() const;                                     // until there is something to expire
  Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::gateway
