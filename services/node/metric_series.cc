#include "node/metric_series.h"

#include <algorithm>
#include <map>
#include <vector>

#include "event-gateway/inventory.h"
#include "telemetry/prometheus.h"

namespace millrace::node {
namespace {

using processor::Processor;
using telemetry::PrometheusText;

std::string_view tenant_name(const sql::Catalog& catalog, TenantId tenant) {
  const std::string* name = catalog.tenant_name(tenant);
  return name == nullptr ? std::string_view() : *name;
}

struct TenantRow {
  gateway::TenantCounts counts;
  gateway::Ingest::TenantCounters ingest;
  uint64_t dead_letters = 0;
  uint64_t redriven = 0;

  void add(const TenantRow& row) {
    ingest.accepted_events += row.ingest.accepted_events;
    ingest.accepted_bytes += row.ingest.accepted_bytes;
    ingest.rejected_events += row.ingest.rejected_events;
    ingest.refused_requests += row.ingest.refused_requests;
    ingest.waiting_bytes += row.ingest.waiting_bytes;
    dead_letters += row.dead_letters;
    redriven += row.redriven;
    counts.streams += row.counts.streams;
    counts.views += row.counts.views;
  }
};

// Dead letters ever written: offsets begin at 0 and have no gaps.
uint64_t dead_letters_of(log::Journal& journal, const sql::Catalog& catalog, TenantId tenant) {
  const auto stream = catalog.dead_letters(tenant);
  if (stream == nullptr) return 0;
  const auto range = journal.range({stream->id, PartitionId(0)});
  return range.ok() ? static_cast<uint64_t>(range->end.value) : 0;
}

std::map<TenantId, TenantRow> tenant_rows(const SeriesSource& source, std::optional<TenantId> only) {
  const auto counters = source.ingest.by_tenant();
  std::map<TenantId, TenantRow> rows;
  for (const auto& [tenant, counts] : gateway::tenants_of(source.catalog, only)) {
    TenantRow& row = rows[tenant];
    row.counts = counts;
    if (const auto found = counters.find(tenant); found != counters.end()) row.ingest = found->second;
    row.dead_letters = dead_letters_of(source.journal, source.catalog, tenant);
    row.redriven = source.letters.redriven(tenant);
  }
  return rows;
}

struct StreamRow {
  std::string_view tenant, name;
  uint64_t events = 0;
  EventTimes::Histograms times;
};

uint64_t events_of(log::Journal& journal, const engine::StreamDef& stream) {
  uint64_t events = 0;
  for (uint16_t p = 0; p < stream.partitions; ++p) {
    const auto range = journal.range({stream.id, PartitionId(p)});
    if (range.ok()) events += static_cast<uint64_t>(range->end.value);
  }
  return events;
}

class Series {
 public:
  Series(const SeriesSource& source, std::optional<TenantId> only) : source_(source), only_(only) {}

  std::string render() {
    tenants();
    streams();
    if (source_.processor != nullptr) queries();
    page_.family("millrace_metrics_folded", "gauge", "Things whose series are in other=\"true\", by kind.");
    for (const auto& [kind, count] : folded_) page_.sample(number(count), {{"kind", kind}});
    return page_.take();
  }

 private:
  bool hidden(TenantId tenant) const { return only_ && tenant != *only_; }
  void tenants();
  void streams();
  void queries();

