#include "event-gateway/schema_checks.h"

#include <set>
#include <utility>

namespace millrace::gateway {
namespace {

// The tenant's, that are made with the subject, as far as the caller sees them.
std::vector<const sql::Catalog::Entry*> streams_with(const sql::Catalog& catalog,
                                                     const SchemaChecks::Asked& asked) {
  std::vector<const sql::Catalog::Entry*> out;
  for (const auto* entry : catalog.entries(asked.tenant)) {
    if (entry->stream == nullptr || entry->stream->schema.subject != asked.schema.subject) continue;
    if (sees(asked.caller, entry->stream->name)) out.push_back(entry);
  }
  return out;
}

bool may_read(const CallerPtr& caller, const std::string& name) {
  return caller == nullptr || caller->scopes.allows(Scope::kRead, name) ||
         caller->scopes.allows(Scope::kQuery, name);
}

Result<std::vector<BrokenObject>> broken_of(const sql::Catalog& catalog,
                                            const std::vector<const sql::Catalog::Entry*>& streams,
                                            const ExaminedSchema& examined, const CallerPtr& caller) {
  if (!examined.columns.ok()) return examined.columns.error();
  std::map<int32_t, SchemaColumns> before;
  for (const auto& [id, columns] : examined.columns_of) {
    if (columns.ok()) before[id] = *columns;
  }
  auto broken = broken_by(catalog, streams, before, *examined.columns);
  std::erase_if(broken, [&](const BrokenObject& one) { return !sees(caller, one.name); });
  return broken;
}

}  // namespace

struct SchemaChecks::Run {
  Asked asked;
  Done done;
  sql::CatalogPtr catalog;
  std::vector<const sql::Catalog::Entry*> streams;
  std::shared_ptr<EventSchema> check;
  const std::shared_ptr<TrialBudget> budget = std::make_shared<TrialBudget>();
  Verdict verdict;
};

std::function<void()> SchemaChecks::check(Asked asked, Done done) {
  const auto refuse = [&](Error why) {
    done(std::move(why));
    return [] {};
  };
  if (schemas_ == nullptr) return refuse(no_registry());
  const auto of_tenant = running_of_.find(asked.tenant);
  if (running_ >= kMostAtOnce || (of_tenant != running_of_.end() && of_tenant->second >= kMostOfATenant)) {
    return refuse(
        error(Code::kExhausted, "MR-SCH-0008", "too many schemas are being checked", "try again shortly"));
  }
  take_place(asked.tenant);
  const auto run = std::make_shared<Run>();
  run->asked = std::move(asked);
  run->done = [this, tenant = run->asked.tenant, done = std::move(done)](Result<Verdict> verdict) {
    free_place(tenant);
    done(std::move(verdict));
  };
  run->catalog = definitions_.catalog();
  run->streams = streams_with(*run->catalog, run->asked);
  std::set<int32_t> ids;
  for (const auto* entry : run->streams) ids.insert(entry->stream->schema.id);
  schemas_->examine(run->asked.tenant, run->asked.schema, {ids.begin(), ids.end()},
                    [this, run](Result<ExaminedSchema> examined) { judge(run, std::move(examined)); });
  return [budget = run->budget] { budget->gone = true; };
}

void SchemaChecks::take_place(TenantId tenant) {
  ++running_;
  ++running_of_[tenant];
}

void SchemaChecks::free_place(TenantId tenant) {
  --running_;
  if (--running_of_[tenant] == 0) running_of_.erase(tenant);
}

void SchemaChecks::judge(const std::shared_ptr<Run>& run, Result<ExaminedSchema> examined) {
  if (!examined.ok()) return run->done(examined.error());
  if (run->budget->gone) return run->done(std::move(run->verdict));
  const auto found = std::make_shared<ExaminedSchema>(std::move(*examined));
  run->check = found->check;
  run->verdict.level = found->level;
  run->verdict.messages = found->messages;
  run->budget->bytes = kMostBytes;
  run->budget->until_ns = services_.clock.monotonic_ns() + std::chrono::nanoseconds(kLongest).count();
  auto work = [run, found] {
    run->verdict.broken = broken_of(*run->catalog, run->streams, *found, run->asked.caller);
  };
  auto done = [this, run] { try_streams(run); };
  if (!services_.background.run(engine::Lane::kReads, std::move(work), std::move(done)))
    run->done(error(Code::kExhausted, "MR-QRY-0004", "too many queries are waiting", "try again shortly"));
}

// A trial may end before its call returns: the loop goes on then, so that no number of streams is one of calls in each other.
void SchemaChecks::try_streams(const std::shared_ptr<Run>& run) {
  while (!run->budget->gone && run->verdict.streams.size() < run->streams.size()) {
    const engine::StreamPtr stream = run->streams[run->verdict.streams.size()]->stream;
    run->verdict.streams.push_back({stream, {}});
    if (run->asked.events == 0 || !may_read(run->asked.caller, stream->name)) continue;
    const auto returned = std::make_shared<bool>(false);
    try_events(services_, stream, run->check, run->asked.events, run->budget,
               [this, run, returned](TriedEvents tried) {
                 run->verdict.streams.back().events = std::move(tried);
                 if (*returned) try_streams(run);
               });
    *returned = true;
    if (!run->verdict.streams.back().events) return;
  }
  run->done(std::move(run->verdict));
}

}  // namespace millrace::gateway
