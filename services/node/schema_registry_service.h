// SchemaRegistryService: the schema registry beside the core loop: a thread of its own, between the HTTP server and the store.
//
// Threads: everything here on the core loop; the registry runs on the thread, one request after the other. What it
//          changes is in the audit log before it is answered: the thread waits for that disk, too.
// Bound:   kMaxWaiting requests wait; more are refused (MR-REG-0004).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "engine/plan.h"
#include "event-gateway/audit_log.h"
#include "event-gateway/event_schemas.h"
#include "event-gateway/http_server.h"
#include "node/background.h"
#include "node/learnt_writers.h"
#include "node/registry_metrics.h"
#include "schema-registry/api.h"

namespace millrace::node {

class SchemaRegistryService {
 public:
  static constexpr size_t kMaxWaiting = 1'024;

  struct Options {
    std::string directory;
    std::string postgres;  // a connection string; empty: a file in the directory
    registry::RegistryApi::Profile profile = registry::RegistryApi::Profile::kCurrent;
    gateway::AuditLog* audit = nullptr;  // null: acts are not written down
    std::function<void(const Error&)> audit_failed;
  };
  // Reads all that the store has. MR-REG-0001, MR-REG-0002, MR-META-…
  static Result<std::unique_ptr<SchemaRegistryService>> open(Files& files, const Clock& clock,
                                                             const Options& options);

  gateway::OtherApi api();
  // By its id, if that is said: its version then is the one of that, or 0. Or a subject's version, 0: its latest.
  using Found = Result<registry::Registry::FoundSchema>;
  void find_schema(const std::string& tenant, const engine::SchemaRef& schema,
                   std::function<void(Found)> done);
  // What values for a subject name as their writers, each for the reader that its schema is; of each the error of the registry,
  // 40403 among them. The error of all: none could be asked for.
  using Writers = gateway::EventSchemas::Writers;
  using Learnt = Result<LearntWriter>;
  void learn_writers(const std::string& tenant, const std::string& subject, schema::SchemaPtr reader,
                     Writers writers, std::function<void(Result<std::vector<Learnt>>)> done);
  std::string metrics() const { return metrics_.render(registry_.usage().numbers(), waiting_); }
  // Of one tenant, or of all.
  std::string metrics_full(const std::optional<std::string>& tenant) const {
    return render_registry_tenants(registry_.usage().numbers(), tenant);
  }
  // Registers it, as a client of the API does; it is in the audit log as the caller's. What may be done to the subject is not
  // asked: the caller's right is that of the statement.
  void add_schema(const std::string& tenant, gateway::OutputSchema schema, gateway::CallerPtr caller,
                  std::function<void(Result<registry::Version>)> done);
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
  void refuse(gateway::HttpAnswer& problem);
  bool run(std::function<void()> work, std::function<void()> done);
  Status write_down(const gateway::CallerPtr& caller, const std::string& peer,
                    const registry::RegistryAnswer& answer) const;

  Files& files_;
  const std::string directory_;  // that has its file; empty: a database does
  const Clock& clock_;
  registry::Registry registry_;
  registry::RegistryApi api_;
  gateway::AuditLog* const audit_;
  const std::function<void(const Error&)> audit_failed_;
  RegistryMetrics metrics_;
  size_t waiting_ = 0;
  // Clients wait for nearly all of it, and nearly all is a look into memory: at equal rights.
  ThreadBackground background_{kMaxWaiting, 0};  // behind what it uses
};

}  // namespace millrace::node
