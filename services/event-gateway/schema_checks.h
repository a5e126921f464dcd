// SchemaChecks: what would become of a subject's streams if a schema were its next version: which of their last events do not fit,
// and what SQL has made of them that could not go on. Registers and changes nothing.
//
// Bound:   kMostAtOnce checks, kMostOfATenant of them one tenant's, so that no tenant has all places; of each kMostEvents events a stream, kMostBytes and kLongest in all.
// Threads: the core loop's; the schema is parsed on the registry's thread, events are judged on Background.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event-gateway/caller.h"
#include "event-gateway/event_trial.h"
#include "event-gateway/schema_impact.h"
#include "sql/definitions.h"

namespace millrace::gateway {

class SchemaChecks {
 public:
  static constexpr size_t kMostAtOnce = 4;
  static constexpr size_t kMostOfATenant = 2;
  static constexpr size_t kMostEvents = 10'000;
  static constexpr size_t kMostBytes = 64u << 20;
  static constexpr std::chrono::seconds kLongest{10};

  struct Asked {
    TenantId tenant;
    CallerPtr caller;  // sees what it may see elsewhere; events are tried of streams that it reads or queries
    ProposedSchema schema;
    size_t events = 0;  // of each stream; 0: none are tried
  };
  struct Stream {
    engine::StreamPtr stream;
    std::optional<TriedEvents> events;  // nothing: they were not tried
  };
  struct Verdict {
    std::string level;
    std::vector<std::string> messages;  // what stands against it by the level
    std::vector<Stream> streams;
    Result<std::vector<BrokenObject>> broken = std::vector<BrokenObject>();  // MR-SCH-0002: nobody can say
  };
  using Done = std::function<void(Result<Verdict>)>;

  SchemaChecks(const TrialServices& services, const sql::Definitions& definitions)
      : services_(services), definitions_(definitions) {}
  void use(EventSchemas& schemas) { schemas_ = &schemas; }  // it outlives this

  // MR-SCH-0004: no registry here; MR-SCH-0008: too many at once; those of EventSchemas::examine. Whoever waits for the answer
  // and has gone calls what is returned: it ends early then, and its place is free.
  std::function<void()> check(Asked asked, Done done);

 private:
  struct Run;
  void take_place(TenantId tenant);
  void free_place(TenantId tenant);
  void judge(const std::shared_ptr<Run>& run, Result<ExaminedSchema> examined);
  void try_streams(const std::shared_ptr<Run>& run);  // the next ones

  const TrialServices services_;
  const sql::Definitions& definitions_;
  EventSchemas* schemas_ = nullptr;
  size_t running_ = 0;
  std::map<TenantId, size_t> running_of_;
};

}  // namespace millrace::gateway
