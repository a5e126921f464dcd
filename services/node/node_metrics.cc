#include "node/node_metrics.h"

#include <algorithm>
#include <optional>

#include "node/metric_series.h"
#include "telemetry/prometheus.h"

namespace millrace::node {
namespace {

using telemetry::PrometheusText;

constexpr double kMicrosecond = 1e-6;

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
  page.counter("millrace_dead_letters_total", "Dead letters that queries wrote.", number(c.dead_letters));
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

void render_ingest(PrometheusText& page, const gateway::Ingest& ingest) {
  const auto& c = ingest.accounts();
  page.family("millrace_ingest_requests_total", "counter", "Ingest requests, by how they were answered.");
  page.sample(number(c.accepted_requests), {{"result", "accepted"}});
  page.sample(number(c.replayed_requests), {{"result", "replayed"}});
  for (size_t i = 0; i < c.refused_requests.size(); ++i) {
    page.sample(number(c.refused_requests[i]),
                {{"result", "refused"}, {"reason", name_of(static_cast<gateway::Refusal>(i))}});
  }
  page.counter(
      "millrace_ingest_received_events_total",
      "Events of requests that were taken apart: stored, rejected, duplicate and kept as dead letters.",
      number(c.received_events));
  page.counter("millrace_ingest_events_total", "Events stored.", number(c.stored_events));
  page.family("millrace_ingest_rejected_events_total", "counter", "Events that were not stored.");
  for (size_t i = 0; i < c.rejected_events.size(); ++i) {
    page.sample(number(c.rejected_events[i]), {{"reason", name_of(static_cast<gateway::Rejection>(i))}});
  }
  page.counter("millrace_ingest_duplicate_events_total", "Events that the stream had already.",
               number(c.duplicate_events));
  page.counter("millrace_ingest_dead_letters_total", "Events that did not fit, kept as dead letters.",
               number(c.dead_letters));
  page.counter("millrace_ingest_bytes_total", "Bytes of accepted requests' bodies.",
               number(ingest.accepted_bytes()));
  page.gauge("millrace_ingest_waiting", "Requests that wait for the disk, or for the schema of a value.",
             number(ingest.waiting()));
  page.family("millrace_ingest_request_events", "histogram", "Events stored of an accepted request.");
  page.histogram(c.events_a_request, telemetry::kCountScale);
}

// How far the queries are, in few numbers; /metrics/full has each of them.
void render_queries(PrometheusText& page, processor::Processor& processor, log::Journal& journal) {
  constexpr uint64_t kFarFrames = 1024;
  double running = 0, building = 0, paused = 0, failed = 0, frames = 0, state_bytes = 0;
  std::optional<int64_t> watermark;
  const Cut end = journal.end_cut();
  for (const auto& query : processor.query_gauges()) {
    state_bytes += number(query.state_bytes);
    const uint64_t behind = end.value - std::min(query.position, end).value;
    ++(query.failed ? failed : query.paused ? paused : behind > kFarFrames ? building : running);
    if (query.failed || query.paused) continue;
    frames = std::max(frames, number(behind));
    if (query.watermark_us) watermark = std::min(watermark.value_or(INT64_MAX), *query.watermark_us);
  }
  page.family("millrace_queries", "gauge", "Views and derived streams, by state.");
  page.sample(running, {{"state", "running"}});
  page.sample(building, {{"state", "building"}});
  page.sample(paused, {{"state", "paused"}});
  page.sample(failed, {{"state", "failed"}});
  page.gauge("millrace_queries_state_bytes", "State of all queries.", state_bytes);
  page.gauge("millrace_queries_lag_frames", "Frames of the log that the furthest behind has not taken.",
             frames);
  page.family("millrace_queries_watermark_lag_seconds", "gauge",
              "The wall clock, less the oldest watermark of a running query; no sample while none has one.");
  if (watermark) page.sample(static_cast<double>(journal.now().value - *watermark) * kMicrosecond);
}

void render_times(PrometheusText& page, const EventTimes& times) {
  page.family(
      "millrace_event_latency_seconds", "histogram",
      "From an event's arrival until it is on the disk, taken in by all queries, at a live subscriber.");
  for (size_t stage = 0; stage < EventTimes::kStages; ++stage) {
    page.histogram(times.totals()[stage], telemetry::kSecondsScale, {{"stage", kStageNames[stage]}});
  }
}

}  // namespace

std::string render_traces(const SpanExporter::Counters& c) {
  PrometheusText page;
  page.counter("millrace_trace_spans_total", "Spans that the collector has taken.", number(c.sent));
  page.family("millrace_trace_dropped_spans_total", "counter", "Spans that it has not, and will not.");
  page.sample(number(c.dropped_full), {{"reason", "full"}});
  page.sample(number(c.dropped_failed), {{"reason", "failed"}});
  page.counter("millrace_trace_export_failures_total", "Requests that the collector did not take, or answer.",
               number(c.failures));
  page.gauge("millrace_trace_waiting_spans", "Spans that are to be sent.", number(c.waiting));
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
                                const event_store::StreamStore& streams, processor::Processor* processor,
                                const state::SpillSpace* spill) const {
  PrometheusText page;
  render_journal(page, journal);
  page.family("millrace_journal_sync_seconds", "histogram",
              "A group of frames, from its handing over to the disk until the disk has it.");
  page.histogram(sync_us, telemetry::kSecondsScale);
  page.family("millrace_journal_sync_bytes", "histogram", "Bytes of such a group.");
  page.histogram(sync_bytes, telemetry::kBytesScale);
  render_ingest(page, ingest);
  render_times(page, times);
  page.gauge("millrace_stream_followers", "Readers that follow a stream.", number(streams.followers()));
  page.counter("millrace_retention_runs_total", "Times that expired segments were freed.",
               number(retention_runs));
  if (processor != nullptr) {
    render_processor(page, processor->counters(), processing);
    page.family("millrace_snapshot_seconds", "histogram", "Writing a snapshot.");
    page.histogram(snapshot_us, telemetry::kSecondsScale);
    page.family("millrace_snapshot_size_bytes", "histogram", "What a snapshot wrote.");
    page.histogram(snapshot_bytes, telemetry::kBytesScale);
    page.gauge("millrace_snapshot_last_timestamp_seconds",
               "When the last one was written, Unix time; 0: none yet.",
               static_cast<double>(last_snapshot.value) * kMicrosecond);
    render_queries(page, *processor, journal);
  }
  if (spill != nullptr) render_state(page, spill->counters());
  return page.take();
}

}  // namespace millrace::node
