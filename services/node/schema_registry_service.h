// SchemaRegistryService: the schema registry beside the core loop: a thread of its own, between the HTTP server and the store.
//
// Threads: everything here on the core loop; the registry runs on the thread, one request after the other.
// Bound:   kMaxWaiting requests wait; more are refused (MR-REG-0004).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "engine/plan.h"
#include "event-gateway/event_schemas.h"
#include "event-gateway/http_server.h"
#include "node/background.h"
#include "schema-registry/api.h"

namespace millrace::node {

class SchemaRegistryService {
 public:
  static constexpr size_t kMaxWaiting = 1'024;

  struct Options {
    std::string directory;
    std::string postgres;  // a connection string; empty: a file in the directory
    registry::RegistryApi::Profile profile = registry::RegistryApi::Profile::kCurrent;
  };
  // Reads all that the store has. MR-REG-0001, MR-REG-0002, MR-META-…
  static Result<std::unique_ptr<SchemaRegistryService>> open(Files& files, const Clock& clock,
                                                             const Options& options);

  gateway::OtherApi api();
  // By its id, if that is said: its version then is the one of that, or 0. Or a subject's version, 0: its latest.
  using Found = Result<registry::Registry::FoundSchema>;
  void find_schema(const std::string& tenant, const engine::SchemaRef& schema,
                   std::function<void(Found)> done);
  // See schema_proposal.h.
  void examine(const std::string& tenant, gateway::ProposedSchema schema, std::vector<int32_t> ids,
               std::function<void(Result<gateway::ExaminedSchema>)> done);
  // "sqlite", once a copy of its file is there (registry_copy.h); "postgresql".
  void copy(std::function<void(Result<std::string>)> done);
  void set_wake(std::function<void()> wake) { background_.set_wake(std::move(wake)); }
  void take_done() { background_.take_done(); }  // answers what is ready

 private:
  SchemaRegistryService(Files& files, std::unique_ptr<registry::Store> store, const Clock& clock,
                        const Options& options);
  void handle(const gateway::HttpRequest& request, const gateway::HttpReply& reply);

  Files& files_;
  const std::string directory_;  // that has its file; empty: a database does
  registry::Registry registry_;
  registry::RegistryApi api_;
  // Clients wait for nearly all of it, and nearly all is a look into memory: at equal rights.
  ThreadBackground background_{kMaxWaiting, 0};  // behind what it uses
};

}  // namespace millrace::node