  const SeriesSource& source_;
  const std::optional<TenantId> only_;
  PrometheusText page_;
  std::map<std::string_view, uint64_t> folded_;
};

void Series::tenants() {
  auto rows = tenant_rows(source_, only_);
  std::optional<TenantRow> other;
  const auto last = std::next(rows.begin(), static_cast<ptrdiff_t>(std::min(rows.size(), kMostTenantSeries)));
  folded_["tenants"] = rows.size() - std::min(rows.size(), kMostTenantSeries);
  for (auto row = last; row != rows.end(); ++row) {
    if (!other) other.emplace();
    other->add(row->second);
  }
  rows.erase(last, rows.end());
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    page_.family(name, type, help);
    for (const auto& [tenant, row] : rows) page_.sample(number(value(row)), {{"tenant", row.counts.name}});
    if (other) page_.sample(number(value(*other)), {{"other", "true"}});
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
  family("millrace_tenant_dead_letters_redriven_total", "counter",
         "Dead letters given to their query, or their stream, again.",
         [](const TenantRow& r) { return r.redriven; });
  family("millrace_tenant_streams", "gauge", "Streams, derived ones included.",
         [](const TenantRow& r) { return r.counts.streams; });
  family("millrace_tenant_views", "gauge", "Materialized views.",
         [](const TenantRow& r) { return r.counts.views; });
}

// Of the folded ones a tenant is told only if it may see all: what is beyond the bound is what remains of the totals.
void Series::streams() {
  std::vector<StreamRow> rows;
  StreamRow other;
  if (!only_) other.times = source_.times.totals();
  uint64_t& folded = folded_["streams"] = 0;
  for (const auto* entry : source_.catalog.all()) {
    const auto& definition = entry->definition;
    if (entry->stream == nullptr || definition.kind == metadata::DefinitionKind::kTenant) continue;
    if (hidden(definition.tenant)) continue;
    const uint64_t events = events_of(source_.journal, *entry->stream);
    if (rows.size() == kMostStreamSeries) {
      ++folded;
      other.events += events;
      continue;
    }
    StreamRow& row = rows.emplace_back();
    row.tenant = tenant_name(source_.catalog, definition.tenant);
    row.name = definition.name;
    row.events = events;
    const auto* times = source_.times.of(entry->stream->id);
    if (times == nullptr) continue;
    row.times = *times;
    for (size_t s = 0; !only_ && s < EventTimes::kStages; ++s) other.times[s].subtract((*times)[s]);
  }
  page_.family("millrace_stream_events_total", "counter", "Events ever stored, by stream.");
  for (const auto& row : rows)
    page_.sample(number(row.events), {{"tenant", row.tenant}, {"stream", row.name}});
  if (folded > 0) page_.sample(number(other.events), {{"other", "true"}});
  page_.family(
      "millrace_stream_event_latency_seconds", "histogram",
      "As millrace_event_latency_seconds, by stream; a view's subscribers count to the stream it reads.");
  for (const auto& row : rows) {
    for (size_t s = 0; s < EventTimes::kStages; ++s) {
      if (row.times[s].count() == 0) continue;
      page_.histogram(row.times[s], telemetry::kCoarseSecondsScale,
                      {{"tenant", row.tenant}, {"stream", row.name}, {"stage", kStageNames[s]}});
    }
  }
  for (size_t s = 0; s < EventTimes::kStages; ++s) {
    if (other.times[s].count() == 0) continue;
    page_.histogram(other.times[s], telemetry::kCoarseSecondsScale,
                    {{"stage", kStageNames[s]}, {"other", "true"}});
  }
}

struct QueryRow {
  std::string_view tenant, name;
  double state_bytes = 0, lag_frames = 0;
  bool failed = false, paused = false;
  std::optional<double> watermark_lag_s;
};

void Series::queries() {
  std::vector<QueryRow> rows;
  QueryRow other;
  uint64_t& folded = folded_["queries"] = 0;
  const Cut end = source_.journal.end_cut();
  const auto all = source_.processor->query_gauges();  // holds the names
  for (const auto& query : all) {
    if (hidden(query.plan->tenant)) continue;
    QueryRow row{tenant_name(source_.catalog, query.plan->tenant), query.plan->name};
    row.state_bytes = number(query.state_bytes);
    row.lag_frames = number(end.value - std::min(query.position, end).value);
    row.failed = query.failed;
    row.paused = query.paused;
    if (query.watermark_us)
      row.watermark_lag_s = static_cast<double>(source_.journal.now().value - *query.watermark_us) * 1e-6;
    if (rows.size() < kMostQuerySeries) {
      rows.push_back(row);
      continue;
    }
    ++folded;
    other.state_bytes += row.state_bytes;
    other.lag_frames = std::max(other.lag_frames, row.lag_frames);
    other.failed |= row.failed;
    other.paused |= row.paused;
    if (row.watermark_lag_s)
      other.watermark_lag_s = std::max(other.watermark_lag_s.value_or(-1e18), *row.watermark_lag_s);
  }
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    page_.family(name, "gauge", help);
    for (const auto& row : rows) {
      const std::optional<double> sample = value(row);
      if (sample) page_.sample(*sample, {{"tenant", row.tenant}, {"query", row.name}});
    }
    const std::optional<double> sample = value(other);
    if (folded > 0 && sample) page_.sample(*sample, {{"other", "true"}});
  };
  using Sample = std::optional<double>;
  family("millrace_query_state_bytes", "State in memory and on the disk.",
         [](const QueryRow& r) -> Sample { return r.state_bytes; });
  family("millrace_query_lag_frames", "Frames of the log that it has not taken.",
         [](const QueryRow& r) -> Sample { return r.lag_frames; });
  family(
      "millrace_query_watermark_lag_seconds",
      "The wall clock, less the watermark; no sample where nothing closes by one, or no partition is active.",
      [](const QueryRow& r) { return r.watermark_lag_s; });
  family("millrace_query_failed", "1: it stopped with an error.",
         [](const QueryRow& r) -> Sample { return r.failed ? 1 : 0; });
  family("millrace_query_paused", "1: it stands still.",
         [](const QueryRow& r) -> Sample { return r.paused ? 1 : 0; });
}

}  // namespace

std::string render_series(const SeriesSource& source, std::optional<TenantId> only) {
  return Series(source, only).render();
}

}  // namespace millrace::node
