#include "node/node_metrics.h"

#include <map>

#include "event-gateway/inventory.h"
#include "telemetry/prometheus.h"

namespace millrace::node {
namespace {

using telemetry::PrometheusText;

double number(uint64_t value) {
  return static_cast<double>(value);
}

void render_journal(PrometheusText& page, log::Journal& journal) {
  const auto& c = journal.counters();
  const auto& found = journal.recovery();
  page.counter("millrace_journal_frames_total", "Frames appended.", number(c.frames));
  page.counter("millrace_journal_appended_bytes_total", "Bytes appended, headers and padding included.",
               number(c.bytes));
  page.counter("millrace_journal_syncs_total", "Groups of frames written and synced.", number(c.syncs));
  page.counter("millrace_journal_segment_changes_total", "Segments begun.", number(c.segment_changes));
  page.gauge("millrace_journal_end_cut", "The last frame appended.", number(journal.end_cut().value));
  page.gauge("millrace_journal_durable_cut", "The last frame that is safe.",
             number(journal.durable_cut().value));
  page.gauge("millrace_journal_first_cut", "The oldest frame kept.", number(journal.first_cut().value));
  page.gauge("millrace_journal_disk_low", "1: ingest is refused, the disk is nearly full.",
             journal.disk_low() ? 1 : 0);
  page.counter("millrace_journal_clock_jumps_total", "Jumps of the wall clock.",
               number(journal.clock_jumps()));
  page.gauge("millrace_journal_damaged_frames", "Unreadable frames that the start found.",
             number(found.damage.size()));
  page.gauge("millrace_journal_discarded_tail_bytes", "Torn, never acknowledged bytes that the start found.",
             number(found.discarded_tail_bytes));
}

void render_processor(PrometheusText& page, const processor::Processor::Counters& c,
                      const telemetry::Histogram& processing) {
  page.counter("millrace_steps_total", "Steps that were recorded.", number(c.steps));
  page.counter("millrace_output_records_total", "Records that queries wrote.", number(c.output_records));
  page.counter("millrace_snapshots_total", "Snapshots written.", number(c.snapshots));
  page.counter("millrace_snapshot_bytes_total", "Bytes of snapshots written.", number(c.snapshot_bytes));
  page.counter("millrace_snapshot_failures_total", "Snapshots that could not be written.",
               number(c.snapshot_failures));
  page.counter("millrace_failed_queries_total", "Queries that stopped with an error.",
               number(c.failed_queries));
  page.counter("millrace_null_on_error_total", "Expressions that failed and gave NULL (on_error = 'null').",
               number(c.nulls));
  page.summary_seconds("millrace_processing_seconds",
                       "From an event in a worker's reach to its output ready.", processing);
}

void render_state(PrometheusText& page, const state::SpillSpace::Counters& c) {
  page.gauge("millrace_state_memory_bytes", "The queries' state in memory.", number(c.memory_bytes));
  page.gauge("millrace_state_spilled_bytes", "The queries' state that is on the disk instead.",
             number(c.spilled_bytes));
  page.gauge("millrace_state_file_bytes", "The file that it is in.", number(c.file_bytes));
  page.counter("millrace_state_pages_written_total", "Pages of state moved to the disk.",
               number(c.pages_written));
  page.counter("millrace_state_pages_read_total", "Pages of state read back.", number(c.pages_read));
}

struct TenantRow {
  gateway::TenantCounts counts;
  gateway::Ingest::TenantCounters ingest;
  uint64_t dead_letters = 0;
  uint64_t redriven = 0;
};

// Dead letters ever written: offsets begin at 0 and have no gaps.
uint64_t dead_letters_of(log::Journal& journal, const sql::Catalog& catalog, TenantId tenant) {
  const auto stream = catalog.dead_letters(tenant);
  if (stream == nullptr) return 0;
  const auto range = journal.range({stream->id, PartitionId(0)});
  return range.ok() ? static_cast<uint64_t>(range->end.value) : 0;
}

std::map<TenantId, TenantRow> tenant_rows(log::Journal& journal, const gateway::Ingest& ingest,
                                          const gateway::DeadLetters& letters, const sql::Catalog& catalog,
                                          std::optional<TenantId> only) {
  const auto counters = ingest.by_tenant();
  std::map<TenantId, TenantRow> rows;
  for (const auto& [tenant, counts] : gateway::tenants_of(catalog, only)) {
    TenantRow& row = rows[tenant];
    row.counts = counts;
    if (const auto found = counters.find(tenant); found != counters.end()) row.ingest = found->second;
    row.dead_letters = dead_letters_of(journal, catalog, tenant);
    row.redriven = letters.redriven(tenant);
  }
  return rows;
}

}  // namespace

std::string render_tenants(log::Journal& journal, const gateway::Ingest& ingest,
                           const gateway::DeadLetters& letters, const sql::Catalog& catalog,
                           std::optional<TenantId> only) {
  const auto rows = tenant_rows(journal, ingest, letters, catalog, only);
  PrometheusText page;
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    page.family(name, type, help);
    for (const auto& [tenant, row] : rows) page.sample(number(value(row)), {{"tenant", row.counts.name}});
  };
  family("millrace_tenant_ingest_events_total", "counter", "Events accepted.",
         [](const TenantRow& r) { return r.ingest.accepted_events; });
  family("millrace_tenant_ingest_bytes_total", "counter", "Bytes of accepted requests' bodies.",
         [](const TenantRow& r) { return r.ingest.accepted_bytes; });
  family("millrace_tenant_rejected_events_total", "counter", "Events that were not valid.",
         [](const TenantRow& r) { return r.ingest.rejected_events; });
  family("millrace_tenant_refused_requests_total", "counter",
         "Ingest requests answered with an error: over the quota, no such stream, …",
         [](const TenantRow& r) { return r.ingest.refused_requests; });
  family("millrace_tenant_waiting_bytes", "gauge", "Bytes that wait for the disk.",
         [](const TenantRow& r) { return r.ingest.waiting_bytes; });
  family("millrace_tenant_dead_letters_total", "counter", "Dead letters ever written.",
         [](const TenantRow& r) { return r.dead_letters; });
  family("millrace_tenant_dead_letters_redriven_total", "counter", "Dead letters given to their query again.",
         [](const TenantRow& r) { return r.redriven; });
  family("millrace_tenant_streams", "gauge", "Streams, derived ones included.",
         [](const TenantRow& r) { return r.counts.streams; });
  family("millrace_tenant_views", "gauge", "Materialized views.",
         [](const TenantRow& r) { return r.counts.views; });
  return page.take();
}

