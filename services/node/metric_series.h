// The /metrics/full page: series of each stream, query and tenant, by name.
//
// Bound: the oldest kMost… of each have series of their own. The others are one series, labelled other="true": the
//        sum of counters and bytes, the largest lag. millrace_metrics_folded says how many those are.
// Cost:  some milliseconds of the core loop at the bounds.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "event-gateway/dead_letters.h"
#include "event-gateway/gateway.h"
#include "log/journal.h"
#include "node/event_times.h"
#include "sql/catalog.h"
#include "stream-processor/processor.h"

namespace millrace::node {

inline constexpr size_t kMostStreamSeries = 200;  // with three histograms each
inline constexpr size_t kMostQuerySeries = 1000;
inline constexpr size_t kMostTenantSeries = 1000;
inline constexpr std::array<std::string_view, EventTimes::kStages> kStageNames = {"stored", "stepped",
                                                                                  "delivered"};

inline double number(uint64_t value) {
  return static_cast<double>(value);
}

struct SeriesSource {
  log::Journal& journal;
  const gateway::Ingest& ingest;
  const gateway::DeadLetters& letters;
  const sql::Catalog& catalog;
  processor::Processor* processor;  // null: none here
  const EventTimes& times;
};
// Of all tenants, or of one that must not see the others.
std::string render_series(const SeriesSource& source, std::optional<TenantId> only);

}  // namespace millrace::node
