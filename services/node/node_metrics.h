// NodeMetrics: the /metrics page of a node. Modules count in fields of their own; here they get their names.
#pragma once

#include <optional>
#include <string>

#include "event-gateway/dead_letters.h"
#include "event-gateway/gateway.h"
#include "event-store/stream_reads.h"
#include "log/journal.h"
#include "stream-processor/processor.h"
#include "telemetry/histogram.h"

namespace millrace::node {

struct NodeMetrics {
  telemetry::Histogram processing;  // microseconds, from a frame's appending to its outputs being ready
  uint64_t retention_runs = 0;

  // `processor` and `spill` may be null: a node that only takes in.
  std::string render(log::Journal& journal, const gateway::Ingest& ingest,
                     const event_store::StreamStore& streams, const processor::Processor* processor,
                     const state::SpillSpace* spill) const;
};

// What each tenant does, as series of its name: of all, or of one that must not see the others.
std::string render_tenants(log::Journal& journal, const gateway::Ingest& ingest,
                           const gateway::DeadLetters& letters, const sql::Catalog& catalog,
                           std::optional<TenantId> only);

std::string render_statements(const gateway::SqlService::Counters& counters);

}  // namespace millrace::node