std::string render_statements(const gateway::SqlService::Counters& c) {
  PrometheusText page;
  page.gauge("millrace_sql_running", "Statements that read: until the work for them has ended.",
             static_cast<double>(c.running));
  page.counter("millrace_sql_timeouts_total", "Statements that read longer than they may.",
               number(c.timed_out));
  page.counter("millrace_sql_cancelled_total", "SQL requests whose client had gone.", number(c.cancelled));
  return page.take();
}

std::string NodeMetrics::render(log::Journal& journal, const gateway::Ingest& ingest,
                                const event_store::StreamStore& streams,
                                const processor::Processor* processor, const state::SpillSpace* spill) const {
  PrometheusText page;
  render_journal(page, journal);
  page.counter("millrace_ingest_events_total", "Events accepted.", number(ingest.accepted_events()));
  page.counter("millrace_ingest_bytes_total", "Bytes of accepted requests' bodies.",
               number(ingest.accepted_bytes()));
  page.gauge("millrace_ingest_waiting", "Requests that wait for the disk.", number(ingest.waiting()));
  page.gauge("millrace_stream_followers", "Readers that follow a stream.", number(streams.followers()));
  page.counter("millrace_retention_runs_total", "Times that expired segments were freed.",
               number(retention_runs));
  if (processor != nullptr) render_processor(page, processor->counters(), processing);
  if (spill != nullptr) render_state(page, spill->counters());
  return page.take();
}

}  // namespace millrace::node
