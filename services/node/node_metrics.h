// NodeMetrics: the /metrics page of a node: some hundred series, whatever it holds. Modules count in fields of their
// own; here they get their names. What grows with streams, queries and tenants is in metric_series.h.
#pragma once

#include <string>

#include "event-gateway/dead_letters.h"
#include "event-gateway/gateway.h"
#include "event-store/stream_reads.h"
#include "log/journal.h"
#include "node/event_times.h"
#include "node/span_exporter.h"
#include "stream-processor/processor.h"
#include "telemetry/histogram.h"
#include "telemetry/power_histogram.h"

namespace millrace::node {

struct NodeMetrics {
  EventTimes times;
  telemetry::Histogram processing;  // microseconds, from a frame's appending to its outputs being ready
  telemetry::PowerHistogram sync_us, sync_bytes;
  telemetry::PowerHistogram snapshot_us, snapshot_bytes;
  AppendTime last_snapshot;
  uint64_t retention_runs = 0;

  // `processor` and `spill` may be null: a node that only takes in.
  std::string render(log::Journal& journal, const gateway::Ingest& ingest,
                     const event_store::StreamStore& streams, processor::Processor* processor,
                     const state::SpillSpace* spill) const;
};

std::string render_traces(const SpanExporter::Counters& counters);
std::string render_statements(const gateway::SqlService::Counters& counters);

}  // namespace millrace::node
