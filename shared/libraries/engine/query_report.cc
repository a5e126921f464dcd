#include "engine/query_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::engine {
namespace {

std::string time_text(int64_t micros) {
  std::string out;
  append_timestamp(out, Timestamp{micros});
  return out;
}

std::string millis(int64_t ns) {
  return fmt::format("{:.3f} ms", static_cast<double>(ns) / 1e6);
}

// The lowest watermark among the partitions that are waited for; INT64_MAX: none is.
int64_t lowest(const QueryReport& report) {
  int64_t out = INT64_MAX;
  for (const auto& p : report.partitions) {
    if (p.seen && !p.idle) out = std::min(out, p.watermark_us);
  }
  return out;
}

std::string partition_text(const PartitionReport& p, int64_t low) {
  if (!p.seen) return "no event yet, not waited for";
  const std::string at = p.watermark_us == INT64_MIN ? "no event time yet" : time_text(p.watermark_us);
  if (p.idle) return at + ", idle, not waited for";
  return at + (p.watermark_us == low ? ", holds the watermark" : "");
}

}  // namespace

void StepCounters::add(const StepCounters& other) {
  steps += other.steps;
  batches += other.batches;
  rows += other.rows;
  undecodable += other.undecodable;
  filtered += other.filtered;
  late += other.late;
  kept_by_closed += other.kept_by_closed;
  failed += other.failed;
  nulls += other.nulls;
  outputs += other.outputs;
  decode_ns += other.decode_ns;
  filter_ns += other.filter_ns;
  shape_ns += other.shape_ns;
  merge_ns += other.merge_ns;
}

void QueryReport::add(const QueryReport& other) {
  partitions.insert(partitions.end(), other.partitions.begin(), other.partitions.end());
  std::sort(partitions.begin(), partitions.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  counters.add(other.counters);
  groups += other.groups;
  state_bytes += other.state_bytes;
}

std::string watermark_lines(const QueryPlan& plan, const QueryReport& report) {
  if (report.partitions.empty()) return "";
  const int64_t low = lowest(report);
  const bool any = low != INT64_MAX && low != INT64_MIN;
  std::string out =
      fmt::format("\n  -> Watermark of {}: {}", plan.source->name, any ? time_text(low) : "stands still");
  for (const auto& p : report.partitions) {
    out += fmt::format("\n    -> Partition {}: {}", p.partition.value, partition_text(p, low));
  }
  return out;
}

std::string analyze_lines(const QueryPlan& plan, const QueryReport& report) {
  const StepCounters& c = report.counters;
  std::string out = fmt::format("\n  -> Since the process started: {} steps, {} batches, {} records written",
                                c.steps, c.batches, c.outputs);
  out += fmt::format("\n    -> Decode: {} events, {} undecodable; {}, shared by all queries of {}", c.rows,
                     c.undecodable, millis(c.decode_ns), plan.source->name);
  const bool keeps = plan.updating() && plan.closes_windows();
  const std::string kept = keeps ? fmt::format(", {} kept by closed windows", c.kept_by_closed) : "";
  out += fmt::format("\n    -> Filter, late check: {} filtered, {} late{}; {}", c.filtered, c.late, kept,
                     millis(c.filter_ns));
  const char* shape = plan.shape == QueryPlan::Shape::kAggregate ? "Aggregate" : "Output";
  const std::string nulls = plan.on_error == OnError::kNull ? fmt::format(", {} NULL", c.nulls) : "";
  out += fmt::format("\n    -> {}: {} failed{}; {}", shape, c.failed, nulls, millis(c.shape_ns));
  if (plan.repartition) out += fmt::format("\n    -> Merge of repartitioned groups: {}", millis(c.merge_ns));
  if (plan.shape == QueryPlan::Shape::kStream) return out;
  const char* rows = plan.shape == QueryPlan::Shape::kAggregate ? "groups" : "rows";
  return out + fmt::format("\n  -> State: {} {}, {} bytes", report.groups, rows, report.state_bytes);
}

}  // namespace millrace::engine
