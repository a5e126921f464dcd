// RegistryEventSchemas: the schemas of streams' events, from the registry in this process.
//
// Threads: the core loop's; the registry looks up on its own thread.
// Order:   what a stream's definition names is looked up when it is first asked for, or at the start (expect()); until then
//          events are refused as unavailable, so that none is taken unchecked.
// Bound:   kMaxKept schemas; beyond it all are looked up again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "event-gateway/event_schemas.h"
#include "node/learnt_writers.h"
#include "node/schema_registry_service.h"
#include "sql/catalog.h"

namespace millrace::node {

class RegistryEventSchemas final : public gateway::EventSchemas {
 public:
  static constexpr size_t kMaxKept = 16'384;
  using TenantName = std::function<std::string(TenantId)>;

  RegistryEventSchemas(SchemaRegistryService& registry, TenantName tenant_name)
      : registry_(registry), tenant_name_(std::move(tenant_name)) {}

  void expect(const sql::Catalog& catalog);  // looks up what its streams name
  void find(TenantId tenant, const engine::SchemaRef& asked,
            std::function<void(Result<gateway::FoundSchema>)> done) override;
  void examine(TenantId tenant, gateway::ProposedSchema schema, std::vector<int32_t> ids,
               std::function<void(Result<gateway::ExaminedSchema>)> done) override;
  void add(TenantId tenant, gateway::OutputSchema schema, gateway::CallerPtr caller,
           std::function<void(Result<engine::SchemaRef>)> done) override;
  Result<std::unique_ptr<gateway::EventSchema>> of(const engine::StreamDef& stream) override;
  void learn(const engine::StreamDef& stream, Writers writers, std::function<void(Status)> done) override;
  bool knows(const engine::StreamDef& stream, const schema::WriterSchema& writer) const override;

 private:
  using Key = std::pair<TenantId, engine::SchemaRef>;
  struct Kept {
    bool asked = false;            // it is being looked up
    schema::SchemaPtr schema;      // null: not found yet
    std::optional<Error> failure;  // of the last look-up
  };
  Kept& keep(const Key& key);
  void look_up(const Key& key);

  SchemaRegistryService& registry_;
  const TenantName tenant_name_;
  std::map<Key, Kept> kept_;
  const std::shared_ptr<LearntWriters> writers_ = std::make_shared<LearntWriters>();
};

}  // namespace millrace::node
