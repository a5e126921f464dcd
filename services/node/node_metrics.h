// NodeMetrics: the /metrics page of a node. Modules count in fields of their own; here they get their names.
#pragma once

#include <string>

#include "event-gateway/gateway.h"
#include "event-store/stream_reads.h"
#include "log/journal.h"
#include "stream-processor/processor.h"
#include "telemetry/histogram.h"

namespace millrace::node {

struct NodeMetrics {
  telemetry::Histogram processing;  // microseconds, from a frame's appending to its outputs being ready
  uint64_t retention_runs = 0;

  // `processor` may be null: a node that only takes in.
  std::string render(log::Journal& journal, const gateway::Ingest& ingest,
                     const event_store::StreamStore& streams, const processor::Processor* processor) const;
};

}  // namespace millrace::node
